"""Pooling: from one vector per token to one vector per text."""

from __future__ import annotations

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

    def forward(
        self, hidden: Tensor, offsets: Tensor, final: Tensor, kept: Tensor | None = None
    ) -> Tensor:
        """Pool hidden states (N, P) of B texts, with final states (B, P), to (B, output_size).

        Args:
            hidden: states of every token.
            offsets: where texts start and end, (B + 1,).
            final: states after every text, which are taken as they are.
            kept: what the states of a text are multiplied with before they are pooled, (B, P), at
                least 0: locked dropout, which costs next to nothing here.
        """
        if self.kind == "last":
            return final
        scale = 1 if kept is None else kept
        # A scale of at least 0 changes places with max and mean.
        if self.kind == "mean":
            return segment_mean(hidden, offsets) * scale
        if self.kind == "max":
            return segment_max(hidden, offsets) * scale
        if self.kind == "concat":
            greatest, mean = segment_max_mean(hidden, offsets)
            return torch.cat([greatest * scale, mean * scale, final], dim=1)
        if kept is not None:
            hidden = hidden * kept[segment_of(offsets)]
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
    return segment_max_mean(values, offsets)[0]


def segment_max_mean(values: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """`segment_max` and `segment_mean` at once: (N, P) → (B, P), (B, P).

    Where several values are the greatest, they share its gradient, as in `torch.amax`.
    """
    result: tuple[Tensor, Tensor] = _MaxMean.apply(values, offsets)  # type: ignore[no-untyped-call]
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


class _MaxMean(torch.autograd.Function):
    """One gradient, written once, segment by segment as they fit into the cache.

    What torch would do of itself goes over all values about ten times.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        greatest = values.new_zeros(len(offsets) - 1, values.shape[1])
        places = segment_of(offsets)[:, None].expand(values.shape)
        greatest.scatter_reduce_(0, places, values, "amax", include_self=False)
        ctx.save_for_backward(values, offsets, greatest)
        return greatest, segment_mean(values, offsets)

    @staticmethod
    def backward(ctx: Any, d_greatest: Tensor, d_mean: Tensor) -> tuple[Tensor, None]:
        values, offsets, greatest = ctx.saved_tensors
        d_values = torch.empty_like(values)
        lengths = offsets.diff()
        d_mean = d_mean / lengths.clamp(min=1)[:, None]
        rows = torch.split(values, lengths.tolist())
        d_rows = torch.split(d_values, lengths.tolist())
        parts = zip(rows, d_rows, greatest, d_greatest, d_mean, strict=True)
        for row, d_row, top, d_top, d_every in parts:
            if len(row):
                torch.eq(row, top, out=d_row)
                d_row.mul_(d_top / d_row.sum(dim=0)).add_(d_every)
        return d_values, None
