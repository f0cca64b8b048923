"""Whether probabilities mean what they say: of answers given with 80 %, are 80 % right?

Reliability diagram and expected calibration error (Guo et al. 2017, "On Calibration of Modern
Neural Networks") and the Brier score (1950). Plain NumPy, because a model is looked at where it
answers; the tests compare with scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.errors import DataError

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Decisions whose probability lies above `start` and up to `stop`; the first bin has 0 too.

    `said` is their mean probability, `came` the share that was right; None where there are none.
    """

    start: float
    stop: float
    count: int
    said: float | None
    came: float | None


@dataclass(frozen=True)
class Calibration:
    """How well probabilities agree with what came.

    `error` is the mean of |said - came| over the bins, each counted as often as it has decisions;
    `brier` the mean square of what was missing to 1 or 0. Both are 0 for a model that knows all.
    """

    count: int
    bins: tuple[Bin, ...]
    error: float
    brier: float


def calibration(
    probabilities: NDArray[np.floating[Any]], came: NDArray[Any], bins: int = BINS
) -> Calibration:
    """Compare the probabilities of decisions with what came of them.

    Args:
        probabilities: of M decisions, (M,), each from 0 to 1.
        came: whether it came so, (M,), True or 1, False or 0.
        bins: of equal width.

    Raises:
        DataError: there are no decisions.
    """
    if len(probabilities) == 0:
        raise DataError(
            "There are no answers whose probabilities could be compared with the truth."
        )
    said, right = probabilities.astype(np.float64), came.astype(np.float64)
    edges = np.arange(bins + 1) / bins
    places = np.clip(np.searchsorted(edges, said, side="left") - 1, 0, bins - 1)
    counts = np.bincount(places, minlength=bins)
    least = np.maximum(counts, 1)
    means = np.bincount(places, said, bins) / least
    shares = np.bincount(places, right, bins) / least
    return Calibration(
        len(said),
        tuple(
            Bin(start, stop, count, *((mean, share) if count else (None, None)))
            for start, stop, count, mean, share in zip(
                edges[:-1].tolist(),
                edges[1:].tolist(),
                counts.tolist(),
                means.tolist(),
                shares.tolist(),
                strict=True,
            )
        ),
        float((abs(means - shares) * counts).sum() / len(said)),
        float(((said - right) ** 2).mean()),
    )
