"""Tokens and token pairs of a text as hashed features, weighed as TF-IDF weighs them.

What makes linear models strong on long texts; a classifier answers with them beside its recurrent
layers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gatewise.ragged import Ragged

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
    values = np.where(ids.values < known, ids.values, 0).astype(np.uint64)
    text = np.repeat(np.arange(len(ids)), ids.lengths)
    single = (values + np.uint64(1)) * _FIRST
    pair = single[:-1] ^ ((values[1:] + np.uint64(1)) * _SECOND)
    inside = text[:-1] == text[1:]
    hashed = np.concatenate([single, pair[inside]])
    texts = np.concatenate([text, text[:-1][inside]])
    bucket = ((hashed >> np.uint64(32)) % np.uint64(buckets)).astype(np.int64)
    found = np.unique(texts * buckets + bucket)
    offsets = np.searchsorted(found, np.arange(len(ids) + 1) * buckets)
    return Ragged(found % buckets, offsets.astype(np.int64))


def rarity(rows: Ragged, buckets: int) -> NDArray[np.float32]:
    """How much every bucket counts: its inverse document frequency, (buckets,)."""
    texts = np.bincount(rows.values, minlength=buckets)
    return (1 + np.log((1 + len(rows)) / (1 + texts))).astype(np.float32)


def weighed(rows: Ragged, rarity: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weight of every feature in its text, (N,): each text's weights have the length 1."""
    weights = rarity[rows.values]
    squares = np.zeros(len(rows), np.float32)
    filled = rows.lengths > 0
    if filled.any():
        squares[filled] = np.add.reduceat(weights**2, rows.offsets[:-1][filled])
    lengths = np.sqrt(np.maximum(squares, 1e-12))
    return np.asarray(weights / np.repeat(lengths, rows.lengths), np.float32)


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
    scores = np.repeat(bias[None], len(ids), axis=0)
    filled = rows.lengths > 0
    if filled.any():
        parts = weight[rows.values] * (SCALE * weighed(rows, rarity))[:, None]
        scores[filled] += np.add.reduceat(parts, rows.offsets[:-1][filled], axis=0)
    return scores
