"""Linear chains: sums over all paths of labels, for the conditional random field.

A path through T tokens scores start[y1] + s1[y1] + transitions[y1, y2] + … + end[yT]. The sums over
all paths run forwards and backwards (Lafferty, McCallum & Pereira 2001; Rabiner 1989), all
sequences of a ragged batch side by side, in float64. `nn.crf` learns from them, answers take their
marginals, and the tests compare them with an enumeration of every path.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
LOWEST = -1e300
"""Stands for -inf where a number has to be subtracted."""


class Chain(NamedTuple):
    """What a path scores beside its tokens: (L, L) from a label to the next, (L,) and (L,) at its
    ends. -inf forbids.
    """

    transitions: NDArray[Any]
    start: NDArray[Any]
    end: NDArray[Any]


class Walk(NamedTuple):
    """All sequences side by side: the first tokens of all, then all second ones, and so on.

    Attributes:
        order: the S sequences that are not empty, longest first.
        counts: (T,), how many have a token at that step; never rises.
        starts: (T,), where the rows of a step start.
        rows: (N,), for every row of the walk its row in the ragged batch.
        ranks: (N,), for every row of the walk its sequence, as a place in `order`.
        lasts: (S,), the row of the walk that is a sequence's last token.
    """

    order: NDArray[np.int64]
    counts: NDArray[np.int64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    ranks: NDArray[np.int64]
    lasts: NDArray[np.int64]

    @property
    def steps(self) -> list[slice]:
        """The rows of every step."""
        return [
            slice(start, start + count)
            for start, count in zip(self.starts.tolist(), self.counts.tolist(), strict=True)
        ]

    @property
    def before(self) -> NDArray[np.int64]:
        """For every row of the walk from the second step on, the row of the token before."""
        firsts = int(self.counts[0]) if len(self.counts) else 0
        before = np.repeat(self.starts[:-1], self.counts[1:])
        return np.asarray(before + self.ranks[firsts:])


def side_by_side(offsets: NDArray[np.int64]) -> Walk:
    """How the sequences of a ragged batch are walked, whose offsets are (B + 1,)."""
    lengths = np.diff(offsets)
    order = np.argsort(-lengths, kind="stable")[: np.count_nonzero(lengths)]
    present = np.arange(lengths.max(initial=0))[:, None] < lengths[order]  # (T, S)
    counts = present.sum(axis=1)
    starts = np.cumsum(counts) - counts
    rows = (offsets[order] + np.arange(len(counts))[:, None])[present]
    ranks = np.arange(len(rows)) - np.repeat(starts, counts)
    lasts = starts[lengths[order] - 1] + np.arange(len(order))
    return Walk(order, counts, starts, rows, ranks, lasts)


class Sums:
    """The sums over all paths of a batch; rows are those of the walk.

    Args:
        scores: of every label for every token, (N, L), in the order of the walk.
        walk: how the sequences stand side by side.
        chain: what paths score beside their tokens.
    """

    def __init__(self, scores: NDArray[Any], walk: Walk, chain: Chain) -> None:
        self._scores = scores.astype(np.float64)
        self._walk = walk
        self._chain = Chain(*(part.astype(np.float64) for part in chain))
        self._steps = walk.steps
        self._forward = self._summed_forward()
        self.log_total = _log_sum(self._forward[walk.lasts] + self._chain.end)
        """Logarithm of the sum over all paths of exp(score), for every sequence of the walk."""

    def marginals(self) -> Doubles:
        """Probability of every label at every row of the walk, (N, L)."""
        both = self._forward + self._backward - self.log_total[self._walk.ranks][:, None]
        return np.asarray(np.exp(both))

    def transitions(self) -> Doubles:
        """How often each label is expected to follow each, over all sequences, (L, L)."""
        expected = np.zeros_like(self._chain.transitions)
        for last, rows in pairwise(self._steps):
            before = self._forward[last][: rows.stop - rows.start]
            behind = self._scores[rows] + self._backward[rows]
            behind -= self.log_total[: len(behind), None]
            pairs = before[:, :, None] + self._chain.transitions + behind[:, None]
            expected += np.exp(pairs).sum(axis=0)
        return expected

    def _summed_forward(self) -> Doubles:
        """Log-sums over the paths up to every row and label, that row's score in them."""
        sums = np.empty_like(self._scores)
        to_from = np.ascontiguousarray(self._chain.transitions.T)
        for step, rows in enumerate(self._steps):
            reached = self._chain.start
            if step:
                before = sums[self._steps[step - 1]][: rows.stop - rows.start]
                reached = _log_sum(before[:, None] + to_from)
            sums[rows] = reached + self._scores[rows]
        return sums

    @cached_property
    def _backward(self) -> Doubles:
        """Log-sums over the paths behind every row and label, that row's score not in them."""
        sums = np.empty_like(self._scores)
        sums[:] = self._chain.end
        for rows, behind in reversed(list(pairwise(self._steps))):
            after = self._scores[behind] + sums[behind]
            sums[rows][: len(after)] = _log_sum(self._chain.transitions + after[:, None])
        return sums


def _log_sum(values: Doubles) -> Doubles:
    """log(sum(exp(values))) over the last axis, -inf where all are."""
    top = np.maximum(values.max(axis=-1, initial=LOWEST), LOWEST)
    with np.errstate(divide="ignore"):  # of nothing but -inf
        return np.asarray(top + np.log(np.exp(values - top[..., None]).sum(axis=-1)))
