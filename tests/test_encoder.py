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


def test_an_id_without_a_vector_is_refused() -> None:
    made = encoder("last")
    for unknown, count in ((None, 0), (UNKNOWN[:0], 0), (UNKNOWN, 1)):
        end = 10 + count
        wrong = Ragged.from_rows([[3], [1, end]])
        told = f"below {end}: 10 are in the vocabulary, {count} in 'unknown'. Got {end}"
        for answer in (made.states, made.pool):
            with pytest.raises(ValueError, match=told):
                answer(wrong, unknown)
    nothing = Ragged.from_rows([[], []])
    assert not made.pool(nothing).any()


def test_an_unknown_word_has_its_own_vector() -> None:
    made = encoder("last")
    vectors = np.concatenate([UNKNOWN, RANDOM.normal(size=(1, 6)).astype(np.float32)])
    rows = [[3, 10], [3, 11], [3, 9]]
    apart = made.pool(Ragged.from_rows(rows), vectors)
    for row, vector in zip(apart, [*vectors, made._table[9]], strict=True):
        alone = made.pool(Ragged.from_rows([[3, 10]]), vector[None])
        np.testing.assert_array_equal(alone[0], row)
