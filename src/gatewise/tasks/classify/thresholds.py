"""Thresholds: from which probability on a label is given, where a text can have many.

One half is right for accuracy; F1 of a rare label wants less.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

GRID = np.arange(0.02, 0.91, 0.01)
SMOOTH = 5
"""Neighbouring thresholds whose F1 is averaged: the best one shall not be best by luck."""
ENOUGH = 10
"""True rows that a label needs for a threshold of its own."""

FOLDS = 5


def best_thresholds(probabilities: NDArray[np.float32], truth: NDArray[Any]) -> tuple[float, ...]:
    """The threshold of every label with the greatest F1 on these rows.

    Labels with few true rows take the one that is best for all labels together.

    Args:
        probabilities: (B, L).
        truth: 0 or 1, (B, L).
    """
    curves = np.stack([_f1_curve(p, t) for p, t in zip(probabilities.T, truth.T, strict=True)])
    together = _peak(curves.mean(axis=0))
    return tuple(
        _peak(curve) if rows >= ENOUGH else together
        for curve, rows in zip(curves, truth.sum(axis=0), strict=True)
    )


def _f1_curve(probabilities: NDArray[np.float32], truth: NDArray[Any]) -> NDArray[np.float64]:
    """Smoothed F1 at every threshold of the grid."""
    order = np.sort(probabilities)
    true_order = np.sort(probabilities[truth > 0])
    given = len(order) - np.searchsorted(order, GRID)
    right = len(true_order) - np.searchsorted(true_order, GRID)
    f1 = 2 * right / np.maximum(given + len(true_order), 1)
    padded = np.pad(f1, SMOOTH // 2, mode="edge")
    return np.convolve(padded, np.ones(SMOOTH) / SMOOTH, mode="valid")


def _peak(curve: NDArray[np.float64]) -> float:
    """Where a curve is greatest; the middle of the places where it is."""
    best = np.flatnonzero(curve >= curve.max() - 1e-9)
    return round(float(GRID[best[len(best) // 2]]), 2)


def cross_fitted(probabilities: NDArray[np.float32], truth: NDArray[Any]) -> NDArray[np.int64]:
    """Answers (B, L) of 0 and 1 whose thresholds were never chosen on the rows they answer."""
    folds = min(FOLDS, len(truth))
    fold = np.arange(len(truth)) % folds
    answers = np.zeros(probabilities.shape, np.int64)
    for number in range(folds):
        mine = fold == number
        chosen = best_thresholds(probabilities[~mine], truth[~mine]) if folds > 1 else 0.5
        answers[mine] = probabilities[mine] >= np.asarray(chosen)
    return answers
