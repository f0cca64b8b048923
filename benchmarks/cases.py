"""The layers that the benchmark of the recurrent layer times, and the lengths of their texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gatewise.cells import CELLS

Lengths = NDArray[np.int64]
LENGTHS: dict[str, Callable[[Generator, int], Lengths]] = {
    "imdb": lambda random, n: random.lognormal(5.2, 0.6, n).clip(10, 400).astype(np.int64),
    "180-200": lambda random, n: random.integers(180, 201, n),
    "equal": lambda random, n: np.full(n, 200),
}
POOL = 64
"""Batches whose rows an expert sorts by length together."""


@dataclass(frozen=True)
class Case:
    """One layer over a batch of B texts: E inputs, H units, D directions, kind of lengths."""

    cell: str
    texts: int
    inputs: int
    size: int
    directions: int = 1
    kind: str = "imdb"

    @property
    def title(self) -> str:
        """The row's name in the tables."""
        both = ", bidirectional" if self.directions == 2 else ""
        sizes = f"B {self.texts}, E {self.inputs}, H {self.size}"
        return f"{self.cell.upper()} {sizes}{both}, {self.kind}"

    def lengths(self) -> Lengths:
        """Tokens of every text, longest first, as torch wants to have them."""
        return np.sort(LENGTHS[self.kind](np.random.default_rng(1), self.texts))[::-1].copy()

    def sorted_lengths(self) -> list[Lengths]:
        """Four batches out of rows that were sorted by length, from the longest to the shortest."""
        pool = np.sort(LENGTHS[self.kind](np.random.default_rng(2), POOL * self.texts))[::-1]
        batches = pool.reshape(POOL, self.texts)[POOL // 8 :: POOL // 4]
        return [lengths.copy() for lengths in batches]

    def work(self) -> float:
        """Useful floating-point operations of a forward pass; a training pass has 3 times them."""
        gates = len(CELLS[self.cell].gates)
        tokens = float(self.lengths().sum())
        return 2 * gates * self.size * (self.inputs + self.size) * tokens * self.directions


CASES = [
    Case("lstm", 32, 64, 128),
    Case("lstm", 32, 64, 128, directions=2),
    Case("lstm", 32, 64, 128, kind="180-200"),
    Case("lstm", 32, 64, 128, kind="equal"),
    Case("gru", 32, 64, 128),
    Case("lstm", 64, 300, 512),
]
LARGER = [
    Case("lstm", 64, 64, 128),
    Case("lstm", 32, 128, 256),
    Case("lstm", 32, 128, 256, directions=2),
    Case("lstm", 32, 128, 256, kind="equal"),
    Case("lstm", 64, 300, 512, kind="180-200"),
    Case("lstm", 16, 400, 1150),
    Case("lstm", 16, 400, 1150, kind="180-200"),
]
