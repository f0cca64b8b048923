"""Defaults that follow from the training sentences, where a user gives no value."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Defaults:
    """Values for options that are None, by their names."""

    batch_size: int
    epochs: int

    @classmethod
    def derive(cls, sentences: int, tokens: int) -> Defaults:
        """From the number of training sentences and of all their tokens."""
        batch = 2 ** round(math.log2(max(sentences, 1) / 400))
        return cls(
            batch_size=int(min(32, max(8, batch))),
            epochs=min(30, max(8, round(6000 / math.sqrt(max(tokens, 1))))),
        )
