"""Whether one model is better than another on the same rows, or only luckier.

Two kinds of luck are in a difference: which rows happen to be tested, and which seeds the networks
happened to have. Rows are not independent of seeds: a bad seed errs on many rows at once. So rows
times seeds are not counted as so many independent answers, which would find differences that are
none. Every row counts once, with the share of seeds that were right; the luck of the seeds is added
from how much the score moves between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DRAWS = 500
"""Bootstrap draws of the rows, for macro-F1."""
LEVEL = 0.95
"""Of the intervals."""


@dataclass(frozen=True)
class Difference:
    """How much better one model scores than another, as a share of 1.

    `low` and `high` hold the true difference 95 times of 100, `error` is one standard error, and
    `p` is how likely chance alone makes so large a difference, in either direction.
    """

    gain: float
    low: float
    high: float
    error: float
    p: float


def scores(truth: NDArray[Any], answers: NDArray[Any], multiple: bool) -> NDArray[np.float64]:
    """The score of every seed, (S,): accuracy, or macro-F1 for many labels at once.

    Args:
        truth: label numbers (B,), or with `multiple` a table of 0 and 1 (B, L).
        answers: of every seed, (S, B) or (S, B, L).
        multiple: whether a row can have many labels at once.
    """
    if multiple:
        every = np.ones((1, len(truth)))
        return np.array([_macro_f1(truth, given, every)[0] for given in answers])
    return np.asarray((answers == truth).mean(axis=1))


def difference(
    truth: NDArray[Any], first: NDArray[Any], second: NDArray[Any], multiple: bool
) -> Difference:
    """How much better the first model is than the second.

    For accuracy the test of the rows is McNemar's with Edwards' correction, of shares of seeds
    where there are several; for macro-F1 it is a paired bootstrap (Efron 1979). The variance of the
    seeds' scores is added to that of the rows, and Student's t is taken with the degrees of freedom
    of Welch and Satterthwaite. One seed tells nothing of its luck: that part is then missing.

    Args:
        truth: label numbers (B,), or with `multiple` a table of 0 and 1 (B, L).
        first: answers of every seed, (S, B) or (S, B, L).
        second: the same of the other model, of as many seeds or others.
        multiple: whether a row can have many labels at once.
    """
    from scipy import stats  # noqa: PLC0415 - slow to import, comes with scikit-learn

    rows = len(truth)
    ours, theirs = scores(truth, first, multiple), scores(truth, second, multiple)
    gain = float(ours.mean() - theirs.mean())
    if multiple:
        by_rows, step = _bootstrapped(truth, first, second), 0.0
    else:
        gains = (first == truth).mean(axis=0) - (second == truth).mean(axis=0)
        by_rows, step = float((gains**2).mean() / rows), 1 / rows
    parts = [(by_rows, rows - 1)]
    parts += [(float(s.var(ddof=1)) / len(s), len(s) - 1) for s in (ours, theirs) if len(s) > 1]
    variance = sum(part for part, _ in parts)
    if variance == 0 or rows < 2:
        return Difference(gain, gain - step, gain + step, 0.0, 1.0)
    freedom = variance**2 / sum(part**2 / own for part, own in parts)
    error = variance**0.5
    p = 2 * stats.t.sf(max(0.0, abs(gain) - step) / error, freedom)
    reach = stats.t.ppf((1 + LEVEL) / 2, freedom) * error + step
    return Difference(gain, float(gain - reach), float(gain + reach), error, float(p))


def holm(p: Sequence[float]) -> list[float]:
    """p values that stay right when many are looked at together (Holm 1979)."""
    adjusted, least = [0.0] * len(p), 0.0
    for done, place in enumerate(sorted(range(len(p)), key=lambda place: p[place])):
        least = max(least, min(1.0, p[place] * (len(p) - done)))
        adjusted[place] = least
    return adjusted


def _bootstrapped(truth: NDArray[Any], first: NDArray[Any], second: NDArray[Any]) -> float:
    """Variance of the difference in macro-F1 when other rows are drawn."""
    random = np.random.default_rng(0)
    rows = len(truth)
    draws = random.multinomial(rows, np.full(rows, 1 / rows), size=DRAWS).astype(np.float64)

    ours = sum(_macro_f1(truth, given, draws) for given in first) / len(first)
    theirs = sum(_macro_f1(truth, given, draws) for given in second) / len(second)
    return float(np.var(ours - theirs))


def _macro_f1(
    truth: NDArray[Any], answers: NDArray[Any], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Macro-F1 where row i counts counts[:, i] times: (D, B) → (D,)."""
    right, found = counts @ (truth * answers), counts @ (truth + answers)  # (D, L)
    f1 = 2 * right / np.maximum(found, 1)
    present = found > 0  # a label that is neither true nor answered has no F1
    return np.asarray(f1.sum(axis=1) / np.maximum(present.sum(axis=1), 1))
