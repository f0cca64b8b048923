"""The encoder that answers; that it agrees with the one in torch is tested with the classifier."""

from __future__ import annotations

import numpy as np
import pytest

from gatewise.encoder import Encoder
from gatewise.options import PoolingName
from gatewise.ragged import Ragged
from gatewise.shapes import EncoderShape

RANDOM = np.random.default_rng(0)
LENGTHS = (0, 3, 1, 0, 0, 40, 2, 300, 0)
IDS = Ragged.from_rows([RANDOM.integers(0, 11, length) for length in LENGTHS], np.int32)
UNKNOWN = RANDOM.normal(size=(1, 6)).astype(np.float32)  # of the id 10


def encoder(pooling: PoolingName) -> Encoder:
    shape = EncoderShape("lstm", 10, 6, 0, 20, 1, True, pooling)
    weights = {
        name: RANDOM.normal(size=size, scale=0.5).astype(np.float32)
        for name, size in shape.weights().items()
    }
    return Encoder(shape, weights)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "concat"])
def test_a_text_alone_is_pooled_to_the_same_bits_as_in_a_batch(pooling: PoolingName) -> None:
    made = encoder(pooling)
    together = made.pool(IDS, UNKNOWN)
    assert together[1:].any()
    for text, ids in enumerate(IDS):
        alone = made.pool(Ragged(ids, np.array([0, len(ids)])), UNKNOWN)
        np.testing.assert_array_equal(alone[0], together[text])


def test_pooling_is_that_of_every_text_by_itself() -> None:
    made = encoder("concat")
    pooled = made.pool(IDS, UNKNOWN)
    hidden, final = made.states(IDS, UNKNOWN)
    for text, states in enumerate(Ragged(hidden.astype(np.float64), IDS.offsets)):
        parts = (states.max(0), states.mean(0)) if len(states) else (np.zeros((2, 40)),)
        wanted = np.concatenate([*(part.ravel() for part in parts), final[text]])
        np.testing.assert_allclose(pooled[text], wanted, atol=1e-6)
