from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from gatewise.evaluation import Evaluation, LabelScore
from gatewise.tasks.card import Description, card
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.tasks.classify.pictures import pictures
from gatewise.tasks.classify.report import Report, TableColumns
from gatewise.tasks.report import EpochFigures


def evaluation(accuracy: float) -> Evaluation:
    labels = (LabelScore("ham", 0.9, 0.8, 0.85, 50), LabelScore("spam", 0.8, 0.9, 0.85, 50))
    return Evaluation(100, accuracy, accuracy, accuracy, labels, ((40, 10), (5, 45)))


def report(**changes: Any) -> Report:
    made = Report(
        rows=900,
        dev_rows=100,
        shortened=0,
        vocabulary_size=500,
        scales=(0.7, 0.3),
        weights=12_345,
        seconds=3.5,
        training=ClassifierTraining(epochs=2, batch_size=16, threads=2),
        versions={"gatewise": "0.1.0"},
        data="abc",
        warnings=("careful",),
        epochs=(EpochFigures(0.7, 0.6, True, 1.0), EpochFigures(0.5, 0.58, False, 1.1)),
        stop="",
        evaluation=evaluation(0.85),
        linear=evaluation(0.80),
        linear_seconds=0.1,
        noise=0.02,
        columns=TableColumns("text", ("label",), None),
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("linear", "sentence"),
    [
        (0.80, "The network beats the linear model"),
        (0.84, "No clear winner"),
        (0.86, "No clear winner"),
        (0.90, "The linear model wins"),
    ],
)
def test_the_verdict_is_plain_and_knows_noise(linear: float, sentence: str) -> None:
    made = report(linear=evaluation(linear))
    assert made.verdict().startswith(sentence)
    assert f"0.8500 against {linear:.4f}, noise ±0.0200" in made.verdict()
    assert made.verdict() in str(made)


def test_without_dev_rows_nothing_is_claimed() -> None:
    bare = report(evaluation=None, linear=None, dev_rows=0)
    assert bare.verdict() == ""
    assert "dev rows:" not in str(bare)


def test_it_comes_back_from_json() -> None:
    made = report()
    assert Report.from_json(made.as_json()) == made
    assert made.best_epoch == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.pop("rows"),
        lambda said: said.update(epochs=[]),
        lambda said: said["epochs"][0].update(best=False),
        lambda said: said.update(training={}) or said.update(training=None),
        lambda said: said["training"].update(epochs=0),
        lambda said: said.update(columns={}),
        lambda said: said.update(evaluation="good"),
    ],
)
def test_an_odd_report_is_none(change: Any) -> None:
    said = copy.deepcopy(report().as_json())
    change(said)
    assert Report.from_json(said) is None
    assert Report.from_json(None) is None


def test_the_card_tells_the_whole_report() -> None:
    made = report()
    description = Description("Sorter", "Tells ham from spam.", ('model.predict(["…"])',))
    told = card(description, made, {"cell": "gru"}, ["learning_curves.png"])
    assert str(made) in told
    assert "| `cell` | gru |" in told
    assert "# Sorter\n\nTells ham from spam." in told
    assert "![Learning curves](learning_curves.png)" in told
    assert "![" not in card(description, made, {})


def test_pictures_are_png_for_one_label_and_for_many_at_once() -> None:
    several = replace(evaluation(0.5), confusion=None)
    for made in (report(), report(evaluation=several), report(evaluation=None, linear=None)):
        drawn = pictures(made)
        assert drawn.keys() == {"learning_curves.png"} | (
            {"labels.png"} if made.evaluation else set()
        )
        assert all(picture.startswith(b"\x89PNG") for picture in drawn.values())
