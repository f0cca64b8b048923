"""Defaults that follow from the training pairs, where a user gives no value."""

from __future__ import annotations

import math
from dataclasses import dataclass

SAMPLES = 2048
"""Classes that a step scores of a vocabulary at least half as large again."""


@dataclass(frozen=True)
class Defaults:
    """Values for options that are None, by their names."""

    batch_size: int
    epochs: int
    samples: int

    @classmethod
    def derive(cls, pairs: int, tokens: int, classes: int) -> Defaults:
        """From the number of training pairs, of the tokens of their targets and of the classes."""
        batch = 2 ** round(math.log2(max(pairs, 1) / 100))
        return cls(
            batch_size=int(min(128, max(16, batch))),
            epochs=min(40, max(8, round(20_000 / math.sqrt(max(tokens, 1))))),
            samples=SAMPLES if classes >= 1.5 * SAMPLES else 0,
        )
