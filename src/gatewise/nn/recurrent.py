"""Recurrent layers over ragged batches: LSTM, GRU and RNN with torch.nn's parameters.

`recurrent_layer` is one layer as a function of any weight tensors; the modules stack it. Parameter
names, shapes and first values are those of torch.nn.LSTM, GRU and RNN, so state dicts move both
ways. On the CPU the layer is the kernel; on other devices the batch is packed and handed to torch's
own layer (cuDNN).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gatewise.cells import CELLS
from gatewise.nn.operators import recurrent_forward

# Per direction weight_ih, weight_hh and, unless the layer has no bias, bias_ih and bias_hh.
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
    *,
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
    if values.device.type != "cpu":
        return packed_layer(cell, values, offsets, weights, start)
    flat = [part for direction in weights for part in direction]
    hidden0 = None if start is None else start.hidden
    cell0 = None if start is None else start.cell
    inputs = [values, *flat, *(state for state in (hidden0, cell0) if state is not None)]
    save = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs)
    if threads is None:
        threads = torch.get_num_threads()
    hidden, final_hidden, final_cell, _, _ = recurrent_forward(
        cell, values, offsets, flat, len(weights), hidden0, cell0, save, threads
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
    bounds = offsets.cpu()
    lengths = bounds.diff()
    order = torch.argsort(lengths, descending=True, stable=True)[: int((lengths > 0).sum())]
    if len(order) == 0:
        hidden = values.new_zeros(0, directions * size)
        return hidden, State(hidden0, cell0 if has_cell else None)
    steps = torch.arange(int(lengths.max()))[:, None]
    present = steps < lengths[order]  # (T, texts), true where a text still has a token
    places = (bounds[:-1][order] + steps)[present].to(values.device)
    texts_at = order.to(values.device)
    first = hidden0[:, texts_at], cell0[:, texts_at]
    packed, *final = getattr(torch._VF, {"rnn": "rnn_tanh"}.get(cell, cell))(
        values[places],
        present.sum(1),
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
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (rows, width),
                    "weight_hh": (rows, hidden_size),
                }
                if bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
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
            first = None
            if start is not None:
                cell = None if start.cell is None else start.cell[rows]
                first = State(start.hidden[rows], cell)
            values, final = recurrent_layer(
                self.cell, values, offsets, self.weights(layer), first, threads=threads
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
        """(N, E), (B + 1,) → hidden (N, D*H), final (hidden, cell) of (num_layers*D, B, H)."""
        hidden, final = self._run(values, offsets, State(*start) if start else None, threads)
        assert final.cell is not None
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
