"""Weighted sums of a table's rows, with a gradient that costs about as much as the sums."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def bag_sums(table: Tensor, values: Tensor, offsets: Tensor, weights: Tensor) -> Tensor:
    """What torch's embedding_bag(mode="sum") sums up, with a gradient several times faster.

    Args:
        table: (V, E).
        values: rows of all bags, (N,), int64.
        offsets: where bags start and end, (B + 1,), int64.
        weights: of every value, (N,), without a gradient.

    Returns:
        Sums of every bag, (B, E), zeros for an empty one.
    """
    result: Tensor = _BagSums.apply(table, values, offsets, weights)  # type: ignore[no-untyped-call]
    return result


class _BagSums(torch.autograd.Function):
    """The gradient of a row is a weighted sum of the bags that hold it: the same thing again."""

    @staticmethod
    def forward(
        ctx: Any, table: Tensor, values: Tensor, offsets: Tensor, weights: Tensor
    ) -> Tensor:
        ctx.save_for_backward(values, offsets, weights)
        ctx.rows = len(table)
        return _sums(table, values, offsets, weights)

    @staticmethod
    def backward(ctx: Any, d_sums: Tensor) -> tuple[Tensor, None, None, None]:
        values, offsets, weights = ctx.saved_tensors
        by_row, order = values.sort(stable=True)
        row_offsets = torch.searchsorted(by_row, torch.arange(ctx.rows + 1, device=values.device))
        bags = torch.repeat_interleave(offsets.diff(), output_size=len(values))[order]
        return _sums(d_sums.contiguous(), bags, row_offsets, weights[order]), None, None, None


def _sums(table: Tensor, values: Tensor, offsets: Tensor, weights: Tensor) -> Tensor:
    return functional.embedding_bag(
        values,
        table,
        offsets,
        mode="sum",
        per_sample_weights=weights,
        include_last_offset=True,
    )
