"""What all units of one direction of one layer did over the texts of a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.encoder import Floats
from gatewise.errors import DataError
from gatewise.explanation import Word, read

MOST_TOKENS = 200_000
"""Tokens of a file whose states are kept: 100 MB for 128 units."""


@dataclass(frozen=True)
class States:
    """States after every one of N tokens of B texts: of the cell if there is one.

    Attributes:
        words: of every text, the tokens that were read.
        offsets: where the texts start and end, (B + 1,).
        backward: whether the last token of a text was read first.
        values: (N, H).
    """

    words: Sequence[Sequence[Word]]
    offsets: NDArray[np.int64]
    backward: bool
    values: Floats

    @cached_property
    def names(self) -> tuple[list[str], NDArray[np.int64]]:
        """All different words, in lower case, and the number of every token's word, (N,)."""
        said = [word.text.lower() for row in self.words for word in row]
        numbers = {word: number for number, word in enumerate(dict.fromkeys(said))}
        return list(numbers), np.array([numbers[word] for word in said])

    def steps(self, unit: int) -> Floats:
        """How much every token moved a unit, (N,): its state less that before, 0 at the start."""
        column, filled = self.values[:, unit], self.offsets[:-1] < self.offsets[1:]
        before = np.zeros_like(column)
        if self.backward:
            before[:-1] = column[1:]
            before[self.offsets[1:][filled] - 1] = 0
        else:
            before[1:] = column[:-1]
            before[self.offsets[:-1][filled]] = 0
        return column - before

    def final(self) -> tuple[Floats, NDArray[np.int64]]:
        """The states after the last token that was read, and the texts that have any tokens."""
        filled = np.flatnonzero(self.offsets[:-1] < self.offsets[1:])
        places = self.offsets[filled] if self.backward else self.offsets[filled + 1] - 1
        return self.values[places], filled


def states(model: Any, texts: Iterable[str], layer: int) -> States:
    """Read as many texts as fit, at least one.

    Args:
        model: a fitted model.
        texts: of a file.
        layer: which layer and direction, by its place in an explanation.

    Raises:
        DataError: no text has any token, or one has too many to be explained.
    """
    rows: list[Floats] = []
    words: list[Sequence[Word]] = []
    offsets, backward = [0], False
    for reading in read(model, texts):
        trace = reading.layers[layer]
        if rows and offsets[-1] + len(trace.hidden) > MOST_TOKENS:
            break
        rows.append((trace.hidden if trace.cell is None else trace.cell).copy())  # the gates go
        words.append(reading.words)
        offsets.append(offsets[-1] + len(rows[-1]))
        backward = trace.direction == "backward"
    if not offsets[-1]:
        raise DataError("The texts of the file have no words that a unit could follow.")
    return States(words, np.array(offsets), backward, np.concatenate(rows))
