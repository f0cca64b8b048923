from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from gatewise.nn.bags import bag_sums

OFFSETS = torch.tensor([0, 0, 3, 4, 4, 9, 9])
VALUES = torch.tensor([2, 5, 2, 0, 6, 2, 2, 5, 1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1, 2, 128])
def test_sums_and_gradient_are_those_of_embedding_bag(size: int, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    table = torch.randn(8, size, dtype=dtype, requires_grad=True)
    weights, d_sums = torch.rand(9, dtype=dtype), torch.randn(6, size, dtype=dtype)
    found = bag_sums(table, VALUES, OFFSETS, weights)
    expected = functional.embedding_bag(
        VALUES, table, OFFSETS[:-1], mode="sum", per_sample_weights=weights
    )
    exact = 1e-5 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(found, expected, rtol=exact, atol=exact)
    gradients = [torch.autograd.grad(sums, table, d_sums)[0] for sums in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=exact, atol=exact)


def test_no_values_at_all() -> None:
    table = torch.randn(3, 2, requires_grad=True)
    nothing = torch.zeros(0, dtype=torch.int64)
    found = bag_sums(table, nothing, torch.tensor([0, 0]), torch.zeros(0))
    found.sum().backward()  # type: ignore[no-untyped-call]
    assert found.tolist() == [[0, 0]]
    assert table.grad is not None
    assert not table.grad.any()
