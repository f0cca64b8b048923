"""Ragged: rows of different lengths in one array, without padding.

The only container between the tokenizer and the head of a network. Row `i` is
`values[offsets[i] : offsets[i + 1]]`; rows may be empty. FlashAttention calls `offsets`
"cu_seqlens".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

NARROW = 16
"""Columns up to which one call of `reduceat` is faster than a call for every row.

Twenty to fifty times faster for one or two columns, forty times slower for 256.
"""


@dataclass(frozen=True, eq=False)
class Ragged:
    """Rows of different lengths: `values` (N, ...) and `offsets` (B + 1,), int64, rising from 0.

    Raises:
        ValueError: the offsets do not start at 0, fall, or do not end at the number of values.
    """

    values: NDArray[Any]
    offsets: NDArray[np.int64]

    def __post_init__(self) -> None:
        offsets = self.offsets
        if offsets.dtype != np.int64 or offsets.ndim != 1 or len(offsets) == 0:
            raise ValueError(
                "The offsets of a Ragged must be a one-dimensional int64 array of at least one "
                f"entry. Got {offsets.dtype} of shape {offsets.shape}."
            )
        falls = np.count_nonzero(offsets[1:] < offsets[:-1])
        if falls or offsets[0] != 0 or offsets[-1] != len(self.values):
            raise ValueError(
                f"The offsets of a Ragged must rise from 0 to {len(self.values)}, the number of "
                f"values. Got offsets from {offsets[0]} to {offsets[-1]}."
            )

    @classmethod
    def from_rows(cls, rows: Sequence[Any], dtype: Any = np.int32) -> Ragged:
        """Join rows (sequences or arrays with equal trailing shapes) into one Ragged."""
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        arrays = [np.asarray(row, dtype) for row in rows if len(row)]
        return cls(np.concatenate(arrays) if arrays else np.empty(0, dtype), offsets)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Length of every row, (B,)."""
        return self.offsets[1:] - self.offsets[:-1]  # np.diff takes thrice as long for one row

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> NDArray[Any]:
        if not -len(self) <= row < len(self):
            raise IndexError(f"Row {row} of a Ragged of {len(self)} rows does not exist.")
        row %= len(self)
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self.values[start:stop] for start, stop in pairwise(self.offsets))

    def take(self, rows: NDArray[np.integer[Any]]) -> Ragged:
        """The given rows, in the given order, as a new Ragged."""
        lengths = self.lengths[rows]
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        # Position of every value: its place inside its new row, moved to where its old row starts.
        places = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return Ragged(self.values[places], offsets)

    def ended(self, end: int) -> Ragged:
        """The same rows with one more value, an end, behind each."""
        values = np.insert(self.values, self.offsets[1:], end)
        return Ragged(values, self.offsets + np.arange(len(self) + 1))

    def before(self, first: int) -> NDArray[Any]:
        """The value before every value; before those that a row starts with stands `first`."""
        values = np.roll(self.values, 1)
        values[self.offsets[:-1][self.lengths > 0]] = first
        return values

    def shortened(self, longest: int) -> tuple[Ragged, int]:
        """Leave out the middle of rows that are longer than `longest`.

        Returns:
            The rows, and how many were shortened.
        """
        if len(self.values) <= longest:
            return self, 0
        cut = int(np.count_nonzero(self.lengths > longest))
        if not cut:
            return self, 0
        head = (longest + 1) // 2
        tail = longest - head
        rows = [
            row if len(row) <= longest else np.concatenate([row[:head], row[len(row) - tail :]])
            for row in self
        ]
        return Ragged.from_rows(rows, self.values.dtype), cut


def reduce_rows(
    function: np.ufunc, values: NDArray[np.float32], rows: Ragged
) -> NDArray[np.float32]:
    """Sum or greatest value of every row's values: (N, ...) → (B, ...), zeros for an empty row.

    Args:
        function: np.add or np.maximum.
        values: as many as `rows` has.
        rows: where rows start and end.
    """
    result = np.zeros((len(rows), *values.shape[1:]), np.float32)
    if math.prod(values.shape[1:]) > NARROW:
        for row, (start, stop) in enumerate(pairwise(rows.offsets.tolist())):
            if start < stop:
                function.reduce(values[start:stop], axis=0, out=result[row])
        return result
    filled = rows.lengths.nonzero()[0]
    if len(filled) == len(rows) > 0:
        return np.asarray(function.reduceat(values, rows.offsets[:-1], axis=0))
    if len(filled):
        # reduceat runs from each start to the next one; the empty rows between take no values.
        result[filled] = function.reduceat(values, rows.offsets[filled], axis=0)
    return result


def spaced(rows: Ragged, gap: int, filler: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Rows one behind another with a gap before, between and after them.

    A window of `gap + 1` values that slides over the result is in one row at most, and its places
    go from the row's first value alone to its last value alone.

    Args:
        rows: of one number a value, B rows of N values together.
        gap: how many fillers stand in each gap.
        filler: what stands there.

    Returns:
        The values (N + (B + 1) * gap,), and where the windows of every row start, (B + 1,): as many
        as the row has values, and `gap` more.
    """
    before = gap * np.arange(1, len(rows) + 1)
    values = np.full(len(rows.values) + (len(rows) + 1) * gap, filler, rows.values.dtype)
    values[np.arange(len(rows.values)) + np.repeat(before, rows.lengths)] = rows.values
    return values, rows.offsets + np.concatenate([np.zeros(1, np.int64), before])
