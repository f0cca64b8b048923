"""The three steps of transfer, and going on with a classifier, as a user runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import gatewise
from gatewise import load

GENERAL = "the film was good\nthe play was dull\nwe saw a good film\n" * 20
LABELLED = "text,label\n" + "a good film,good\na dull play,bad\n" * 20
NEW = "text,label\n" + "where is it,question\na good play,good\na dull film,bad\n" * 20
LANGUAGE = ["--hidden-size", "8", "--epochs", "1", "--min-count", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a general language model, one of the task, and a classifier."""
    folder = tmp_path_factory.mktemp("transfer")
    (folder / "general.txt").write_text(GENERAL, "utf-8")
    (folder / "task.txt").write_text("a quite good film\na quite dull play\n" * 20, "utf-8")
    (folder / "reviews.csv").write_text(LABELLED, "utf-8")
    (folder / "new.csv").write_text(NEW, "utf-8")
    for command in (
        ["train", "language", "general.txt", "--lowercase", "--out", "lm", *LANGUAGE],
        ["train", "language", "task.txt", "--start", "lm", "--out", "lm-task", "--epochs", "1"],
        ["train", "classify", "reviews.csv", "--encoder", "lm-task", "--out", "m", "--epochs", "3"],
    ):
        status, _, err = gatewise(*command, cwd=folder)
        assert status == 0, err
    return folder


def test_the_classifier_reads_what_both_texts_taught(folder: Path) -> None:
    general, task, classifier = (load(folder / name) for name in ("lm", "lm-task", "m"))
    known = general.tokenizer_.vocabulary
    assert task.tokenizer_.vocabulary == [*known, "quite"]
    assert classifier.tokenizer_.vocabulary == task.tokenizer_.vocabulary
    assert classifier.chosen_.hidden_size == 8


def test_training_goes_on_with_a_new_label(folder: Path) -> None:
    command = ["train", "classify", "new.csv", "--start", "m", "--out", "m2", "--epochs", "2"]
    status, out, err = gatewise(*command, cwd=folder)
    assert status == 0, err
    assert "The model is in m2." in out
    assert load(folder / "m2").labels_ == ("bad", "good", "question")
    assert load(folder / "m").labels_ == ("bad", "good")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["classify", "new.csv", "--start", "lm"],
            "lm is a language model. A classifier starts from a language model with --encoder.",
        ),
        (
            ["language", "task.txt", "--start", "lm", "--hidden-size", "9"],
            "leave those of the model out, or --start. lm keeps its own.",
        ),
        (
            ["classify", "new.csv", "--encoder", "m"],
            "--encoder must be a LanguageModel or the folder of one. Got TextClassifier.",
        ),
        (["classify", "new.csv", "--encoder", "gone"], "gone does not exist."),
        (
            ["classify", "new.csv", "--encoder", "lm", "--vectors", "v.txt"],
            "'vectors' and 'encoder' both say what words start from: give one.",
        ),
    ],
)
def test_what_cannot_be_started_from_is_told_and_nothing_is_written(
    folder: Path, arguments: list[str], told: str
) -> None:
    status, _, err = gatewise("train", *arguments, "--out", "none", cwd=folder)
    assert status == 2
    assert told in err
    assert not (folder / "none").exists()
