"""What AdamW and the running average do to rows of a table while they have no gradient.

A row that rests is moved on all the same: AdamW's moments fade and push it a little further, weight
decay shrinks it, and the average follows. All of that is linear in the row as it was at its last
gradient. Its weights w, their average a, and AdamW's moments m and v become, n steps later,

    w' = shrunk * w - moved * u         u = m / (sqrt(v) + epsilon)
    a' = kept * a + taken * w - followed * u
    m' = beta1^n * m
    v' = beta2^n * v

with seven numbers that depend on nothing but the step of the last gradient. So a row is brought up
to now when it is read next, and the numbers are those of an AdamW that moves every row in every
step (Loshchilov & Hutter 2019), but for rounding and for epsilon, which here fades as sqrt(v) does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8
"""AdamW's constants, torch's defaults."""
WINDOW = 1024
"""Steps that a row may rest, at most: every step costs some microseconds for each thousand."""


class MissedSteps:
    """The last steps of a run, and what a row needs that rests since any of them: seven numbers.

    Every step is told by `advance`. When `full`, no more fit: all rows must be brought up to now.

    Args:
        weight_decay: of AdamW.
    """

    def __init__(self, weight_decay: float) -> None:
        self.step = 0
        """Steps made."""
        self._weight_decay = weight_decay
        self._first = 0
        self._numbers = np.empty((7, WINDOW + 1))
        self._begin()

    @property
    def full(self) -> bool:
        """Whether all rows must be brought up to now, and `restart` called, before a step."""
        return self.step - self._first == WINDOW

    @property
    def epsilon(self) -> float:
        """What AdamW adds to sqrt(v), without its correction of v: never 0."""
        return EPS * math.sqrt(1 - BETA2 ** max(self.step, 1))

    def restart(self) -> None:
        """Forget all steps but the last: no row rests since longer."""
        self._first = self.step
        self._begin()

    def advance(self, rate: float, average_kept: float) -> None:
        """A step was made.

        Args:
            rate: of AdamW in this step.
            average_kept: share of the old average in the new one; 1 if it was left as it was.
        """
        before = self.step - self._first
        self.step += 1
        shrunk, moved, kept, taken, followed, mean, square = self._numbers[:, : before + 1]
        mean *= BETA1
        square *= BETA2
        size = rate * math.sqrt(1 - BETA2**self.step) / (1 - BETA1**self.step)
        shrunk *= 1 - rate * self._weight_decay
        moved *= 1 - rate * self._weight_decay
        moved += size * mean / np.sqrt(square)
        if average_kept < 1:
            kept *= average_kept
            taken *= average_kept
            taken += (1 - average_kept) * shrunk
            followed *= average_kept
            followed += (1 - average_kept) * moved
        self._begin()

    def since(self, steps: NDArray[np.int64]) -> NDArray[Any]:
        """The seven numbers of rows whose last gradient came in these steps: (R,) → (7, R).

        In the order shrunk, moved, kept, taken, followed, beta1^n, beta2^n.

        Args:
            steps: by number; none is older than the last `restart`.
        """
        return self._numbers[:, steps - self._first]

    def _begin(self) -> None:
        """Rows whose gradient came in the last step are up to now."""
        self._numbers[:, self.step - self._first] = 1, 0, 1, 0, 0, 1, 1
