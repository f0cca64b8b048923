"""The command line as a user runs it: in a process of its own, reading what it prints."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_probabilities_and_weights_from_a_table(tmp_path: Path) -> None:
    rows = ["text,no,yes,w"] + ["good,0.1,0.9,1", "bad,0.8,0.2,2"] * 20
    (tmp_path / "taught.csv").write_text("\n".join(rows), "utf-8")
    status, _, err = gatewise(
        *("train", "classify", "taught.csv", "--text", "text", "--label", "no,yes"),
        *("--weight", "w", "--out", "model", *SMALL, "--dev-share", "0"),
        cwd=tmp_path,
    )
    assert status == 0, err
    assert gatewise("predict", "model", "-", stdin="x", cwd=tmp_path)[1][:2] in ("no", "ye")


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
        (["train", "classify", "reviews.csv", "--out", ".", *SMALL], "holds other files"),
        (["train", "classify", "reviews.csv", "--out", "m", "--class-weight", "x"], "spam=5"),
        (["evaluate", "model", "reviews.csv", "--label", "text"], "cannot both be in"),
        (["predict", "model", "-", "--out", "x.csv"], "--out needs a table"),
        (["sample", "reviews.csv"], "exists already"),
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
    assert not (folder / "m").exists()


def test_help_is_there_for_every_verb(folder: Path) -> None:
    for verb in (["train", "classify"], ["predict"], ["evaluate"], ["info"], ["sample"]):
        status, out, _ = gatewise(*verb, "--help")
        assert (status, "Usage: gatewise" in out) == (0, True)
    _, out, _ = gatewise("train", "classify", "--help")
    assert "--hidden-size" in out
    assert "--learning-rate" in out
    assert "--on-bad-rows" in out
