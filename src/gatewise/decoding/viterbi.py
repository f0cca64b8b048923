"""The best paths through linear chains (Viterbi 1967), all sequences of a batch side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.chains import Chain, Walk, side_by_side


def best_paths(
    scores: NDArray[Any], offsets: NDArray[np.int64], chain: Chain, count: int = 1
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """The paths that score most, the best one first.

    Args:
        scores: of every label for every token, (N, L); paths are compared in this type.
        offsets: where sequences start and end, (B + 1,).
        chain: what paths score beside their tokens; -inf forbids.
        count: paths of every sequence, K. A sequence that has fewer repeats its last ones with a
            score of -inf.

    Returns:
        The labels (K, N), and the scores of the paths, (B, K); an empty sequence scores 0.
    """
    walk = side_by_side(offsets)
    labels = scores.shape[1]
    chain = Chain(*(np.asarray(part, scores.dtype) for part in chain))
    sums, came_from = _forward(scores[walk.rows], walk, chain, count)
    finals = (sums + chain.end[:, None]).reshape(-1, labels * count)
    state = _best(finals, count)
    totals = np.full((len(offsets) - 1, count), -np.inf, scores.dtype)
    totals[:, 0] = 0
    totals[walk.order] = np.take_along_axis(finals, state, axis=1)
    paths = np.zeros((count, len(scores)), np.int64)
    for rows in reversed(walk.steps):
        now = state[: rows.stop - rows.start]
        paths[:, walk.rows[rows]] = (now // count).T
        if rows.start:
            state[: len(now)] = came_from[rows][np.arange(len(now))[:, None], now]
    return paths, totals


def _forward(
    scores: NDArray[Any], walk: Walk, chain: Chain, count: int
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The best sums at every sequence's end, (S, L, K), and where each of them came from.

    Where from is a state, label * K + rank, for every row of the walk: (N, L * K).
    """
    tokens, labels = scores.shape
    came_from = np.zeros((tokens, labels * count), np.int64)
    ends = np.empty((len(walk.order), labels, count), scores.dtype)
    sums = np.full((len(walk.order), labels, count), -np.inf, scores.dtype)
    sums[:, :, 0] = chain.start
    to_from = np.ascontiguousarray(chain.transitions.T)[None, :, :, None]
    for rows in walk.steps:
        sums = sums[: rows.stop - rows.start]
        if rows.start:
            # (S, to, from * K + rank)
            offers = (sums[:, None] + to_from).reshape(len(sums), labels, labels * count)
            best = _best(offers, count)
            came_from[rows] = best.reshape(len(sums), -1)
            # The greatest alone are found faster than by their places.
            one = count == 1
            sums = offers.max(axis=2)[..., None] if one else np.take_along_axis(offers, best, 2)
        sums = sums + scores[rows][:, :, None]
        ends[: len(sums)] = sums
    return ends, came_from


def _best(offers: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Places of the greatest offers along the last axis, the greatest first: (…, K)."""
    if count == 1:
        return np.asarray(offers.argmax(axis=-1)[..., None])
    return np.asarray(np.argsort(-offers, axis=-1, kind="stable")[..., :count])
