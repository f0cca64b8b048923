"""Defaults that follow from the training rows, where a user gives no value.

One rule for all data, found on the dev rows of five public sets (see docs/benchmarks.md): small
data wants a small network, many passes and small batches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SMALL = 250_000
"""Training tokens below which data counts as small."""
WITHOUT_SUBWORDS = 0.1
"""Embedding dropout where a word that is left out cannot be known by its pieces."""
LARGEST_LINEAR = 2**21
"""Weights of the linear part, at most: 8 MB."""


@dataclass(frozen=True)
class Defaults:
    """Values for options that are None, by their names."""

    embedding_size: int
    hidden_size: int
    subwords: int
    token_pairs: int
    embedding_dropout: float
    batch_size: int
    epochs: int

    @classmethod
    def derive(cls, rows: int, tokens: int, labels: int) -> Defaults:
        """From the number of training rows, of all their tokens and of the labels."""
        small = tokens < SMALL
        pairs = 2**16 if small else 2**19
        while pairs * labels > LARGEST_LINEAR:
            pairs //= 2
        batch = 2 ** round(math.log2(max(rows, 1) / 700))
        return cls(
            embedding_size=64 if small else 128,
            hidden_size=64 if small else 128,
            subwords=2**14 if small else 2**15,
            token_pairs=pairs,
            embedding_dropout=0.3 if small else 0.5,
            batch_size=int(min(64, max(16, batch))),
            epochs=min(30, max(4, round(2450 / math.sqrt(max(tokens, 1))))),
        )
