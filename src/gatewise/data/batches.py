"""Batches: which rows go through the network together, in which order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

POOL = 64
"""Batches that are sorted by length together: more would sort better and shuffle worse."""


def bucketed(
    lengths: NDArray[np.int64],
    *,
    batch_size: int,
    batch_tokens: int,
    seed: int,
    epoch: int,
) -> list[NDArray[np.int64]]:
    """Shuffled batches of rows of similar length.

    Ragged batches need no equal lengths, but the kernel walks all rows of a batch side by side and
    is busiest when they end together.

    Args:
        lengths: tokens of every row, (rows,).
        batch_size: rows of a batch, at most.
        batch_tokens: tokens of a batch, at most; a longer row is a batch of its own.
        seed: of the shuffling.
        epoch: number of the pass; every pass has its own order.

    Returns:
        Row numbers of every batch. Each row stands in exactly one batch.
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lengths))
    pool = batch_size * POOL
    batches = []
    for start in range(0, len(order), pool):
        rows = order[start : start + pool]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        batches += _cut(rows, lengths, batch_size, batch_tokens)
    return [batches[i] for i in random.permutation(len(batches))]


def in_order(
    lengths: NDArray[np.int64], *, batch_size: int, batch_tokens: int
) -> list[NDArray[np.int64]]:
    """Batches of rows of similar length for answering, longest rows last."""
    return _cut(lengths.argsort(kind="stable"), lengths, batch_size, batch_tokens)


def _cut(
    rows: NDArray[np.int64], lengths: NDArray[np.int64], batch_size: int, batch_tokens: int
) -> list[NDArray[Any]]:
    batches, start, tokens = [], 0, 0
    for stop, length in enumerate(lengths[rows].tolist()):
        if stop > start and (stop - start == batch_size or tokens + length > batch_tokens):
            batches.append(rows[start:stop])
            start, tokens = stop, 0
        tokens += length
    if start < len(rows):
        batches.append(rows[start:])
    return batches
