"""`train classify` as a user runs it."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from command_line import SMALL, gatewise, sample_model

LEARN = ["--embedding-size", "8", "--hidden-size", "8", "--subwords", "0", "--token-pairs", "64"]
LEARN += ["--min-count", "1", "--dev-share", "0", "--epochs", "20", "--learning-rate", "0.02"]
LEARN += ["--average", "0", "--text", "text", "--out", "model"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_model(tmp_path_factory.mktemp("cli"))


@pytest.fixture(scope="module")
def parts(folder: Path) -> Path:
    """The sample reviews as train.csv, dev.csv and test.csv, one row of train in each of them."""
    header, *rows = (folder / "reviews.csv").read_text("utf-8").splitlines()
    (folder / "train.csv").write_text("\n".join([header, *rows[:300]]), "utf-8")
    (folder / "dev.csv").write_text("\n".join([header, *rows[299:350]]), "utf-8")
    (folder / "test.csv").write_text("\n".join([header, *rows[350:410], rows[0]]), "utf-8")
    return folder


def probability_of_yes(cwd: Path, text: str) -> float:
    _, out, _ = gatewise("predict", "model", "-", "--json", stdin=text, cwd=cwd)
    return float(json.loads(out)["probabilities"]["yes"])


def test_many_labels_from_a_table(tmp_path: Path) -> None:
    rows = ["text,topics"] + [
        line for _ in range(15) for line in ("red blue,r|b", "blue,b", "grey,", "red,r")
    ]
    (tmp_path / "colours.csv").write_text("\n".join(rows), "utf-8")
    status, out, err = gatewise(
        *("train", "classify", "colours.csv", "--text", "text", "--label", "topics"),
        *("--label-separator", "|", "--out", "model", "--min-count", "1", *SMALL),
        cwd=tmp_path,
    )
    assert status == 0, err
    assert "all labels right" in out
    _, answer, _ = gatewise("predict", "model", "-", "--json", stdin="red", cwd=tmp_path)
    assert json.loads(answer)["probabilities"].keys() == {"b", "r"}
    # The model remembers the columns and the separator of its table.
    status, out, _ = gatewise("evaluate", "model", "colours.csv", "--json", cwd=tmp_path)
    assert (status, json.loads(out)["rows"]) == (0, 60)


def test_probabilities_from_a_table(tmp_path: Path) -> None:
    rows = ["yes,text,no"] + ["0.9,good,0.1", "0.2,bad,0.8"] * 20
    (tmp_path / "taught.csv").write_text("\n".join(rows), "utf-8")
    status, _, err = gatewise(
        "train", "classify", "taught.csv", "--label", "no,yes", *LEARN, cwd=tmp_path
    )
    assert status == 0, err
    assert probability_of_yes(tmp_path, "good") == pytest.approx(0.9, abs=0.1)
    assert probability_of_yes(tmp_path, "bad") == pytest.approx(0.2, abs=0.1)
    # Columns are probabilities of the label that they are named after, in whatever order.
    found = [
        json.loads(gatewise("evaluate", "model", "taught.csv", "--json", *order, cwd=tmp_path)[1])
        for order in ([], ["--label", "yes,no"])
    ]
    assert found[0] == found[1]
    assert found[0]["accuracy"] == 1
    status, _, err = gatewise("evaluate", "model", "taught.csv", "--label", "yes", cwd=tmp_path)
    assert (status, "line 2: the label '0.9' is none of those" in err) == (2, True)


@pytest.mark.parametrize(("by", "winner"), [("row", "yes"), ("class", "no")])
def test_weights_decide_between_rows_that_disagree(tmp_path: Path, by: str, winner: str) -> None:
    rows = ["text,label,yes,no"] + ["so so,yes,9,1", "so so,no,1,9"] * 20
    (tmp_path / "torn.csv").write_text("\n".join(rows), "utf-8")
    loser = "no" if winner == "yes" else "yes"
    flag = ["--weight", winner] if by == "row" else ["--class-weight", f"{winner}=9,{loser}=1"]
    status, _, err = gatewise(
        "train", "classify", "torn.csv", "--label", "label", *flag, *LEARN, cwd=tmp_path
    )
    assert status == 0, err
    expected = 0.9 if winner == "yes" else 0.1
    assert probability_of_yes(tmp_path, "so so") == pytest.approx(expected, abs=0.1)


def test_dev_and_test_tables_and_a_closed_list_of_labels(parts: Path) -> None:
    status, out, err = gatewise(
        *("train", "classify", "train.csv", "--dev", "dev.csv", "--test", "test.csv"),
        *("--labels", "positive, negative", "--out", "parts", *SMALL),
        cwd=parts,
    )
    assert status == 0, err
    assert "300 texts to learn from, 51 held out" in out
    assert "\nOn the test rows of test.csv:\n" in out
    assert "rows 61\n" in out
    assert err.count("warning: 1 of 51 dev rows (2.0%) is also in train") == 1
    assert err.count("warning: 1 of 61 test rows (1.6%) is also in train") == 1
    assert not list(parts.glob("*.rejects.csv"))


def test_every_warning_is_printed_once(tmp_path: Path) -> None:
    rows = ["text,label"] + ["good,positive", "bad,negative"] * 30 + ["fine,postive"]
    (tmp_path / "typo.csv").write_text("\n".join(rows), "utf-8")
    train = ("train", "classify", "typo.csv", "--out", "model", *SMALL)
    status, _, err = gatewise(*train, cwd=tmp_path)
    assert status == 0, err
    assert err.count("looks like a typo of 'positive'") == 1
    assert err.count("repeated from an earlier row") == 1
    before = (tmp_path / "model" / "weights.safetensors").read_bytes()
    status, out, err = gatewise(*train, "--labels", "positive,negative", cwd=tmp_path)
    assert (status, out) == (2, "")
    assert err.splitlines()[-1].startswith(
        "error: typo.csv, line 62: the label 'postive' is none of those in --labels: positive, "
    )
    assert (tmp_path / "model" / "weights.safetensors").read_bytes() == before


def test_held_tables_are_read_before_training(parts: Path) -> None:
    strange = "text,label\nGood,positive\nSo so,neutral\nHm,neutral\n"
    (parts / "strange.csv").write_text(strange, "utf-8")
    (parts / "other.csv").write_text("words,label\nGood,positive\n", "utf-8")
    for flag in ("--dev", "--test"):
        for name, message in (
            ("typo.csv", "typo.csv: there is no such file"),
            ("other.csv", "other.csv: no column 'text'"),
            ("strange.csv", "strange.csv, line 3: the label 'neutral' is none of those in train"),
        ):
            status, out, err = gatewise(
                "train", "classify", "train.csv", flag, name, "--out", "m", *SMALL, cwd=parts
            )
            assert (status, out) == (2, "")
            assert message in err.splitlines()[-1]
            assert "epoch" not in err
            assert not (parts / "m").exists()


def test_rejects_of_two_tables_stay_apart(parts: Path) -> None:
    header, *rows = (parts / "train.csv").read_text("utf-8").splitlines()
    (parts / "bad.csv").write_text("\n".join([header, *rows, "a,b,c"]), "utf-8")
    (parts / "sub").mkdir()
    (parts / "sub" / "bad.csv").write_text("\n".join([header, *rows, "d,e,f"]), "utf-8")
    train = ("train", "classify", "bad.csv", "--on-bad-rows", "skip", "--out", "m", *SMALL)
    for flags in (["--test", "test.csv", "--rejects", "r.csv"], ["--dev", "sub/bad.csv"]):
        status, _, err = gatewise(*train, *flags, cwd=parts)
        assert status == 2
        assert err.startswith("error: The skipped rows of bad.csv and ")
        assert "Leave --rejects out" in err
    status, _, err = gatewise(*train, "--rejects", "r.csv", "--weight", "text", cwd=parts)
    assert (status, "line 2: the column 'text' must hold numbers" in err) == (2, True)
    with (parts / "r.csv").open(newline="", encoding="utf-8") as file:
        assert [row["text"] for row in csv.DictReader(file)] == ["a,b,c"]
    assert not (parts / "m").exists()
    assert not list(parts.glob("*.rejects.csv"))


def test_what_stands_in_labels_steers_no_terminal(tmp_path: Path) -> None:
    red, hidden = "\x1b[31mred\tred", "bl\u202eue"
    rows = [["text", "label"]] + [["a rose", red], ["the sky", hidden]] * 20
    with (tmp_path / "colours.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    status, out, err = gatewise(
        "train", "classify", "colours.csv", "--label", "label", *LEARN, cwd=tmp_path
    )
    assert status == 0, err
    for verb in (["info", "model"], ["evaluate", "model", "colours.csv"]):
        printed = gatewise(*verb, cwd=tmp_path)[1]
        assert "\\x1b[31mred\\tred" in printed
        assert "bl\\u202eue" in printed
        out += printed
    assert not set("\x1b\u202e\t") & set(out + err)
    # Lines are for programs too: only what controls a terminal or a line is escaped.
    lines = gatewise("predict", "model", "-", stdin="a rose\nthe sky\n", cwd=tmp_path)[1]
    assert [line.split("\t")[0] for line in lines.splitlines()] == ["\\x1b[31mred\\tred", hidden]
    answer = json.loads(
        gatewise("predict", "model", "-", "--json", stdin="a rose", cwd=tmp_path)[1]
    )
    assert answer["label"] == red


def test_a_folder_that_cannot_be_written_is_told_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gatewise.cli.train import classify
    from gatewise.errors import DataError

    monkeypatch.setattr("os.access", lambda place, _: place != tmp_path)
    out = str(tmp_path / "new" / "model")
    with pytest.raises(DataError, match=f"cannot be written: you may not write in {tmp_path}"):
        classify("missing.csv", out=out)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("where", ["fit", "evaluate"])
def test_an_interruption_says_what_was_saved(
    where: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gatewise import TextClassifier
    from gatewise.cli import main

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys.stdout, "reconfigure", lambda **_: None, raising=False)
    monkeypatch.setattr(TextClassifier, where, interrupt)
    out = f"interrupted-{where}"
    train = ["train", "classify", "reviews.csv", "--test", "reviews.csv", "--out", out, *SMALL]
    monkeypatch.setattr(sys, "argv", ["gatewise", *train])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 130
    told = "nothing was saved" if where == "fit" else f"the model is in {out}, not tested"
    assert capsys.readouterr().err.splitlines()[-1] == f"interrupted: {told}"
    assert (folder / out).exists() == (where == "evaluate")
