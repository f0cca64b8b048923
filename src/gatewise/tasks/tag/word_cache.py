"""What words are to the first layer, cached: most words of a text were met before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
MOST_CACHED = 32_000_000
"""Numbers of words that were met, at most: 128 MB."""


class _Table:
    """A row of numbers for every word. A row that is there never changes."""

    def __init__(self) -> None:
        self.row: dict[str, int] = {}
        self.numbers = np.empty((0, 0), np.float32)

    def add(self, words: Sequence[str], numbers: Floats) -> None:
        first, count = len(self.row), len(self.row) + len(words)
        if count >= len(self.numbers):
            larger = np.empty((count + count // 2 + 256, numbers.shape[1]), np.float32)
            if first:
                larger[:first] = self.numbers[:first]
            self.numbers = larger
        self.numbers[first:count] = numbers
        # Last, so that whoever finds the row of a word finds its numbers too.
        self.row.update(zip(words, range(first, count), strict=True))


class WordCache:
    """The numbers of tokens that do not depend on other tokens; each is computed once.

    Args:
        compute: the numbers of different tokens, (U, E), and with how many threads.
    """

    def __init__(self, compute: Callable[[Sequence[str], int | None], Floats]) -> None:
        self._compute = compute
        self._table = _Table()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return WordCache, (self._compute,)  # copies meet all words anew

    def look_up(self, tokens: Sequence[str], threads: int | None) -> tuple[Floats, Places]:
        """The numbers of all words that were met, (M, E), and the row of every token, (N,)."""
        table = self._table
        wanted = set(tokens)
        # The first call makes the table as wide as words are, also where it brings none.
        if not table.numbers.shape[1] or not wanted <= table.row.keys():
            with self._lock:
                table = self._table
                fresh = sorted(wanted.difference(table.row))
                made = self._compute(fresh, threads)
                if (len(table.row) + len(fresh)) * made.shape[1] > MOST_CACHED:
                    # Replaced, not emptied: another thread may be reading it.
                    table, fresh = _Table(), sorted(wanted)
                    made = self._compute(fresh, threads)
                    self._table = table
                table.add(fresh, made)
        rows = np.fromiter(map(table.row.__getitem__, tokens), np.int64, len(tokens))
        return table.numbers, rows
