"""Padded batches with a mask, as ragged ones: only the rows that are real reach the kernel.

A masked batch has B texts of T slots each, and a mask (B, T) that says which slots hold a row. The
real rows may stand anywhere: in front, behind, or with gaps between them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class MaskedLayout(NamedTuple):
    """Where the rows of a masked batch stand, text by text in the order in which they are walked.

    Attributes:
        offsets: (B + 1,), int64; text i owns the rows offsets[i] .. offsets[i + 1], and may have
            none.
        slots: (N,), the slot of every row, counted through all texts: text * T + step.
        latest: (B * T,), by walked slot, the last row of its text that was walked until then, that
            of the slot itself if it has one; -1 before the first.
        real: (B * T,), by walked slot, whether it holds a row.
    """

    offsets: Tensor
    slots: Tensor
    latest: Tensor
    real: Tensor


def masked_layout(mask: Tensor, *, backwards: bool = False) -> MaskedLayout:
    """The layout of a mask (B, T), bool, walked from its first step or from its last."""
    texts, steps = mask.shape
    walked = mask.flip(1) if backwards else mask
    real = walked.flatten()
    slots = real.nonzero().flatten()
    offsets = functional.pad(walked.sum(1).cumsum(0), (1, 0))
    latest = real.cumsum(0) - 1
    started = latest >= offsets[:-1].repeat_interleave(steps, output_size=texts * steps)
    latest = latest.masked_fill(~started, -1)
    if backwards:
        steps_back = slots % steps
        slots = slots - steps_back + (steps - 1 - steps_back)
    return MaskedLayout(offsets, slots, latest, real)


def real_rows(batch: Tensor, layout: MaskedLayout) -> Tensor:
    """The rows that are real, (B, T, E) → (N, E), in the layout's order."""
    rows: Tensor = _RealRows.apply(batch.flatten(0, 1), layout.slots)  # type: ignore[no-untyped-call]
    return rows


def spread_rows(rows: Tensor, layout: MaskedLayout, *, repeat: bool) -> Tensor:
    """What a text has at every walked slot, (N, H) → (B, T, H).

    Args:
        rows: of the layout, in its order.
        layout: of the mask.
        repeat: whether a slot without a row has its text's latest one; zeros otherwise. Before the
            first row there are zeros in any case.
    """
    texts = len(layout.offsets) - 1
    spread: Tensor = _SpreadRows.apply(rows, layout, repeat)  # type: ignore[no-untyped-call]
    return spread.view(texts, len(layout.real) // max(texts, 1), rows.shape[1])


class _RealRows(torch.autograd.Function):
    """The slots are all different: the gradient is written to its place, nothing is added up."""

    @staticmethod
    def forward(ctx: Any, batch: Tensor, slots: Tensor) -> Tensor:
        ctx.save_for_backward(slots)
        ctx.slots = len(batch)
        return batch.index_select(0, slots)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (slots,) = ctx.saved_tensors
        d_batch = gradients[0].new_zeros(ctx.slots, gradients[0].shape[1])
        return d_batch.index_put_((slots,), gradients[0]), None


class _SpreadRows(torch.autograd.Function):
    """A row goes to a run of slots: its gradient is their sum, which embedding_bag adds up fast."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, layout: MaskedLayout, repeat: bool) -> Tensor:
        filled = layout.latest >= 0 if repeat else layout.real
        ctx.save_for_backward(layout.latest, filled)
        ctx.rows = len(rows)
        if len(rows) == 0:
            return rows.new_zeros(len(filled), rows.shape[1])
        spread = rows.index_select(0, layout.latest.clamp(min=0))
        return spread.mul_(filled[:, None])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        latest, filled = ctx.saved_tensors
        slots = filled.nonzero().flatten()
        counts = torch.bincount(latest.index_select(0, slots), minlength=ctx.rows)
        offsets = functional.pad(counts.cumsum(0), (1, 0))
        d_rows = functional.embedding_bag(
            slots, gradients[0].contiguous(), offsets, mode="sum", include_last_offset=True
        )
        return d_rows, None, None
