"""Defaults that follow from the training sentences, where a user gives no value.

Two rules, found on the dev sentences of two public sets (see docs/tag.md): few sentences want a
small network, much dropout, many passes and small batches; many want pieces of words as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SMALL = 100_000
"""Training tokens below which data counts as small."""
TINY = 1_000
"""Training tokens below which every word is learned: there may be none that occurs twice."""


@dataclass(frozen=True)
class Defaults:
    """Values for options that are None, by their names."""

    min_count: int
    subwords: int
    shape_size: int
    near_vectors: bool
    hidden_size: int
    embedding_dropout: float
    dropout: float
    batch_size: int
    epochs: int

    @classmethod
    def derive(cls, sentences: int, tokens: int) -> Defaults:
        """From the number of training sentences and of all their tokens."""
        small = tokens < SMALL
        batch = 2 ** round(math.log2(max(sentences, 1) / 250))
        return cls(
            min_count=2 if TINY <= tokens < SMALL else 1,
            subwords=0 if small else 2**15,
            shape_size=16 if small else 0,
            near_vectors=small,
            hidden_size=100 if small else 200,
            embedding_dropout=0.6 if small else 0.3,
            dropout=0.5 if small else 0.4,
            batch_size=int(min(32, max(8, batch))),
            epochs=min(30, max(8, round(6000 / math.sqrt(max(tokens, 1))))),
        )
