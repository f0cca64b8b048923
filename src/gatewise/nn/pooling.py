"""Pooling: from one vector per token to one vector per text."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from gatewise.options import PoolingName


class Pooling(nn.Module):
    """One vector per text from the hidden states of its tokens. Empty texts give zeros.

    - `last`: the final state of every direction.
    - `mean`, `max`: over the tokens, for every unit.
    - `concat`: max, mean and last beside each other (Howard & Ruder 2018).
    - `attention`: a weighted mean; the weight of a token is softmax(query · tanh(W h + b)) over
      its text (Yang et al. 2016).

    Args:
        kind: one of the above.
        size: width of the hidden states, P.
    """

    def __init__(self, kind: PoolingName, size: int) -> None:
        super().__init__()
        self.kind = kind
        self.output_size = 3 * size if kind == "concat" else size
        if kind == "attention":
            self.projection = nn.Linear(size, size)
            self.query = nn.Parameter(torch.empty(size).normal_(std=size**-0.5))

    def forward(self, hidden: Tensor, offsets: Tensor, final: Tensor) -> Tensor:
        """Pool hidden states (N, P) of B texts, with final states (B, P), to (B, output_size)."""
        if self.kind == "last":
            return final
        if self.kind == "mean":
            return segment_mean(hidden, offsets)
        if self.kind == "max":
            return segment_max(hidden, offsets)
        if self.kind == "concat":
            parts = segment_max(hidden, offsets), segment_mean(hidden, offsets), final
            return torch.cat(parts, dim=1)
        weights = segment_softmax(self.projection(hidden).tanh() @ self.query, offsets)
        return segment_sum(hidden * weights[:, None], offsets)


def segment_sum(values: Tensor, offsets: Tensor) -> Tensor:
    """Sum of every segment: (N, P) → (B, P)."""
    sums = values.new_zeros(len(offsets) - 1, *values.shape[1:])
    return sums.index_add(0, segment_of(offsets), values)


def segment_mean(values: Tensor, offsets: Tensor) -> Tensor:
    """Mean of every segment, zeros for an empty one: (N, P) → (B, P)."""
    return segment_sum(values, offsets) / offsets.diff().clamp(min=1)[:, None]


def segment_max(values: Tensor, offsets: Tensor) -> Tensor:
    """Greatest value of every segment and column, zeros for an empty one: (N, P) → (B, P)."""
    result: Tensor = _SegmentMax.apply(values, offsets)  # type: ignore[no-untyped-call]
    return result


def segment_softmax(scores: Tensor, offsets: Tensor) -> Tensor:
    """Softmax within every segment: (N,) → (N,)."""
    segments = segment_of(offsets)
    greatest = segment_max(scores.detach()[:, None], offsets)[:, 0]
    powers = (scores - greatest[segments]).exp()
    return powers / segment_sum(powers, offsets)[segments]


def segment_of(offsets: Tensor) -> Tensor:
    """Number of the segment that every value belongs to, (N,)."""
    return torch.repeat_interleave(offsets.diff())


class _SegmentMax(torch.autograd.Function):
    """The gradient goes to the first greatest value alone, as in `torch.max`.

    `torch.segment_reduce` does the same ten times slower, its gradient above all.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, offsets: Tensor) -> Tensor:
        segments, columns = len(offsets) - 1, values.shape[1]
        greatest = values.new_zeros(segments, columns)
        places = torch.full((segments, columns), -1, device=values.device)
        bounds = offsets.tolist()
        for segment, (start, stop) in enumerate(pairwise(bounds)):
            if stop > start:
                found = values[start:stop].max(dim=0)
                greatest[segment] = found.values
                places[segment] = found.indices + start
        ctx.save_for_backward(places)
        ctx.rows = len(values)
        return greatest

    @staticmethod
    def backward(ctx: Any, d_greatest: Tensor) -> tuple[Tensor, None]:
        (places,) = ctx.saved_tensors
        d_values = d_greatest.new_zeros(ctx.rows, d_greatest.shape[1])
        # An empty segment has no place to send its gradient to.
        filled = places[:, 0] >= 0
        d_values.scatter_(0, places[filled], d_greatest[filled])
        return d_values, None
