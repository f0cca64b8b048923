"""The command line as a user runs it: in a process of its own, reading what it prints."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gatewise import kernels

SMALL = ["--embedding-size", "8", "--hidden-size", "8", "--subwords", "50", "--token-pairs", "64"]
SMALL += ["--epochs", "2"]


def gatewise(*arguments: str, stdin: str = "", cwd: Path | None = None) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "gatewise", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample reviews and a small model of them."""
    folder = tmp_path_factory.mktemp("cli")
    assert gatewise("sample", "reviews.csv", cwd=folder)[0] == 0
    status, out, err = gatewise(
        "train", "classify", "reviews.csv", "--out", "model", *SMALL, cwd=folder
    )
    assert status == 0, err
    assert "columns: texts in 'text', labels in 'label'" in err
    assert "epoch 2/2  loss " in err
    assert "TF-IDF and logistic regression  accuracy 0." in out
    assert "true label (rows) and answer (columns):" in out
    return folder


def test_lines_in_and_lines_out(folder: Path) -> None:
    status, out, _ = gatewise("predict", "model", "-", stdin="A good film.\n\nBad!", cwd=folder)
    assert status == 0
    lines = [line.split("\t") for line in out.splitlines()]
    assert len(lines) == 3
    assert all(label in ("positive", "negative") for label, _ in lines)
    assert all(0.5 <= float(probability) <= 1 for _, probability in lines)


def test_json_lines_hold_all_probabilities(folder: Path) -> None:
    _, out, _ = gatewise("predict", "model", "-", "--json", stdin='Say "no".\n', cwd=folder)
    answer = json.loads(out)
    assert answer["text"] == 'Say "no".'
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert answer["probabilities"][answer["label"]] == max(answer["probabilities"].values())


def test_a_table_in_and_a_table_out(folder: Path) -> None:
    (folder / "new.tsv").write_text("id\ttext\n1\tGood, I say\n2\tNA\n", "utf-8")
    status, out, err = gatewise("predict", "model", "new.tsv", "--out", "out.csv", cwd=folder)
    assert (status, err) == (0, "")
    assert "out.csv" in out
    with (folder / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["text"]) for row in rows] == [("1", "Good, I say"), ("2", "NA")]
    assert all(row["prediction"] in ("positive", "negative") for row in rows)


def test_the_precision_of_answers_is_chosen_or_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answered(*arguments: str) -> tuple[int, str, str]:
        return gatewise(*arguments, stdin="A good film.\nBad!", cwd=folder)

    exact = answered("predict", "model", "-")
    for precision in ("auto", *kernels.precisions()):
        status, out, _ = answered("predict", "model", "-", "--precision", precision)
        assert status == 0
        for line, wanted in zip(out.splitlines(), exact[1].splitlines(), strict=True):
            probability, expected = (float(one.split("\t")[1]) for one in (line, wanted))
            assert probability == pytest.approx(expected, abs=0.02)
    # The plainest instruction set has no bfloat16.
    monkeypatch.setenv("GATEWISE_KERNEL", kernels.describe()["available"][0])
    assert answered("predict", "model", "-", "--precision", "auto")[0] == 0
    for verb in (["predict", "model", "-"], ["evaluate", "model", "reviews.csv"]):
        status, out, err = answered(*verb, "--precision", "bf16")
        assert (status, out) == (2, "")
        assert err.startswith("error: The precision bf16 needs a processor with AMX or AVX512-BF16")


@pytest.mark.parametrize("verb", [["predict"], ["evaluate", "--json"]])
def test_answers_take_as_many_threads_as_they_may(
    verb: list[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from gatewise import TextClassifier
    from gatewise.cli import main

    found: list[int | None] = []
    scores = TextClassifier.scores

    def spy(classifier: TextClassifier, texts: list[str]) -> Any:
        found.append(classifier.threads)
        return scores(classifier, texts)

    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys.stdout, "reconfigure", lambda **_: None, raising=False)
    monkeypatch.setattr(TextClassifier, "scores", spy)
    printed = []
    for flags in ([], ["--threads", "3"]):
        monkeypatch.setattr(sys, "argv", ["gatewise", *verb, "model", "reviews.csv", *flags])
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code == 0
        printed.append(capsys.readouterr().out)
    assert set(found) == {None, 3}
    assert printed[0] == printed[1] != ""


def test_a_guess_of_the_texts_is_told(folder: Path) -> None:
    (folder / "words.csv").write_text("id,review\n1,A good film.\n", "utf-8")
    expected = "columns: texts in 'review' (by its name)\n"
    for flags in ([], ["--out", "answers.csv"]):
        status, _, err = gatewise("predict", "model", "words.csv", *flags, cwd=folder)
        assert (status, err) == (0, expected)
    for flags in (["words.csv", "--text", "review"], ["reviews.csv"]):
        assert gatewise("predict", "model", *flags, cwd=folder)[::2] == (0, "")


def test_a_table_is_never_written_over_itself(folder: Path) -> None:
    rows = "text\nA good film.\n"
    (folder / "own.csv").write_text(rows, "utf-8")
    (folder / "link.csv").symlink_to("own.csv")
    for out in ("own.csv", "./own.csv", "link.csv"):
        status, _, err = gatewise("predict", "model", "own.csv", "--out", out, cwd=folder)
        assert (status, err) == (
            2,
            f"error: {out} is the table to answer. Give --out another name.\n",
        )
    assert (folder / "own.csv").read_text("utf-8") == rows


def test_evaluation_prints_what_python_computes(folder: Path) -> None:
    from gatewise import load
    from gatewise.data.tables import open_table

    status, out, _ = gatewise("evaluate", "model", "reviews.csv", "--json", cwd=folder)
    assert status == 0
    columns = open_table(folder / "reviews.csv").read(["text", "label"])
    expected = load(folder / "model").evaluate(columns["text"], columns["label"])
    assert json.loads(out)["accuracy"] == expected.accuracy
    assert gatewise("evaluate", "model", "reviews.csv", cwd=folder)[1].startswith(str(expected))


def test_info_shows_options_and_report(folder: Path) -> None:
    status, out, _ = gatewise("info", "model", cwd=folder)
    assert status == 0
    assert "labels: negative, positive" in out
    assert "hidden_size          8" in out
    found = json.loads(gatewise("info", "model", "--json", cwd=folder)[1])
    assert found["options"]["cell"] == "lstm"
    assert found["training"]["columns"] == {"text": "text", "labels": ["label"], "separator": None}


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


LEARN = ["--embedding-size", "8", "--hidden-size", "8", "--subwords", "0", "--token-pairs", "64"]
LEARN += ["--min-count", "1", "--dev-share", "0", "--epochs", "20", "--learning-rate", "0.02"]
LEARN += ["--average", "0", "--text", "text", "--out", "model"]


def probability_of_yes(cwd: Path, text: str) -> float:
    _, out, _ = gatewise("predict", "model", "-", "--json", stdin=text, cwd=cwd)
    return float(json.loads(out)["probabilities"]["yes"])


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


@pytest.fixture(scope="module")
def parts(folder: Path) -> Path:
    """The sample reviews as train.csv, dev.csv and test.csv, one row of train in each of them."""
    header, *rows = (folder / "reviews.csv").read_text("utf-8").splitlines()
    (folder / "train.csv").write_text("\n".join([header, *rows[:300]]), "utf-8")
    (folder / "dev.csv").write_text("\n".join([header, *rows[299:350]]), "utf-8")
    (folder / "test.csv").write_text("\n".join([header, *rows[350:410], rows[0]]), "utf-8")
    return folder


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


def test_a_model_of_whole_numbers_is_tested_from_a_table(tmp_path: Path) -> None:
    from gatewise import TextClassifier

    small = TextClassifier(embedding_size=8, hidden_size=8, subwords=0, token_pairs=0, min_count=1)
    texts, labels = ["good", "bad"] * 20, [1, 0] * 20
    small.fit(texts, labels, epochs=1, quiet=True, baseline=False).save(tmp_path / "model")
    (tmp_path / "t.csv").write_text("text,label\ngood,1\nbad,0\n", "utf-8")
    status, out, err = gatewise("evaluate", "model", "t.csv", "--json", cwd=tmp_path)
    assert status == 0, err
    found = json.loads(out)
    assert [score["label"] for score in found["labels"]] == [0, 1]
    assert found["accuracy"] == small.evaluate(["good", "bad"], [1, 0]).accuracy
    (tmp_path / "t.csv").write_text("text,label\ngood,1\nbad,no\n", "utf-8")
    status, _, err = gatewise("evaluate", "model", "t.csv", cwd=tmp_path)
    assert status == 2
    assert "t.csv, line 3: the label 'no' is none of those the model knows: 0, 1 (" in err
    status, _, err = gatewise("evaluate", "model", "t.csv", "--label-separator", "|", cwd=tmp_path)
    assert (status, "gives one label a text" in err) == (2, True)


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


def test_a_text_file_is_answered_line_by_line(folder: Path) -> None:
    (folder / "lines.txt").write_bytes("\ufeffA good film.\r\n\r\nBad!".encode())
    (folder / "plain.csv").write_text('text\nA good film.\n""\nBad!\n', "utf-8")
    status, out, err = gatewise("predict", "model", "lines.txt", cwd=folder)
    assert (status, len(out.splitlines()), err) == (0, 3, "")
    assert out == gatewise("predict", "model", "plain.csv", cwd=folder)[1]
    status, out, err = gatewise("predict", "model", "no.txt", cwd=folder)
    assert (status, out) == (2, "")
    assert err == "error: no.txt cannot be read: No such file or directory.\n"


@pytest.mark.parametrize("source", ["-", "latin.txt"])
def test_lines_that_are_not_utf_8_are_told(folder: Path, source: str) -> None:
    lines = "\ufeffcafé\n".encode() + b"caf\xe9\n"
    (folder / "latin.txt").write_bytes(lines)
    done = subprocess.run(
        [sys.executable, "-m", "gatewise", "predict", "model", source],
        input=lines,
        capture_output=True,
        cwd=folder,
        check=False,
    )
    name = "standard input" if source == "-" else source
    told = f"error: {name}, line 2: the byte 0xE9 at column 4 is not UTF-8. Convert the text, "
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(told)


def test_pipes_are_utf_8_whatever_the_terminal_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = subprocess.run(
        [sys.executable, "-m", "gatewise", "predict", "model", "-", "--json"],
        input="café 中\n".encode(),
        capture_output=True,
        cwd=folder,
        check=True,
    )
    assert json.loads(done.stdout.decode("utf-8"))["text"] == "café 中"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line(folder: Path) -> None:
    for verb in (["predict", "model", "reviews.csv"], ["info", "model"]):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "gatewise", *verb],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                cwd=folder,
                check=False,
            )
        assert done.returncode == 2
        assert done.stderr == "error: Reading or writing failed: No space left on device.\n"


def test_an_odd_report_does_no_harm(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gatewise import load
    from gatewise.tasks.classify.report import Report

    classifier = load(folder / "model")
    report = classifier.report_.as_json()
    reports: list[Any] = [report | {"columns": {"text": 1}}, report | {"epochs": []}, {}]
    for odd in reports:
        monkeypatch.setattr(Report, "as_json", lambda _, odd=odd: odd)
        classifier.save(tmp_path / "model")
        status, out, err = gatewise("info", "model", cwd=tmp_path)
        assert (status, err) == (0, "")
        assert "labels: negative, positive" in out
        status, out, _ = gatewise("evaluate", "model", str(folder / "reviews.csv"), cwd=tmp_path)
        assert (status, "accuracy" in out) == (0, True)


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "nowhere", "-"], "nowhere does not exist"),
        (["train", "classify", "missing.csv", "--out", "m"], "missing.csv"),
        (["train", "classify", "reviews.csv"], "--out"),
        (["train", "classify", "reviews.csv", "--out", "m", "--cel", "gru"], "--cel"),
        (["train", "classify", "reviews.csv", "--out", "m", "--cell", "lsmt"], "lsmt"),
        (["train", "classify", "reviews.csv", "--out", "m", "--hidden-size", "0"], "at least 1"),
        (["train", "classify", "reviews.csv", "--out", "m", "--text", "txet"], "txet"),
        (["train", "classify", "no.csv", "--out", "reviews.csv/a/m"], "reviews.csv is a file"),
        (["train", "classify", "reviews.csv", "--out", "m", "--epochs", "1.5"], "not a whole"),
        (["train", "classify", "reviews.csv", "--out", "m", "--batch-tokens", ".5"], "not a whole"),
        (["predict", "model", "reviews.csv", "--max-chars", "9.9"], "not a whole"),
        (["train", "classify", "reviews.csv", "--out", ".", *SMALL], "holds other files"),
        (["train", "classify", "reviews.csv", "--out", "m", "--class-weight", "x"], "spam=5"),
        (["train", "classify", "reviews.csv", "--out", "m", "--labels", "spam"], "'spam,ham'"),
        (
            ["train", "classify", "reviews.csv", "--out", "m", "--labels", "a,b"],
            "line 2: the label",
        ),
        (["train", "classify", "reviews.csv", "--out", "m", "--max-chars", "0"], "at least 1"),
        (["train", "classify", "reviews.csv", "--out", "m", "--weight", "wieght"], "wieght"),
        (["evaluate", "model", "reviews.csv", "--label", "text"], "cannot both be in"),
        (["predict", "model", "reviews.csv", "--text", "no", "--out", "m.csv"], "no column 'no'"),
        (["predict", "model", "-", "--out", "x.csv"], "--out needs a table"),
        (
            ["train", "classify", "reviews.csv", "--out", "m", "--learning-rate", "0"],
            "error: --learning-rate must be a number above 0. Got 0.0.",
        ),
        (
            ["train", "classify", "reviews.csv", "--out", "m", "--batch-size", "0"],
            "error: --batch-size must be a whole number of at least 1. Got 0.",
        ),
        (
            ["train", "classify", "reviews.csv", "--out", "m", "--hidden-size", "0"],
            "error: --hidden-size must be a whole number of at least 1. Got 0.",
        ),
        (["predict", "model", "-", "--precision", "fp8"], "fp8"),
        (
            ["train", "classify", "reviews.csv", "--out", "m", "--threads", "0"],
            "error: --threads must be a whole number of at least 1. Got 0.",
        ),
        (
            ["predict", "model", "-", "--threads", "0"],
            "error: --threads must be a whole number of at least 1. Got 0.",
        ),
        (
            ["evaluate", "model", "reviews.csv", "--threads", "-2"],
            "error: --threads must be a whole number of at least 1. Got -2.",
        ),
        (["predict", "model", "-", "--threads", "1.5"], "not a whole"),
        (["sample", "reviews.csv"], "exists already"),
        (["sample", "reviews.jsonl"], "must end in .csv"),
        (["sample", "m"], "must end in .csv"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    arguments: list[str], message: str, folder: Path
) -> None:
    status, out, err = gatewise(*arguments, cwd=folder)
    last = err.strip().splitlines()[-1]
    assert (status, out) == (2, "")
    assert last.startswith("error: ")
    assert message in last
    assert not list(folder.glob("m"))
    assert not list(folder.glob("*.tmp"))
    assert not (folder / "m.csv").exists()


def test_help_is_there_for_every_verb(folder: Path) -> None:
    for verb in (["train", "classify"], ["predict"], ["evaluate"], ["info"], ["sample"]):
        status, out, _ = gatewise(*verb, "--help")
        assert (status, "Usage: gatewise" in out) == (0, True)
    _, out, _ = gatewise("train", "classify", "--help")
    assert "--hidden-size" in out
    assert "--learning-rate" in out
    assert "--on-bad-rows" in out
    for verb in (["train", "classify"], ["predict"], ["evaluate"]):
        _, out, _ = gatewise(*verb, "--help")
        assert "--threads" in out
        assert "--precision" in out
