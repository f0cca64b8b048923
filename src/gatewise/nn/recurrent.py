"""Recurrent layers over ragged batches: LSTM, GRU and RNN with torch.nn's parameters.

`recurrent_layer` is one layer as a function of any weight tensors; the modules stack it. Parameter
names, shapes and first values are those of torch.nn.LSTM, GRU and RNN, so state dicts move both
ways. On the CPU the layer is the kernel, as a torch operator; on other devices the batch is packed
and handed to torch's own layer (cuDNN).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gatewise import kernels
from gatewise.cells import CELLS

kernels.share_threads()  # torch is loaded by now

LayerWeights = Sequence[Sequence[Tensor]]


class State(NamedTuple):
    """States of every text and direction, (D, B, H); `cell` is None but for an lstm."""

    hidden: Tensor
    cell: Tensor | None = None


def recurrent_layer(
    cell: str,
    values: Tensor,
    offsets: Tensor,
    weights: LayerWeights,
    start: State | None = None,
    threads: int | None = None,
) -> tuple[Tensor, State]:
    """One recurrent layer over a ragged batch.

    Args:
        cell: lstm, gru, rnn or rnn_relu.
        values: (N, E), float32.
        offsets: (B + 1,), int64; text i owns the rows offsets[i] .. offsets[i + 1] of values.
        weights: per direction weight_ih (G*H, E), weight_hh (G*H, H) and, unless the layer has no
            bias, bias_ih and bias_hh (G*H,). Any tensors will do, dropped copies for instance.
        start: states to start from, zeros if None.
        threads: torch.get_num_threads() if None.

    Returns:
        Hidden states of every token (N, D*H), and the states after every text's last token.

    Raises:
        ValueError: a shape or type does not fit.
    """
    flat = [part for direction in weights for part in direction]
    hidden0, cell0 = start if start is not None else State(None, None)  # type: ignore[arg-type]
    if values.device.type != "cpu":
        return packed_layer(cell, values, offsets, weights, start)
    inputs = [values, *flat, *(state for state in (hidden0, cell0) if state is not None)]
    save = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs)
    hidden, final_hidden, final_cell, _, _ = _forward(
        cell,
        values,
        offsets,
        flat,
        len(weights),
        hidden0,
        cell0,
        save,
        threads or torch.get_num_threads(),
    )
    return hidden, State(final_hidden, final_cell if CELLS[cell].has_cell else None)


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
def _forward(
    cell: str,
    values: Tensor,
    offsets: Tensor,
    weights: Sequence[Tensor],
    directions: int,
    hidden0: Tensor | None,
    cell0: Tensor | None,
    save: bool,
    threads: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Hidden, final_hidden, final_cell, saved_gates and saved_cells, empty where there is none."""
    output = kernels.forward(
        cell,
        _array(values),
        _array(offsets),
        _directions(weights, directions),
        hidden0=_array(hidden0),
        cell0=_array(cell0),
        save=save,
        threads=threads,
    )
    return (
        _tensor(output.hidden),
        _tensor(output.final_hidden),
        _tensor(output.final_cell),
        _tensor(output.saved_gates),
        _tensor(output.saved_cells),
    )


@_forward.register_fake
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
def _backward(
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
) -> list[Tensor]:
    """d_values, d_hidden0, d_cell0 (empty where there is none) and the gradients of the weights."""
    final = torch.empty(directions, offsets.shape[0] - 1, weights[1].shape[1]).numpy()
    output = kernels.Output(cell, _array(hidden), final, None, _array(gates), _array(cells))
    gradients = kernels.backward(
        cell,
        _array(values),
        _array(offsets),
        _directions(weights, directions),
        output,
        _array(d_hidden),
        d_final_hidden=_array(d_final_hidden),
        d_final_cell=_array(d_final_cell) if CELLS[cell].has_cell else None,
        hidden0=_array(hidden0),
        cell0=_array(cell0),
        input_gradient=input_gradient,
        threads=threads,
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


@_backward.register_fake
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
) -> list[Tensor]:
    state = (directions, offsets.shape[0] - 1, weights[1].shape[1])
    return [
        torch.empty_like(values) if input_gradient else values.new_empty(0),
        values.new_empty(state),
        values.new_empty(state) if CELLS[cell].has_cell else values.new_empty(0),
        *(torch.empty_like(part) for part in weights),
    ]


def _remember(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    cell, values, offsets, weights, directions, hidden0, cell0, _, threads = inputs
    hidden, _, _, gates, cells = output
    # Otherwise every backward would begin by filling zeros as large as the saved gates.
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(values, offsets, hidden0, cell0, hidden, gates, cells, *weights)
    ctx.call = cell, directions, threads


def _differentiate(ctx: Any, *d_outputs: Tensor | None) -> tuple[Any, ...]:
    values, offsets, hidden0, cell0, hidden, gates, cells, *weights = ctx.saved_tensors
    cell, directions, threads = ctx.call
    d_hidden, d_final_hidden, d_final_cell, _, _ = d_outputs
    if d_hidden is None and d_final_hidden is None and d_final_cell is None:
        return (None,) * 9
    d_values, d_hidden0, d_cell0, *d_weights = _backward(
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
    )


_forward.register_autograd(_differentiate, setup_context=_remember)


def _refuse(ctx: Any, *_: Any) -> None:
    raise RuntimeError(
        "A recurrent layer has first derivatives only: its gradient cannot be differentiated "
        "again. Call backward or torch.autograd.grad without create_graph=True, or use torch.nn."
    )


_backward.register_autograd(_refuse)


def packed_layer(
    cell: str,
    values: Tensor,
    offsets: Tensor,
    weights: LayerWeights,
    start: State | None = None,
) -> tuple[Tensor, State]:
    """The same as `recurrent_layer` through torch's own layer, on any device and in any type.

    The texts are packed as torch wants them: without empty ones, longest first, and all their
    first tokens before all their second ones.
    """
    directions, size = len(weights), weights[0][1].shape[1]
    has_cell, texts = CELLS[cell].has_cell, len(offsets) - 1
    lengths = offsets.diff()
    if start is None:
        hidden0 = values.new_zeros(directions, texts, size)
        cell0 = values.new_zeros(directions, texts, size)
    else:
        hidden0, cell0 = start.hidden, start.cell if start.cell is not None else start.hidden
    order = torch.argsort(lengths, descending=True, stable=True)
    order = order[: int((lengths > 0).sum())]
    if len(order) == 0:
        return values.new_zeros(0, directions * size), State(hidden0, cell0 if has_cell else None)
    steps = torch.arange(int(lengths.max()), device=values.device)
    present = steps[:, None] < lengths[order]  # (T, B), true where the text still has a token
    places = (offsets[:-1][order] + steps[:, None])[present]
    flat = [part for direction in weights for part in direction]
    first = (hidden0[:, order], cell0[:, order]) if has_cell else hidden0[:, order]
    function = getattr(torch._VF, {"rnn": "rnn_tanh"}.get(cell, cell))
    has_bias = len(weights[0]) == 4
    packed, *final = function(
        values[places],
        present.sum(1).cpu(),
        first,
        flat,
        has_bias,
        1,  # layers
        0.0,  # dropout between them
        torch.is_grad_enabled(),
        directions == 2,
    )
    hidden = torch.empty_like(packed).index_copy(0, places, packed)
    finals = [
        state.index_copy(1, order, last)
        for state, last in zip((hidden0, cell0), final, strict=False)
    ]
    return hidden, State(*finals)


class _Recurrent(nn.Module):
    """What the modules below share; start and final states have torch's shapes.

    Args:
        input_size: E.
        hidden_size: H.
        num_layers: layers on top of each other.
        bias: whether there are bias_ih and bias_hh.
        dropout: share of values left out between layers in training, each on its own as in torch.
        bidirectional: whether every layer walks in both directions.
    """

    cell: str

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.dropout = dropout
        self.bidirectional = bidirectional
        rows = len(CELLS[self.cell].gates) * hidden_size
        for layer in range(num_layers):
            width = hidden_size * self.directions if layer else input_size
            for ending in self.endings(layer):
                shapes = {"weight_ih": (rows, width), "weight_hh": (rows, hidden_size)}
                if bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}  # type: ignore[dict-item]
                for name, shape in shapes.items():
                    self.register_parameter(f"{name}_{ending}", nn.Parameter(torch.empty(shape)))
        self.reset_parameters()

    @property
    def directions(self) -> int:
        """1, or 2 if the module is bidirectional."""
        return 2 if self.bidirectional else 1

    def endings(self, layer: int) -> list[str]:
        """How the names of a layer's parameters end, per direction."""
        return [f"l{layer}", f"l{layer}_reverse"][: self.directions]

    def weights(self, layer: int) -> list[list[Tensor]]:
        """A layer's parameters, as `recurrent_layer` takes them."""
        names = ["weight_ih", "weight_hh"] + ["bias_ih", "bias_hh"] * self.bias
        return [
            [getattr(self, f"{name}_{ending}") for name in names] for ending in self.endings(layer)
        ]

    def reset_parameters(self) -> None:
        """Uniform values within 1 / sqrt(H), drawn in torch's order."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        """The arguments, for print."""
        return (
            f"{self.input_size}, {self.hidden_size}, {self.num_layers}, bias={self.bias}, "
            f"dropout={self.dropout}, bidirectional={self.bidirectional}"
        )

    def _run(
        self, values: Tensor, offsets: Tensor, start: State | None, threads: int | None
    ) -> tuple[Tensor, State]:
        finals = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                values = nn.functional.dropout(values, self.dropout, self.training)
            rows = slice(layer * self.directions, (layer + 1) * self.directions)
            first = (
                None if start is None else State(*(None if s is None else s[rows] for s in start))
            )
            values, final = recurrent_layer(
                self.cell, values, offsets, self.weights(layer), first, threads
            )
            finals.append(final)
        cells = [final.cell for final in finals if final.cell is not None]
        hidden = torch.cat([final.hidden for final in finals])
        return values, State(hidden, torch.cat(cells) if cells else None)


class LSTM(_Recurrent):
    """Stacked LSTM layers over ragged batches; parameters as torch.nn.LSTM's."""

    cell = "lstm"

    def forward(
        self,
        values: Tensor,
        offsets: Tensor,
        start: tuple[Tensor, Tensor] | None = None,
        threads: int | None = None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(N, E) and (B + 1,) → hidden (N, D*H), final (hidden, cell), (num_layers*D, B, H) each."""
        hidden, final = self._run(values, offsets, State(*start) if start else None, threads)
        assert final.cell is not None  # noqa: S101
        return hidden, (final.hidden, final.cell)


class GRU(_Recurrent):
    """Stacked GRU layers over ragged batches; parameters as torch.nn.GRU's."""

    cell = "gru"

    def forward(
        self,
        values: Tensor,
        offsets: Tensor,
        start: Tensor | None = None,
        threads: int | None = None,
    ) -> tuple[Tensor, Tensor]:
        """(N, E) and (B + 1,) → hidden (N, D*H), final hidden (num_layers*D, B, H)."""
        first = State(start) if start is not None else None
        hidden, final = self._run(values, offsets, first, threads)
        return hidden, final.hidden


class RNN(GRU):
    """Stacked plain recurrent layers over ragged batches; parameters as torch.nn.RNN's.

    `nonlinearity` is tanh or relu; the other arguments are those of `LSTM`.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *args: Any,
        nonlinearity: str = "tanh",
        **named: Any,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"The nonlinearity of an RNN must be tanh or relu. Got {nonlinearity!r}."
            )
        self.cell = "rnn" if nonlinearity == "tanh" else "rnn_relu"
        super().__init__(input_size, hidden_size, *args, **named)
