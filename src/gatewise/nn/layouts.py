"""How the rows of a batch stand: text by text for the kernel, step by step for torch.

Torch's recurrent layers keep the rows (tokens) of a batch step by step: the first rows of all
texts, then all second ones. A padded tensor (T, B, E) does, and a PackedSequence does, whose texts
stand longest first. The kernel wants them text by text. Either order is a permutation of the other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import _register_namedtuple


class RaggedTensor(NamedTuple):
    """A batch of texts of any lengths, without padding; the torch form of `gatewise.Ragged`.

    Attributes:
        values: (N, E), the rows of all texts, one text after another.
        offsets: (B + 1,), int64, rising from 0 to N; text i owns the rows offsets[i] ..
            offsets[i + 1], and may be empty.
    """

    values: Tensor
    offsets: Tensor


# torch.export.save writes this name, and an example of a batch, which torch.export.load reads.
_register_namedtuple(RaggedTensor, serialized_type_name="gatewise.nn.RaggedTensor")
torch.serialization.add_safe_globals([RaggedTensor])


def parts_of(batch: RaggedTensor) -> tuple[Tensor, Tensor]:
    """Values and offsets.

    Raises:
        ValueError: the offsets are no int64 tensor.
    """
    values, offsets = batch
    is_tensor = isinstance(offsets, Tensor)
    if not is_tensor or offsets.dtype != torch.int64:
        got = offsets.dtype if is_tensor else f"a {type(offsets).__name__}"
        raise ValueError(f"The RaggedTensor's offsets must be an int64 tensor. Got {got}.")
    return values, offsets


class Layout(NamedTuple):
    """Where the rows of a packed batch stand when they stand text by text.

    Attributes:
        offsets: (B + 1,), as in `RaggedTensor`.
        order: (N,), row i of the ragged batch is row order[i] of the packed one.
        back: (N,), the inverse of `order`.
    """

    offsets: Tensor
    order: Tensor
    back: Tensor

    def to_ragged(self, rows: Tensor) -> Tensor:
        """Rows (N, ...) text by text, from step by step."""
        return _reorder(rows, self.order, self.back)

    def from_ragged(self, rows: Tensor) -> Tensor:
        """Rows (N, ...) step by step, from text by text."""
        return _reorder(rows, self.back, self.order)


def packed_layout(batch_sizes: Tensor, rows: int, texts: int) -> Layout:
    """The layout of a PackedSequence of N rows, with its texts in their packed order.

    Args:
        batch_sizes: (T,), int64 on the CPU: how many texts have that step; never rises.
        rows: N.
        texts: B, the first of the batch sizes.
    """
    # A text's length is the number of steps whose batch is larger than the text's place.
    shorter = torch.searchsorted(batch_sizes.flip(0), torch.arange(texts), right=True)
    lengths = batch_sizes.shape[0] - shorter
    offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
    text = torch.repeat_interleave(torch.arange(texts), lengths, output_size=rows)
    row = torch.arange(rows)
    steps = row - offsets[text]
    order = (batch_sizes.cumsum(0) - batch_sizes)[steps] + text
    return Layout(offsets, order, torch.empty_like(order).scatter(0, order, row))


def packing(offsets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How a ragged batch is packed for torch, which takes no empty texts.

    Returns:
        The texts that are not empty, longest first; the batch sizes (T,); and for every packed row
        its row in the ragged batch, (N,). All are on the CPU.
    """
    bounds = offsets.cpu()
    lengths = bounds.diff()
    texts = torch.argsort(lengths, descending=True, stable=True)[: int((lengths > 0).sum())]
    steps = torch.arange(int(lengths.max()) if len(texts) else 0)[:, None]
    present = steps < lengths[texts]  # (T, texts), true where a text still has a row
    return texts, present.sum(1), (bounds[:-1][texts] + steps)[present]


class _Reorder(torch.autograd.Function):
    """Rows in another order; the gradient of a permutation is its inverse, not a scattered sum."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, order: Tensor, back: Tensor) -> Tensor:
        ctx.save_for_backward(order, back)
        return rows.index_select(0, order)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        order, back = ctx.saved_tensors
        return _reorder(gradients[0], back, order), None, None


def _reorder(rows: Tensor, order: Tensor, back: Tensor) -> Tensor:
    reordered: Tensor = _Reorder.apply(rows, order, back)  # type: ignore[no-untyped-call]
    return reordered
