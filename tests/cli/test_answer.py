"""`predict`, `evaluate` and `info` as a user runs them."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from command_line import gatewise, sample_model
from gatewise import kernels


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_model(tmp_path_factory.mktemp("cli"))


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
            f"error: {out} is the file to answer. Give --out another name.\n",
        )
    assert (folder / "own.csv").read_text("utf-8") == rows


def test_a_text_file_is_answered_line_by_line(folder: Path) -> None:
    (folder / "lines.txt").write_bytes("\ufeffA good film.\r\n\r\nBad!".encode())
    (folder / "plain.csv").write_text('text\nA good film.\n""\nBad!\n', "utf-8")
    status, out, err = gatewise("predict", "model", "lines.txt", cwd=folder)
    assert (status, len(out.splitlines()), err) == (0, 3, "")
    assert out == gatewise("predict", "model", "plain.csv", cwd=folder)[1]
    status, out, err = gatewise("predict", "model", "no.txt", cwd=folder)
    assert (status, out) == (2, "")
    assert err == "error: no.txt: there is no such file.\n"


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


def test_evaluation_prints_what_python_computes(folder: Path) -> None:
    from gatewise import load
    from gatewise.data.tables import open_table

    status, out, _ = gatewise("evaluate", "model", "reviews.csv", "--json", cwd=folder)
    assert status == 0
    columns = open_table(folder / "reviews.csv").read(["text", "label"])
    expected = load(folder / "model").evaluate(columns["text"], columns["label"])
    assert json.loads(out)["accuracy"] == expected.accuracy
    assert gatewise("evaluate", "model", "reviews.csv", cwd=folder)[1].startswith(str(expected))


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


def test_info_shows_options_and_report(folder: Path) -> None:
    status, out, _ = gatewise("info", "model", cwd=folder)
    assert status == 0
    assert "labels: negative, positive" in out
    assert "hidden_size          8" in out
    found = json.loads(gatewise("info", "model", "--json", cwd=folder)[1])
    assert found["options"]["cell"] == "lstm"
    assert found["training"]["columns"] == {"text": "text", "labels": ["label"], "separator": None}


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


def test_packed_lines_are_answered_and_encodings_are_heeded(folder: Path) -> None:
    wanted = gatewise("predict", "model", "-", stdin="Déjà vu.\nBad!\n", cwd=folder)
    (folder / "old.txt").write_bytes("Déjà vu.\nBad!\n".encode("latin-1"))
    with gzip.open(folder / "packed.txt.gz", "wt", encoding="utf-8") as file:
        file.write("Déjà vu.\nBad!\n")
    assert gatewise("predict", "model", "packed.txt.gz", cwd=folder) == wanted
    assert gatewise("predict", "model", "old.txt", "--encoding", "latin-1", cwd=folder) == wanted
    status, _, err = gatewise("predict", "model", "old.txt", "--delimiter", ";", cwd=folder)
    assert status == 2
    assert err == "error: --delimiter is for tables. The texts of old.txt are its lines.\n"


def test_a_flag_of_another_task_is_refused_also_at_its_usual_value(folder: Path) -> None:
    status, _, err = gatewise("predict", "model", "-", "--beam", "5", stdin="a\n", cwd=folder)
    assert status == 2
    assert err == "error: --beam is not for model, which is a text classifier. Leave it out.\n"
