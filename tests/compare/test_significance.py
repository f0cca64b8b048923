"""Differences between models, against scipy, scikit-learn and what chance really does."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import f1_score

from gatewise.compare.significance import _macro_f1, difference, holm, scores
from gatewise.evaluation import evaluate


def one_seed(rows: int, ours: int, theirs: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Truth and the answers of two models: so many rows only the first has right, or the second."""
    truth = np.zeros(rows, np.int64)
    first, second = np.zeros((2, 1, rows), np.int64)
    second[0, :ours] = 1
    first[0, ours : ours + theirs] = 1
    return truth, first, second


@pytest.mark.parametrize(("ours", "theirs"), [(1, 0), (5, 0), (10, 2), (30, 50), (7, 7), (90, 61)])
def test_one_seed_is_mcnemar_s_test(ours: int, theirs: int) -> None:
    truth, first, second = one_seed(2000, ours, theirs)
    found = difference(truth, first, second, False)
    assert found.gain == pytest.approx((ours - theirs) / 2000)
    chi = max(0, abs(ours - theirs) - 1) ** 2 / (ours + theirs)
    assert found.p == pytest.approx(stats.chi2.sf(chi, 1), abs=1e-3)
    exact = stats.binomtest(ours, ours + theirs).pvalue
    assert found.p == pytest.approx(exact, abs=0.02)
    assert difference(truth, second, first, False).p == found.p


@pytest.mark.parametrize(("ours", "theirs"), [(8, 1), (20, 8), (40, 20)])
def test_the_interval_holds_zero_when_the_test_sees_nothing(ours: int, theirs: int) -> None:
    truth, first, second = one_seed(300, ours, theirs)
    found = difference(truth, first, second, False)
    assert (found.low > 0) == (found.p < 0.05)
    # As wide as the textbook's interval of a paired difference of shares, and a row on both sides.
    share = ours + theirs
    wide = stats.t.ppf(0.975, 299) * np.sqrt(share) / 300
    assert found.high - found.gain == pytest.approx(wide + 1 / 300)
    assert found.gain - found.low == pytest.approx(wide + 1 / 300)


def test_where_only_seeds_differ_it_is_welch_s_test() -> None:
    random = np.random.default_rng(0)
    truth = np.zeros(40_000, np.int64)
    shares = [[0.80, 0.86, 0.83], [0.70, 0.79, 0.77, 0.74]]
    first, second = (
        np.stack([random.random(len(truth)) > share for share in own]).astype(np.int64)
        for own in shares
    )
    found = difference(truth, first, second, False)
    welch = stats.ttest_ind(
        *(scores(truth, given, False) for given in (first, second)), equal_var=False
    )
    assert found.p == pytest.approx(welch.pvalue, rel=0.1)
    assert found.gain == pytest.approx(0.08, abs=0.01)


def test_one_right_answer_to_all_rows_is_not_many() -> None:
    truth = np.zeros(4, np.int64)
    found = difference(truth, np.zeros((1, 4), np.int64), np.ones((1, 4), np.int64), False)
    assert found.gain == 1
    assert found.p > 0.1  # the exact test says 1 / 8: no four rows prove anything
    same = difference(truth, truth[None], truth[None], False)
    assert (same.gain, same.p, same.error) == (0, 1, 0)


def chance(rows: int, seeds: int, swing: float, random: np.random.Generator) -> tuple[float, float]:
    """p of two equally good models by our test, and by one that counts rows times seeds."""
    hard = random.normal(size=rows)
    truth = np.zeros(rows, np.int64)

    def answers() -> NDArray[Any]:
        luck = random.normal(scale=swing, size=(seeds, 1))
        return (hard + luck + random.normal(size=(seeds, rows)) > 1).astype(np.int64)

    first, second = answers(), answers()
    ours = int(((first == 0) & (second == 1)).sum())
    theirs = int(((first == 1) & (second == 0)).sum())
    return difference(truth, first, second, False).p, stats.binomtest(ours, ours + theirs).pvalue


def test_chance_is_seldom_taken_for_a_difference() -> None:
    random = np.random.default_rng(1)
    found = np.array([chance(300, 3, 0.15, random) for _ in range(600)])
    ours, counted = (found < 0.05).mean(axis=0)
    # Three standard errors of a share of 0.05 in 600 trials are 0.027.
    assert ours < 0.05 + 0.027
    assert counted > 0.15  # what pooling rows and seeds would claim


def test_macro_f1_is_scikit_learn_s() -> None:
    random = np.random.default_rng(2)
    truth = (random.random((60, 5)) < 0.3).astype(np.int64)
    answers = (random.random((60, 5)) < 0.3).astype(np.int64)
    truth[:, 4] = answers[:, 4] = 0  # a label that nobody has does not count
    truth[:, 3] = 0  # one that is only answered does
    counts = random.multinomial(60, np.full(60, 1 / 60), size=4).astype(float)
    for own, found in zip(counts, _macro_f1(truth, answers, counts), strict=True):
        drawn = np.repeat(np.arange(60), own.astype(int))
        expected = f1_score(
            truth[drawn][:, :4], answers[drawn][:, :4], average="macro", zero_division=0
        )
        assert found == pytest.approx(expected)
    expected = evaluate(truth, answers, list("abcde"), multiple=True).macro_f1
    assert scores(truth, answers[None], True)[0] == pytest.approx(expected)


def test_a_difference_in_macro_f1_has_the_noise_of_its_rows() -> None:
    random = np.random.default_rng(3)
    truth = (random.random((400, 3)) < 0.4).astype(np.int64)

    def noisy(share: float) -> NDArray[Any]:
        return np.where(random.random(truth.shape) < share, 1 - truth, truth)[None]

    first, second = noisy(0.1), noisy(0.25)
    found = difference(truth, first, second, True)
    parts = []  # an independent estimate: how much the difference moves between parts of the rows
    for start, stop in pairwise(range(0, 401, 25)):
        part = [
            scores(truth[start:stop], given[:, start:stop], True)[0] for given in (first, second)
        ]
        parts.append(part[0] - part[1])
    assert found.error == pytest.approx(np.std(parts, ddof=1) / 4, rel=0.35)
    assert found.p < 0.001
    assert difference(truth, first, first, True).p == 1


def test_holm_s_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
