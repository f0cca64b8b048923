from __future__ import annotations

import pytest

from gatewise.tasks.classify.defaults import LARGEST_LINEAR, Defaults


def test_small_data_wants_a_small_network_and_many_short_passes() -> None:
    small, large = Defaults.derive(5_000, 50_000, 6), Defaults.derive(22_500, 6_000_000, 2)
    assert (small.hidden_size, small.batch_size, small.epochs) == (64, 16, 11)
    assert (large.hidden_size, large.batch_size, large.epochs) == (128, 32, 4)


@pytest.mark.parametrize("labels", [2, 28, 1000, 100_000])
def test_the_linear_part_stays_bounded(labels: int) -> None:
    pairs = Defaults.derive(100_000, 10_000_000, labels).token_pairs
    assert pairs >= 1
    assert pairs * labels <= LARGEST_LINEAR


@pytest.mark.parametrize(("rows", "tokens"), [(0, 0), (1, 1), (10**9, 10**12)])
def test_any_size_has_defaults(rows: int, tokens: int) -> None:
    found = Defaults.derive(rows, tokens, 2)
    assert 16 <= found.batch_size <= 64
    assert 4 <= found.epochs <= 30
