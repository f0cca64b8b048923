"""Defaults that follow from the training texts, where a user gives no value."""

from __future__ import annotations

import math
from dataclasses import dataclass

SMALL = 1_000_000
"""Training tokens below which data counts as small."""
SAMPLES = 4096
"""Classes that a step scores of a vocabulary at least half as large again."""


@dataclass(frozen=True)
class Defaults:
    """Values for options that are None, by their names."""

    hidden_size: int
    dropout: float
    batch_size: int
    epochs: int
    samples: int

    @classmethod
    def derive(cls, tokens: int, classes: int) -> Defaults:
        """From the number of training tokens and of the classes."""
        small = tokens < SMALL
        batch = 2 ** round(math.log2(max(tokens, 1) / 20_000))
        return cls(
            hidden_size=256 if small else 512,
            dropout=0.4 if small else 0.2,
            batch_size=int(min(64, max(16, batch))),
            epochs=min(20, max(4, round(20_000 / math.sqrt(max(tokens, 1))))),
            samples=SAMPLES if classes >= 1.5 * SAMPLES else 0,
        )
