from __future__ import annotations

import numpy as np
import pytest

from gatewise.data.batches import bucketed, in_order


def lengths_like_reviews(rows: int) -> np.ndarray:
    drawn = np.random.default_rng(1).lognormal(3, 1, rows).astype(np.int64)
    drawn[: rows // 50] = 0
    return drawn


@pytest.mark.parametrize("rows", [0, 1, 31, 5000])
def test_every_row_stands_in_exactly_one_batch(rows: int) -> None:
    lengths = lengths_like_reviews(rows)
    batches = bucketed(lengths, batch_size=32, batch_tokens=2000, seed=3, epoch=1)
    assert sorted(row for batch in batches for row in batch) == list(range(rows))
    answered = in_order(lengths, batch_size=64, batch_tokens=2000)
    assert sorted(row for batch in answered for row in batch) == list(range(rows))


def test_no_batch_goes_over_its_limits() -> None:
    lengths = lengths_like_reviews(3000)
    lengths[7] = 9000
    for batch in bucketed(lengths, batch_size=32, batch_tokens=2000, seed=0, epoch=2):
        assert len(batch) <= 32
        assert lengths[batch].sum() <= 2000 or list(batch) == [7]


def test_rows_of_a_batch_are_of_similar_length() -> None:
    lengths = lengths_like_reviews(20_000)
    batches = bucketed(lengths, batch_size=32, batch_tokens=100_000, seed=0, epoch=1)
    within = np.mean([lengths[batch].std() for batch in batches])
    assert within < 0.15 * lengths.std()


def test_the_order_follows_seed_and_epoch() -> None:
    lengths = lengths_like_reviews(500)

    def order(seed: int, epoch: int) -> list[int]:
        batches = bucketed(lengths, batch_size=8, batch_tokens=10**6, seed=seed, epoch=epoch)
        return [int(row) for batch in batches for row in batch]

    assert order(1, 1) == order(1, 1)
    assert order(1, 1) != order(1, 2)
    assert order(1, 1) != order(2, 1)
