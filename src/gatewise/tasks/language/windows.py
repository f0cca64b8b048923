"""Windows: how a long row of tokens is read side by side and piece by piece.

The row is cut into equal columns that are read side by side; a window is the next few tokens of
every column (truncated backpropagation through time, Williams & Peng 1990). Windows vary in length
and every epoch starts elsewhere, so that a token does not always stand at the same place of one
(Merity et al. 2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HALVED = 0.05
"""Share of the windows that are about half as long."""
SPREAD = 1 / 14
"""Standard deviation of a window's length, as a share of it; windows of 70 vary by 5."""


@dataclass(frozen=True, eq=False)
class Window:
    """Rows of a ragged batch, each a part of one column; N tokens in R rows, C columns.

    Args:
        ids: what is read, (N,).
        following: the token after each, (N,).
        previous: the token before some of them, (P,).
        preceded: which ones: all but those that a text starts with, where texts stand apart, (P,).
        offsets: where rows start and end, (R + 1,).
        first: the row that every column starts with, (C,).
        continues: whether that row goes on where the column's last window ended, (C,).
        fresh: whether nothing was read before this window.
    """

    ids: NDArray[np.int32]
    following: NDArray[np.int64]
    previous: NDArray[np.int64]
    preceded: NDArray[np.int64]
    offsets: NDArray[np.int64]
    first: NDArray[np.int64]
    continues: NDArray[np.bool_]
    fresh: bool

    @property
    def tokens(self) -> int:
        """Tokens of all rows together, N."""
        return len(self.ids)

    @property
    def last(self) -> NDArray[np.int64]:
        """The row that every column ends with, (C,)."""
        return np.append(self.first[1:], len(self.offsets) - 1) - 1


@dataclass(frozen=True, eq=False)
class Windows:
    """Cuts a row of tokens into windows.

    Args:
        ids: all tokens, an end behind every text, (N,).
        columns: read side by side, C; fewer if there are not two tokens for each.
        bptt: tokens of a window and column, on average.
        end: the token between texts, where a new row starts; None where texts are joined.
    """

    ids: NDArray[np.int32]
    columns: int
    bptt: int
    end: int | None = None

    @property
    def height(self) -> int:
        """Tokens of a column."""
        return max(1, len(self.ids) // self.width)

    @property
    def width(self) -> int:
        """Columns there are."""
        return max(1, min(self.columns, len(self.ids) // 2))

    def lengths(self, seed: int, epoch: int) -> list[int]:
        """Length of every window of an epoch."""
        random = np.random.default_rng((seed, epoch))
        lengths, left = [], self.height
        while left > 0:
            usual = self.bptt / 2 if random.random() < HALVED else self.bptt
            length = max(1, round(random.normal(usual, SPREAD * self.bptt)))
            lengths.append(min(length, left))
            left -= lengths[-1]
        return lengths

    def epoch(self, seed: int, epoch: int) -> Iterator[Window]:
        """The windows of an epoch, by its number from 1."""
        start = int(np.random.default_rng((seed, epoch, 1)).integers(len(self.ids)))
        return self._windows(self.lengths(seed, epoch), start)

    def in_order(self) -> Iterator[Window]:
        """Equal windows from the first token on: to score, not to train."""
        whole, rest = divmod(self.height, self.bptt)
        # The token that stands for an end before the first one is the last of all.
        return self._windows([self.bptt] * whole + [rest] * (rest > 0), len(self.ids) - 1)

    def _windows(self, lengths: list[int], start: int) -> Iterator[Window]:
        columns = start + np.arange(self.width)[:, None] * self.height
        done = 0
        for length in lengths:
            read = self.ids.take(columns + done + np.arange(-1, length + 1), mode="wrap")
            yield self._window(read, done == 0)
            done += length

    def _window(self, read: NDArray[np.int32], fresh: bool) -> Window:
        """From what columns read, (C, T), with one token more before and behind."""
        previous, ids, following = read[:, :-2], read[:, 1:-1], read[:, 2:]
        length = ids.shape[1]
        starts = np.zeros(ids.shape, np.bool_)
        if self.end is not None:
            starts = ids == self.end
        continues = ~starts[:, 0]
        preceded = np.flatnonzero(~starts)
        starts[:, 0] = True
        offsets = np.append(np.flatnonzero(starts), ids.size)
        first = np.searchsorted(offsets, np.arange(len(ids)) * length)
        return Window(
            ids.ravel(),
            following.ravel().astype(np.int64),
            previous.ravel()[preceded].astype(np.int64),
            preceded,
            offsets,
            first,
            continues,
            fresh,
        )
