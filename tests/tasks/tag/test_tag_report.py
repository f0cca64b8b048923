"""What the report of a tagger tells beside its figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatewise.evaluation import LabelScore
from gatewise.tasks.report import EpochFigures
from gatewise.tasks.tag.evaluation import TagEvaluation
from gatewise.tasks.tag.options import TaggerTraining
from gatewise.tasks.tag.report import Report


def accuracy(share: float) -> TagEvaluation:
    return TagEvaluation(10, 100, share, (LabelScore("N", share, share, share, 100),), None)


def report(**changes: Any) -> Report:
    made = Report(
        sentences=90,
        tokens=900,
        dev_sentences=10,
        dev_tokens=100,
        vocabulary_size=500,
        weights=12_345,
        seconds=3.5,
        training=TaggerTraining(epochs=1, batch_size=16, threads=2),
        versions={"gatewise": "0.1.0"},
        data="abc",
        warnings=(),
        epochs=(EpochFigures(0.7, 0.6, True, 1.0),),
        stop="",
        evaluation=accuracy(0.9),
        baseline=accuracy(0.8),
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("baseline", "told"),
    [
        (
            0.8,
            "The network beats the most frequent tags on the dev sentences by 10.0 points of",
        ),
        (
            0.9,
            "The network and the most frequent tags are as good on the dev sentences: a list",
        ),
        (0.95, "The most frequent tags beat the network on the dev sentences by 5.0 points of"),
    ],
)
def test_the_verdict_is_plain(baseline: float, told: str) -> None:
    made = report(baseline=accuracy(baseline))
    assert made.verdict().startswith(told)
    assert str(made).endswith(made.verdict())


def test_without_a_baseline_there_is_no_verdict() -> None:
    assert report(baseline=None).verdict() == ""
    assert report(evaluation=None).verdict() == ""


@pytest.mark.parametrize(("balance", "most"), [(0.0, False), (2.75, False), (3.0, True)])
def test_a_balance_at_its_limit_is_told(balance: float, most: bool) -> None:
    told = str(report(balance=balance))
    assert (f"'O' scores {balance:.2f} less" in told) == (balance > 0)
    assert ("No more than that is tried" in told) == most
