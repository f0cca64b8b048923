"""Which tokens the pooled vector of a text, and with it the score, was taken from."""

from __future__ import annotations

import numpy as np

from gatewise.encoder import Encoder, Floats
from gatewise.ragged import Ragged


def placed_head(encoder: Encoder, head: Floats, hidden: Floats) -> Floats:
    """What the states at every token add to the scores: with the head's bias they sum to them.

    Args:
        encoder: that pools.
        head: weights of the scores, (L, pooled size).
        hidden: states of the last layer, (T, P).

    Returns:
        (T, L). That it stands at a token does not make the token its cause: a state tells of all
        that was read before it.
    """
    tokens, size = hidden.shape
    pooling, placed = encoder.shape.pooling, np.zeros((tokens, len(head)), np.float32)
    if not tokens:
        return placed
    if pooling == "attention":
        weights = encoder.attention(hidden, Ragged(hidden, np.array([0, tokens])))
        return np.asarray(hidden * weights[:, None] @ head.T, np.float32)
    parts = ("max", "mean", "last") if pooling == "concat" else (pooling,)
    for number, part in enumerate(parts):
        weight = head[:, number * size : (number + 1) * size]
        match part:
            case "mean":
                placed += hidden @ weight.T / np.float32(tokens)
            case "max":
                places = hidden.argmax(axis=0)
                np.add.at(placed, places, (hidden[places, np.arange(size)] * weight).T)
            case "last":
                half = encoder.shape.hidden_size
                placed[-1] += weight[:, :half] @ hidden[-1, :half]
                placed[0] += weight[:, half:] @ hidden[0, half:]
    return placed


def greatest(hidden: Floats) -> Floats:
    """Share of the units whose greatest state is at every token: (T, P) → (T,)."""
    if not len(hidden):
        return np.zeros(0, np.float32)
    counts = np.bincount(hidden.argmax(axis=0), minlength=len(hidden))
    return np.asarray(counts / hidden.shape[1], np.float32)
