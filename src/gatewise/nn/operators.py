"""The recurrent layer as a torch operator: values, shapes and gradient.

An operator, not an autograd.Function, so that torch.compile and torch.export can see through it:
they learn the shapes of its results without running it. It changes none of its inputs, so a graph
may be walked back more than once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gatewise import kernels
from gatewise.cells import CELLS


def _array(tensor: Tensor | None) -> Any:
    return None if tensor is None else tensor.detach().contiguous().numpy()


def _directions(flat: Sequence[Tensor], directions: int) -> list[kernels.Weights]:
    count = len(flat) // directions
    parts = [
        [_array(part) for part in flat[d * count : (d + 1) * count]] for d in range(directions)
    ]
    return [kernels.Weights(*part, *[None] * (4 - count)) for part in parts]


def _tensor(array: Any) -> Tensor:
    return torch.empty(0) if array is None else torch.from_numpy(array)


@torch.library.custom_op("gatewise::recurrent_layer", mutates_args=(), device_types="cpu")
def recurrent_forward(
    cell: str,
    values: Tensor,
    offsets: Tensor,
    weights: Sequence[Tensor],
    directions: int,
    hidden0: Tensor | None,
    cell0: Tensor | None,
    save: bool,
    threads: int,
    precision: str,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Hidden, final_hidden, final_cell, saved_gates and saved_cells, empty where there is none."""
    kernels.share_threads()
    output = kernels.forward(
        cell,
        _array(values),
        _array(offsets),
        _directions(weights, directions),
        hidden0=_array(hidden0),
        cell0=_array(cell0),
        save=save,
        threads=threads,
        precision=precision,
    )
    return (
        _tensor(output.hidden),
        _tensor(output.final_hidden),
        _tensor(output.final_cell),
        _tensor(output.saved_gates),
        _tensor(output.saved_cells),
    )


@recurrent_forward.register_fake
def _(
    cell: str,
    values: Tensor,
    offsets: Tensor,
    weights: Sequence[Tensor],
    directions: int,
    hidden0: Tensor | None,
    cell0: Tensor | None,
    save: bool,
    threads: int,
    precision: str,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    tokens, texts, size = values.shape[0], offsets.shape[0] - 1, weights[1].shape[1]
    has_cell, blocks = CELLS[cell].has_cell, len(CELLS[cell].saved)
    return (
        values.new_empty(tokens, directions * size),
        values.new_empty(directions, texts, size),
        values.new_empty(directions, texts, size) if has_cell else values.new_empty(0),
        values.new_empty(directions, tokens, blocks * size) if save else values.new_empty(0),
        values.new_empty(directions, tokens, size) if save and has_cell else values.new_empty(0),
    )


@torch.library.custom_op("gatewise::recurrent_layer_backward", mutates_args=(), device_types="cpu")
def recurrent_backward(
    cell: str,
    values: Tensor,
    offsets: Tensor,
    weights: Sequence[Tensor],
    directions: int,
    hidden0: Tensor | None,
    cell0: Tensor | None,
    hidden: Tensor,
    gates: Tensor,
    cells: Tensor,
    d_hidden: Tensor | None,
    d_final_hidden: Tensor | None,
    d_final_cell: Tensor | None,
    input_gradient: bool,
    threads: int,
    precision: str,
) -> list[Tensor]:
    """d_values, d_hidden0, d_cell0 (empty where there is none) and the gradients of the weights."""
    kernels.share_threads()
    final = torch.empty(directions, offsets.shape[0] - 1, weights[1].shape[1]).numpy()
    output = kernels.Output(cell, _array(hidden), final, None, _array(gates), _array(cells))
    gradients = kernels.backward(
        cell,
        _array(values),
        _array(offsets),
        _directions(weights, directions),
        output,
        d_hidden=_array(d_hidden),
        d_final_hidden=_array(d_final_hidden),
        d_final_cell=_array(d_final_cell) if CELLS[cell].has_cell else None,
        hidden0=_array(hidden0),
        cell0=_array(cell0),
        input_gradient=input_gradient,
        threads=threads,
        precision=precision,
    )
    return [
        _tensor(gradients.d_x),
        _tensor(gradients.d_hidden0),
        _tensor(gradients.d_cell0),
        *(
            _tensor(part)
            for direction in gradients.d_weights
            for part in direction
            if part is not None
        ),
    ]


@recurrent_backward.register_fake
def _(
    cell: str,
    values: Tensor,
    offsets: Tensor,
    weights: Sequence[Tensor],
    directions: int,
    hidden0: Tensor | None,
    cell0: Tensor | None,
    hidden: Tensor,
    gates: Tensor,
    cells: Tensor,
    d_hidden: Tensor | None,
    d_final_hidden: Tensor | None,
    d_final_cell: Tensor | None,
    input_gradient: bool,
    threads: int,
    precision: str,
) -> list[Tensor]:
    state = (directions, offsets.shape[0] - 1, weights[1].shape[1])
    return [
        torch.empty_like(values) if input_gradient else values.new_empty(0),
        values.new_empty(state),
        values.new_empty(state) if CELLS[cell].has_cell else values.new_empty(0),
        *(torch.empty_like(part) for part in weights),
    ]


def _remember(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    cell, values, offsets, weights, directions, hidden0, cell0, _, threads, precision = inputs
    hidden, _, _, gates, cells = output
    # Otherwise every backward would begin by filling zeros as large as the saved gates.
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(values, offsets, hidden0, cell0, hidden, gates, cells, *weights)
    ctx.call = cell, directions, threads, precision


def _differentiate(ctx: Any, *d_outputs: Tensor | None) -> tuple[Any, ...]:
    values, offsets, hidden0, cell0, hidden, gates, cells, *weights = ctx.saved_tensors
    cell, directions, threads, precision = ctx.call
    d_hidden, d_final_hidden, d_final_cell, _, _ = d_outputs
    if d_hidden is None and d_final_hidden is None and d_final_cell is None:
        return (None,) * 10
    d_values, d_hidden0, d_cell0, *d_weights = recurrent_backward(
        cell,
        values,
        offsets,
        weights,
        directions,
        hidden0,
        cell0,
        hidden,
        gates,
        cells,
        d_hidden,
        d_final_hidden,
        d_final_cell,
        ctx.needs_input_grad[1],
        threads,
        precision,
    )
    return (
        None,
        d_values if ctx.needs_input_grad[1] else None,
        None,
        d_weights,
        None,
        d_hidden0 if hidden0 is not None else None,
        d_cell0 if cell0 is not None else None,
        None,
        None,
        None,
    )


recurrent_forward.register_autograd(_differentiate, setup_context=_remember)


def _refuse(ctx: Any, *_: Any) -> None:
    raise RuntimeError(
        "A recurrent layer has first derivatives only: its gradient cannot be differentiated "
        "again. Call backward or torch.autograd.grad without create_graph=True, or leave the layer "
        "to torch: use torch.nn, and if gatewise.accelerate() is on, call its stop() before."
    )


recurrent_backward.register_autograd(_refuse)
