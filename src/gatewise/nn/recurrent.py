"""One recurrent layer over a ragged batch, as a function of any weight tensors.

On the CPU the layer is the kernel; on other devices the batch is packed and handed to torch's own
layer (cuDNN). The modules of `gatewise.nn` stack it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.cells import CELLS
from gatewise.errors import OptionError
from gatewise.nn.layouts import packing
from gatewise.nn.operators import recurrent_forward

# Per direction weight_ih, weight_hh and, unless the layer has no bias, bias_ih and bias_hh.
LayerWeights = Sequence[Sequence[Tensor]]


class State(NamedTuple):
    """States of every text and direction, (D, B, H); `cell` is None but for an lstm."""

    hidden: Tensor
    cell: Tensor | None = None

    def each(self, change: Callable[[Tensor], Tensor]) -> State:
        """The same with every state changed."""
        return State(change(self.hidden), None if self.cell is None else change(self.cell))


def recurrent_layer(
    cell: str,
    values: Tensor,
    offsets: Tensor,
    weights: LayerWeights,
    start: State | None = None,
    *,
    threads: int | None = None,
    precision: str = "fp32",
) -> tuple[Tensor, State]:
    """One recurrent layer over a ragged batch.

    Args:
        cell: lstm, gru, rnn or rnn_relu.
        values: (N, E), float32.
        offsets: (B + 1,), int64; text i owns the rows offsets[i] .. offsets[i + 1] of values.
        weights: per direction weight_ih (G*H, E), weight_hh (G*H, H) and, unless the layer has no
            bias, bias_ih and bias_hh (G*H,). Any tensors will do, dropped copies for instance.
        start: states to start from, zeros if None.
        threads: torch.get_num_threads() if None, which is all that other devices take.
        precision: of the kernel's products, fp32, bf16 or, without gradients, int8; see
            `gatewise.kernels`. Other devices take fp32 only.

    Returns:
        Hidden states of every token (N, D*H), and the states after every text's last token.

    Raises:
        ValueError: a shape or type does not fit.
        OptionError: the precision or the threads are not for this device, processor or call.
    """
    if values.device.type != "cpu":
        if threads is not None or precision != "fp32":
            raise OptionError(
                "The threads and precision of a recurrent layer are the kernel's, which runs on "
                f"the CPU: they must be None and fp32 for values on {values.device}. "
                f"Got {threads} and {precision}."
            )
        return packed_layer(cell, values, offsets, weights, start)
    flat = [part for direction in weights for part in direction]
    hidden0 = None if start is None else start.hidden
    cell0 = None if start is None else start.cell
    inputs = [values, *flat, *(state for state in (hidden0, cell0) if state is not None)]
    save = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs)
    if save and precision == "int8":
        raise OptionError(
            "The precision int8 is for answers: it has no gradient. Call the layer inside "
            "torch.no_grad(), or with the precision fp32 or bf16."
        )
    if threads is None:
        threads = _torch_threads()
    hidden, final_hidden, final_cell, _, _ = recurrent_forward(
        cell, values, offsets, flat, len(weights), hidden0, cell0, save, threads, precision
    )
    return hidden, State(final_hidden, final_cell if CELLS[cell].has_cell else None)


def packed_layer(
    cell: str,
    values: Tensor,
    offsets: Tensor,
    weights: LayerWeights,
    start: State | None = None,
) -> tuple[Tensor, State]:
    """The same as `recurrent_layer` through torch's own layer, on any device and in any type.

    The texts are packed as torch wants them: without empty ones, longest first, and all their
    first tokens before all their second ones. Offsets on the CPU save a wait for the device.
    """
    directions, size = len(weights), weights[0][1].shape[1]
    has_cell, texts = CELLS[cell].has_cell, len(offsets) - 1
    zeros = values.new_zeros(directions, texts, size)
    hidden0 = zeros if start is None else start.hidden
    cell0 = zeros if start is None or start.cell is None else start.cell
    order, batch_sizes, rows = packing(offsets)
    if len(order) == 0:
        hidden = values.new_zeros(0, directions * size)
        return hidden, State(hidden0, cell0 if has_cell else None)
    places = rows.to(values.device)
    texts_at = order.to(values.device)
    first = hidden0[:, texts_at], cell0[:, texts_at]
    packed, *final = getattr(torch._VF, {"rnn": "rnn_tanh"}.get(cell, cell))(
        values[places],
        batch_sizes,
        first if has_cell else first[0],
        [part for direction in weights for part in direction],
        len(weights[0]) == 4,  # has biases
        1,  # layers
        0.0,  # dropout between them
        torch.is_grad_enabled(),
        directions == 2,
    )
    finals = [
        state.index_copy(1, texts_at, last)
        for state, last in zip((hidden0, cell0), final, strict=False)
    ]
    return packed[torch.argsort(places)], State(*finals)


def _torch_threads() -> int:
    return torch.get_num_threads()


# A graph keeps the number it was compiled with; any number gives the same bits. This is what
# torch.compiler.assume_constant_result does, which loads the compiler with it.
_torch_threads._dynamo_marked_constant = True  # type: ignore[attr-defined]
