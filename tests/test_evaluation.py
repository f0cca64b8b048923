from __future__ import annotations

import numpy as np
import pytest

from gatewise.evaluation import evaluate


def test_figures_of_a_worked_example() -> None:
    truth = np.array([0, 0, 0, 1, 1, 2])
    answers = np.array([0, 0, 1, 1, 2, 2])
    found = evaluate(truth, answers, ["a", "b", "c"], multiple=False)
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.confusion == ((2, 1, 0), (0, 1, 1), (0, 0, 1))
    a, b, c = found.labels
    assert (a.precision, a.recall, a.f1, a.rows) == pytest.approx((1, 2 / 3, 0.8, 3))
    assert (b.precision, b.recall, b.f1, b.rows) == pytest.approx((0.5, 0.5, 0.5, 2))
    assert (c.precision, c.recall, c.f1, c.rows) == pytest.approx((0.5, 1, 2 / 3, 1))
    assert found.macro_f1 == pytest.approx((0.8 + 0.5 + 2 / 3) / 3)
    assert (found.metric, found.score) == ("accuracy", found.accuracy)


def test_figures_with_many_labels_at_once() -> None:
    truth = np.array([[1, 0], [1, 1], [0, 0]])
    answers = np.array([[1, 0], [0, 1], [0, 1]])
    found = evaluate(truth, answers, ["a", "b"], multiple=True)
    assert found.accuracy == pytest.approx(1 / 3)
    assert found.macro_f1 == pytest.approx(2 / 3)
    # 2 labels right, 1 too many, 1 missing.
    assert found.micro_f1 == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert (found.metric, found.score, found.confusion) == ("macro-F1", found.macro_f1, None)


def test_a_label_that_never_occurs_counts_as_zero() -> None:
    found = evaluate(np.array([0, 0]), np.array([0, 0]), ["a", "b"], multiple=False)
    assert (found.labels[1].f1, found.macro_f1, found.accuracy) == (0, 0.5, 1)
