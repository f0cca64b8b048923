"""Beam search over many texts at once, with length normalisation.

Every text keeps its most probable beginnings; one that ends gives its place up (Bahdanau et al.
2015), so that a text gets cheaper while it is being written, and costs nothing once it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
Tokens = NDArray[np.int32]


class Writer(Protocol):
    """What says how likely the next tokens are."""

    def next(
        self, texts: Places, parents: Places, tokens: Tokens, count: int
    ) -> tuple[Tokens, NDArray[np.float64]]:
        """The `count` likeliest next tokens of R beginnings and their log-probabilities, (R, C).

        There may be fewer, where there are not so many tokens. Ids of tokens that cannot follow,
        whose logarithm is -inf, say nothing.

        Args:
            texts: which text each belongs to, rising, (R,).
            parents: the row of the last call that each goes on from, (R,); in the first call all
                start anew.
            tokens: what it goes on with, (R,); in the first call the end of a text.
            count: how many are asked for.
        """


class Hypothesis(NamedTuple):
    """What was written for a text.

    Args:
        tokens: ids, without the end.
        score: log-probability in nats, over the length to the power of the penalty.
        log_probability: of the tokens and the end, in nats.
        cut: whether it came to the limit without an end.
    """

    tokens: list[int]
    score: float
    log_probability: float
    cut: bool

    def written(self, end: int) -> NDArray[np.int32]:
        """All that was written, with the end unless it was cut."""
        return np.array([*self.tokens, *[end] * (not self.cut)], np.int32)


def beam_search(
    writer: Writer,
    limits: NDArray[np.int64],
    *,
    end: int,
    beam: int,
    length_penalty: float = 1.0,
    forbidden: Sequence[int] = (),
) -> list[list[Hypothesis]]:
    """The best texts that a writer may write.

    Args:
        writer: says how likely tokens are.
        limits: tokens that each of B texts may have at most, its end counted, (B,).
        end: the token that ends a text.
        beam: beginnings of a text that are kept; 1 is a greedy search.
        length_penalty: power of a text's length, its end counted, by which its log-probability is
            divided: 0 prefers short texts, 1 goes by the mean of the tokens.
        forbidden: tokens that are never written.

    Returns:
        For every text its hypotheses, best score first; those that were cut stand last. There are
        as many as the beam is wide, fewer only where there are not so many texts.
    """
    found: list[list[Hypothesis]] = [[] for _ in limits]
    free = np.full(len(limits), beam)  # places of a text that no ended hypothesis has taken
    texts = np.arange(len(limits))
    parents, tokens = texts, np.full(len(limits), end, np.int32)
    totals = np.zeros(len(limits))
    steps: list[tuple[Places, Tokens]] = []
    while len(texts):
        ids, values = writer.next(texts, parents, tokens, beam + len(forbidden))
        values = np.where(np.isin(ids, forbidden), -np.inf, values)
        steps.append((parents, tokens))
        rows, columns = _best(totals[:, None] + values, texts, free)
        totals = totals[rows] + values[rows, columns]
        tokens, texts, parents = ids[rows, columns], texts[rows], rows
        ended = tokens == end
        over = ended | (len(steps) >= limits[texts])
        for place in np.flatnonzero(over).tolist():
            written = _traced(steps, int(parents[place]))
            if not ended[place]:
                written.append(int(tokens[place]))
            total = float(totals[place])
            score = total / len(steps) ** length_penalty
            found[texts[place]].append(Hypothesis(written, score, total, not ended[place]))
        np.subtract.at(free, texts[over], 1)
        texts, parents, tokens, totals = (each[~over] for each in (texts, parents, tokens, totals))
    return [sorted(each, key=lambda one: (one.cut, -one.score)) for each in found]


def _best(
    totals: NDArray[np.float64], texts: Places, free: NDArray[np.int64]
) -> tuple[Places, Places]:
    """The best continuations of every text, as many as it has places free.

    Args:
        totals: log-probability of every continuation, (R, C).
        texts: which text a row belongs to, rising, (R,).
        free: places of every text, (B,).

    Returns:
        Their rows, rising by text, and columns.
    """
    width = totals.shape[1]
    groups, first, sizes = np.unique(texts, return_index=True, return_counts=True)
    group = np.repeat(np.arange(len(groups)), sizes)
    side = np.full((len(groups), int(sizes.max()), width), -np.inf)
    side[group, np.arange(len(texts)) - first[group]] = totals
    flat = side.reshape(len(groups), -1)
    most = min(int(free[groups].max()), flat.shape[1])
    order = np.argsort(-flat, axis=1, kind="stable")[:, :most]
    taken = np.arange(most) < free[groups, None]
    taken &= np.take_along_axis(flat, order, axis=1) > -np.inf
    where, _ = np.nonzero(taken)
    return first[where] + order[taken] // width, order[taken] % width


def _traced(steps: Sequence[tuple[Places, Tokens]], row: int) -> list[int]:
    """The tokens that a row of the last step was written with, without the end before them."""
    tokens = []
    for parents, taken in reversed(steps[1:]):
        tokens.append(int(taken[row]))
        row = int(parents[row])
    return tokens[::-1]
