"""Tokens and token pairs of a text as hashed features, weighed as TF-IDF weighs them.

What makes linear models strong on long texts; a classifier answers with them beside its recurrent
layers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gatewise.ragged import Ragged, reduce_rows

SCALE = 5.0
"""Length of a text's features: long enough for AdamW's steps to move its scores."""
_FIRST = np.uint64(0x9E3779B97F4A7C15)
_SECOND = np.uint64(0xC2B2AE3D27D4EB4F)


def pair_buckets(ids: Ragged, known: int, buckets: int) -> Ragged:
    """The different buckets, from 0, of every text's tokens and neighbouring tokens: int64 rows.

    Args:
        ids: token ids of B texts; those from `known` on count as the unknown token.
        known: number of known ids, V.
        buckets: number of buckets, at most 2**24.
    """
    if not len(ids.values):
        return Ragged(np.empty(0, np.int64), ids.offsets)
    found = placed_buckets(ids.values, known, buckets)
    if len(ids) == 1:  # half the work: there are no other texts to keep apart
        found = _different(found)
        return Ragged(found, np.array([0, len(found)]))
    starts = np.arange(0, (len(ids) + 1) * buckets, buckets)  # every text has buckets of its own
    text = starts[:-1].repeat(ids.lengths)
    found += np.concatenate([text, text[1:]])
    inside = np.ones(len(found), np.bool_)
    np.equal(text[:-1], text[1:], out=inside[len(text) :])
    found = _different(found[inside])
    return Ragged(found % buckets, found.searchsorted(starts))


def placed_buckets(values: NDArray[np.int32], known: int, buckets: int) -> NDArray[np.int64]:
    """The bucket of every token, and behind them those of all neighbours: (N,) → (2 N - 1,).

    Arguments as `pair_buckets`; there is at least one token.
    """
    numbers = np.where(values < known, values, 0).astype(np.uint64) + np.uint64(1)
    single = numbers * _FIRST
    pair = single[:-1] ^ (numbers[1:] * _SECOND)
    hashed = np.concatenate([single, pair]) >> np.uint64(32)
    return (hashed % np.uint64(buckets)).view(np.int64)


def placed_scores(
    values: NDArray[np.int32],
    known: int,
    weight: NDArray[np.float32],
    rarity: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What every token and every pair of one text adds to `pair_scores`: (T, L), (T - 1, L).

    A bucket counts once, however often it occurs: all that fall into it share what it adds.
    Together with the bias they are the scores. Arguments as `pair_scores`.
    """
    if not len(values):
        return weight[:0], weight[:0]
    buckets = placed_buckets(values, known, len(weight))
    found, places, counts = np.unique(buckets, return_inverse=True, return_counts=True)
    row = Ragged(found, np.array([0, len(found)]))
    shares = weight.take(found, axis=0) * (SCALE * weighed(row, rarity) / counts)[:, None]
    placed = np.asarray(shares[places], np.float32)
    return placed[: len(values)], placed[len(values) :]


def rarity(rows: Ragged, buckets: int) -> NDArray[np.float32]:
    """How much every bucket counts: its inverse document frequency, (buckets,)."""
    texts = np.bincount(rows.values, minlength=buckets)
    return (1 + np.log((1 + len(rows)) / (1 + texts))).astype(np.float32)


def weighed(rows: Ragged, rarity: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weight of every feature in its text, (N,): each text's weights have the length 1."""
    weights = rarity.take(rows.values)
    return np.asarray(weights / _lengths(weights, rows).repeat(rows.lengths), np.float32)


def pair_scores(
    ids: Ragged,
    known: int,
    weight: NDArray[np.float32],
    bias: NDArray[np.float32],
    rarity: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Scores of every label from tokens and pairs alone, as `nn.PairScores` learns them: (B, L).

    Args:
        ids: token ids of B texts.
        known: number of known ids.
        weight: (buckets, L).
        bias: (L,).
        rarity: how much every bucket counts, (buckets,).
    """
    rows = pair_buckets(ids, known, len(weight))
    weights = rarity.take(rows.values)
    sums = reduce_rows(np.add, weight.take(rows.values, axis=0) * weights[:, None], rows)
    return bias + sums * (SCALE / _lengths(weights, rows))[:, None]


def _different(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The different values in rising order, of one or more: np.unique without its detours."""
    values.sort()
    new = np.empty(len(values), np.bool_)
    new[0] = True
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return values[new]


def _lengths(weights: NDArray[np.float32], rows: Ragged) -> NDArray[np.float32]:
    """Euclidean length of every row, (N,) → (B,), and next to nothing for an empty one."""
    return np.sqrt(np.maximum(reduce_rows(np.add, weights * weights, rows), np.float32(1e-12)))
