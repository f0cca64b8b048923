"""The lessons: their code runs, prints what they show, and what they claim holds."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pages import Session, alike, unlike

FOLDER = Path(__file__).parent.parent / "docs" / "lessons"
FIRST, *LESSONS = sorted(FOLDER.glob("[1-8]-*.md"))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The reader of the first lesson, in whose folder all others are read."""
    threads = torch.get_num_threads()
    with contextlib.chdir(tmp_path_factory.mktemp("lessons")):
        session = Session(FIRST)
        session.run()
        yield session
    torch.set_num_threads(threads)


def accuracy(model: Any, rows: Any) -> float:
    return float(model.evaluate(*zip(*rows, strict=True)).accuracy)


def test_the_first_lesson(first: Session) -> None:
    names = first.names
    assert names["counts"].score(*zip(*names["test"], strict=True)) == 0.5
    assert accuracy(names["lstm"], names["test"]) > 0.7
    answers = names["lstm"].predict(list(names["texts"]))
    assert answers == ["positive", "negative"]
    assert not {text for text, _ in names["train"]} & set(names["texts"])


@pytest.mark.parametrize("page", LESSONS, ids=lambda page: page.stem)
def test_a_lesson(page: Path, first: Session) -> None:
    session = Session(page)
    session.run()
    CLAIMS.get(page.stem, lambda names: None)(session.names)


def gradients_vanish_but_for_an_open_gate(names: Any) -> None:
    far = {name: sizes[80] for name, sizes in names["lines"].items()}
    assert far["LSTM, forget bias 0"] < far["GRU"] < far["RNN"] < 1e-6
    assert far["LSTM, forget bias 1"] > 1e4 * far["RNN"]
    assert far["LSTM, forget bias 3"] > 1
    rows = names["test"]["text"], names["test"]["label"]
    assert names["rnn"].evaluate(*rows).accuracy < 0.75


def the_forget_gate_is_needed_and_does_not_fall_at_but(names: Any) -> None:
    trained = names["right"]({})
    for constant in (0.0, 1.0):
        assert names["right"]({"forget": constant}) < trained - 15
    gates = names["found"]  # forget gates by word
    everywhere = np.mean([gate for found in gates.values() for gate in found])
    assert abs(np.mean(gates["but"]) - everywhere) < 0.05
    assert np.mean(gates["got"]) < everywhere - 0.15


def texts_are_answered_alike_alone_and_in_a_batch(names: Any) -> None:
    assert abs(names["alone"] - names["beside"]).max() < 1e-5


def a_rate_of_one_ends_worse_than_guessing(names: Any) -> None:
    assert names["ends"][1.0] > np.log(2) > names["ends"][0.001] > names["ends"][0.01]


def dropout_raises_the_loss_and_the_score(names: Any) -> None:
    _, plain, dropout = (model.report_.epochs[-1] for model in names["models"].values())
    assert plain.loss < dropout.loss / 5
    assert plain.dev_score < dropout.dev_score


def attention_is_not_contribution(names: Any) -> None:
    assert names["same"] < 40
    for found in (names["one"], names["other"]):
        place = [word.text for word in found.words].index("not")
        assert found.measure("attention")[place] < 0.05
        assert abs(found.measure("contribution")).argmax() == place


def the_linear_model_is_taken(names: Any) -> None:
    assert names["found"].recommendation()[1].startswith("Take the linear model:")


CLAIMS = {
    "2-forgetting": gradients_vanish_but_for_an_open_gate,
    "3-gates": the_forget_gate_is_needed_and_does_not_fall_at_but,
    "4-ids": texts_are_answered_alike_alone_and_in_a_batch,
    "5-training": a_rate_of_one_ends_worse_than_guessing,
    "6-depth": dropout_raises_the_loss_and_the_score,
    "7-both-ways": attention_is_not_contribution,
    "8-when-not": the_linear_model_is_taken,
}


def test_lessons_have_a_picture_and_three_answered_questions() -> None:
    assert [page.stem[0] for page in (FIRST, *LESSONS)] == list("12345678")
    index = (FOLDER / "README.md").read_text("utf-8")
    for page in (FIRST, *LESSONS):
        text = page.read_text("utf-8")
        assert f"({page.name})" in index
        assert re.findall(r"^\*\*(\d)\. ", text, re.M) == ["1", "2", "3"]
        assert text.count("<details><summary>Answer</summary>") == 3
        made = re.findall(r'Path\("([\w-]+\.png)"\)', text)
        assert made
        for name in made:
            assert f"]({name})" in text
            assert (FOLDER / name).stat().st_size < 100_000


def test_what_is_shown_is_compared_with_what_is_printed() -> None:
    printed = "a 1.00\nloss 0.50 at 1,094\n\nb\n"
    assert unlike("loss 0.55 at 1,000\nb\n", printed) is None
    assert unlike("b\na 1.00\n", printed) == "a 1.00"
    assert unlike("loss 0.50 at 800\n", printed) == "loss 0.50 at 800"
    assert not alike("loss 0.5", "loss 0.5 now")
    assert not alike("accuracy 0.50", "accuracy 0.65")
    assert alike("a 3e-06", "a  0.000")
