"""Beam search over many texts at once, with length normalisation.

Every text keeps its most probable beginnings; one that ends gives its place up (Bahdanau et al.
2015), so that a text gets cheaper while it is being written, and costs nothing once it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
Likeliest = tuple[NDArray[np.int32], NDArray[np.float64]]
BLOCKS = 256
"""Blocks of classes whose greatest score is looked for first."""
FEWEST_ROWS = 32
"""Rows that are worth another thread."""
LARGEST = 60.0
"""Scores up to which exponentials and their sums are within the numbers of float32."""


class Writer(Protocol):
    """What says how likely the next tokens are."""

    def next(self, texts: Places, parents: Places, tokens: NDArray[np.int32]) -> Iterator[Floats]:
        """Raw scores of all K tokens after R beginnings, some rows (r, K) at a time.

        The search changes them: what was yielded may be yielded again, with other scores in it.

        Args:
            texts: which text each belongs to, rising, (R,).
            parents: the row of the last call that each goes on from, (R,); in the first call all
                start anew.
            tokens: what it goes on with, (R,); in the first call the end of a text.
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
    threads: int = 1,
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
        threads: that look for the likeliest tokens.

    Returns:
        For every text its hypotheses, best score first; those that were cut stand last. There are
        as many as the beam is wide, fewer only where there are not so many texts.
    """
    chosen = partial(_likeliest, beam=beam, end=end, forbidden=forbidden)
    with ThreadPoolExecutor(threads) as pool:

        def likeliest(blocks: Iterator[Floats]) -> Iterator[Likeliest]:
            for scores in blocks:
                # All are done before the next block, which may be the same room again.
                count = min(threads, len(scores) // FEWEST_ROWS)
                if count > 1:
                    yield from [*pool.map(chosen, np.array_split(scores, count))]
                else:
                    yield chosen(scores)

        return _search(writer, limits, likeliest, end, beam, length_penalty)


def _search(
    writer: Writer,
    limits: NDArray[np.int64],
    likeliest: Callable[[Iterator[Floats]], Iterator[Likeliest]],
    end: int,
    beam: int,
    length_penalty: float,
) -> list[list[Hypothesis]]:
    """The search itself; `likeliest` says which tokens are looked at after every beginning."""
    found: list[list[Hypothesis]] = [[] for _ in limits]
    free = np.full(len(limits), beam)  # places of a text that no ended hypothesis has taken
    texts = np.arange(len(limits))
    parents, tokens = texts, np.full(len(limits), end, np.int32)
    totals = np.zeros(len(limits))
    steps: list[tuple[Places, NDArray[np.int32]]] = []
    while len(texts):
        blocks = writer.next(texts, parents, tokens)
        ids, values = (np.concatenate(each) for each in zip(*likeliest(blocks), strict=True))
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


def _likeliest(scores: Floats, *, beam: int, end: int, forbidden: Sequence[int]) -> Likeliest:
    """The end and the `beam` likeliest other tokens of every row, (r, C), and their logarithms."""
    ends = scores[:, end : end + 1].astype(np.float64)
    others = scores[:, forbidden]
    scores[:, [end, *forbidden]] = -np.inf
    ids = top(scores, min(beam, scores.shape[1] - 1))
    values = np.concatenate([ends, np.take_along_axis(scores, ids, axis=1)], axis=1)
    scores[:, end] = ends[:, 0]
    scores[:, forbidden] = others
    # All in place: new memory for so many scores takes longer than the exponentials.
    greatest = np.maximum(values.max(axis=1), others.max(axis=1, initial=-np.inf))[:, None]
    if not (np.abs(greatest) <= LARGEST).all():
        shift = greatest.astype(np.float32)
        np.subtract(scores, shift, out=scores)
        values -= shift
    sums = np.exp(scores, out=scores).sum(axis=1, keepdims=True)
    values -= np.log(sums, dtype=np.float64)
    return np.insert(ids, 0, end, axis=1).astype(np.int32), values


def top(scores: Floats, count: int) -> Places:
    """Places of the greatest scores of every row, in no order: (R, K) → (R, count).

    A first pass over the greatest of every block leaves few candidates to choose from, which is
    several times faster than choosing from all.
    """
    rows, classes = scores.shape
    if classes < 16 * BLOCKS or count >= BLOCKS:
        return np.argpartition(-scores, count - 1, axis=1)[:, :count]
    # Block b holds the classes b, b + BLOCKS, b + 2 * BLOCKS …
    height, rest = divmod(classes, BLOCKS)
    greatest = scores[:, : height * BLOCKS].reshape(rows, height, BLOCKS).max(axis=1)
    tail = scores[:, height * BLOCKS :]
    np.maximum(greatest[:, :rest], tail, out=greatest[:, :rest])
    blocks = np.argpartition(-greatest, count - 1, axis=1)[:, :count]
    places = (blocks[:, :, None] + BLOCKS * np.arange(height + 1)).reshape(rows, -1)
    inside = places < classes
    places[~inside] = 0
    values = np.where(inside, np.take_along_axis(scores, places, axis=1), -np.inf)
    best = np.argpartition(-values, count - 1, axis=1)[:, :count]
    return np.take_along_axis(places, best, axis=1)


def _traced(steps: Sequence[tuple[Places, NDArray[np.int32]]], row: int) -> list[int]:
    """The tokens that a row of the last step was written with, without the end before them."""
    tokens = []
    for parents, taken in reversed(steps[1:]):
        tokens.append(int(taken[row]))
        row = int(parents[row])
    return tokens[::-1]
