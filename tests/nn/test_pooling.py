from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gatewise.nn.pooling import Pooling, segment_max, segment_mean, segment_softmax, segment_sum
from gatewise.options import PoolingName

LENGTHS = [3, 0, 1, 7, 0, 2]
OFFSETS = torch.tensor([0, *np.cumsum(LENGTHS).tolist()])


def rows_of(values: Tensor) -> list[Tensor]:
    return list(torch.split(values, LENGTHS))


def random_values(*shape: int) -> Tensor:
    torch.manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("columns", [1, 5])
def test_segments_are_reduced_as_each_row_alone(columns: int) -> None:
    values = random_values(sum(LENGTHS), columns)
    zeros = torch.zeros(columns, dtype=torch.float64)
    cases: list[tuple[Tensor, Any]] = [
        (segment_sum(values, OFFSETS), torch.sum),
        (segment_mean(values, OFFSETS), torch.mean),
        (segment_max(values, OFFSETS), torch.amax),
    ]
    for found, each in cases:
        expected = [each(row, dim=0) if len(row) else zeros for row in rows_of(values)]
        torch.testing.assert_close(found, torch.stack(expected), rtol=1e-12, atol=1e-12)


def test_softmax_sums_to_one_in_every_row_and_stays_finite() -> None:
    scores = random_values(sum(LENGTHS)).detach() * 1000
    found = segment_softmax(scores, OFFSETS)
    for part, row in zip(rows_of(found), rows_of(scores), strict=True):
        torch.testing.assert_close(part, row.softmax(0), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("function", [segment_sum, segment_mean, segment_max])
def test_gradients_of_segments(function: object) -> None:
    values = random_values(sum(LENGTHS), 3)
    assert callable(function)
    assert torch.autograd.gradcheck(lambda v: function(v, OFFSETS), (values,))


def test_gradient_of_softmax() -> None:
    scores = random_values(sum(LENGTHS))
    assert torch.autograd.gradcheck(lambda s: segment_softmax(s, OFFSETS), (scores,))


def test_attention_is_a_weighted_mean_of_the_states() -> None:
    torch.manual_seed(1)
    pooling = Pooling("attention", 4).double()
    hidden, final = random_values(sum(LENGTHS), 4), torch.randn(len(LENGTHS), 4).double()
    found = pooling(hidden, OFFSETS, final)
    for row, pooled in zip(rows_of(hidden), found, strict=True):
        scores = (row @ pooling.projection.weight.T + pooling.projection.bias).tanh()
        weights = (scores @ pooling.query).softmax(0)
        torch.testing.assert_close(pooled, weights @ row, rtol=1e-12, atol=1e-12)


def test_concat_is_max_mean_and_last_in_this_order() -> None:
    hidden, final = random_values(sum(LENGTHS), 2), torch.randn(len(LENGTHS), 2).double()
    found = Pooling("concat", 2)(hidden, OFFSETS, final)
    assert torch.equal(found[:, :2], segment_max(hidden, OFFSETS))
    assert torch.equal(found[:, 2:4], segment_mean(hidden, OFFSETS))
    assert torch.equal(found[:, 4:], final)


def test_equal_greatest_values_share_the_gradient() -> None:
    values = torch.tensor([[1.0], [3.0], [3.0], [2.0], [3.0]], requires_grad=True)
    segment_max(values, torch.tensor([0, 4, 5])).sum().backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert values.grad[:, 0].tolist() == [0, 0.5, 0.5, 0, 1]


@pytest.mark.parametrize("kind", ["last", "mean", "max", "concat", "attention"])
def test_features_dropped_while_pooling_are_those_dropped_before(kind: PoolingName) -> None:
    torch.manual_seed(1)
    pooling = Pooling(kind, 4).double()
    hidden, final = random_values(sum(LENGTHS), 4), torch.randn(len(LENGTHS), 4).double()
    kept = torch.randn(len(LENGTHS), 4).double().clamp(min=0)
    found = pooling(hidden, OFFSETS, final, kept)
    expected = pooling(hidden * kept.repeat_interleave(OFFSETS.diff(), 0), OFFSETS, final)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    weights = torch.randn(found.shape).double()
    if kind != "last":
        gradients = [torch.autograd.grad(x, hidden, weights)[0] for x in (found, expected)]
        torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-12)
