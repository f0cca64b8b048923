"""The cells: equations, gate and state names, and a plain NumPy layer with every gradient.

This is the reference that the C++ kernel is tested against and the place to read what a cell does.
With x the token's vector, h the hidden state (the output), c the cell state, W and U the input and
the hidden weights, b their biases and ⊙ the elementwise product:

    LSTM  i = σ(W_i x + b_i + U_i h + b'_i)      input gate: how much of the candidate is written
          f = σ(W_f x + b_f + U_f h + b'_f)      forget gate: how much of the cell state is kept
          g = tanh(W_g x + b_g + U_g h + b'_g)   candidate: what could be written
          o = σ(W_o x + b_o + U_o h + b'_o)      output gate: how much of the cell state is shown
          c' = f ⊙ c + i ⊙ g
          h' = o ⊙ tanh(c')

    GRU   r = σ(W_r x + b_r + U_r h + b'_r)      reset gate: how much of the past the candidate sees
          z = σ(W_z x + b_z + U_z h + b'_z)      update gate: how much of the past is kept
          n = tanh(W_n x + b_n + r ⊙ (U_n h + b'_n))
          h' = (1 − z) ⊙ n + z ⊙ h

    RNN   h' = φ(W x + b + U h + b'), φ = tanh ("rnn") or relu ("rnn_relu")

Weights are torch's: the gates' rows stacked in the order given above, i f g o and r z n.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


class Weights(NamedTuple):
    """Weights (or their gradients) of one direction, in torch's shapes and gate order."""

    weight_ih: Array  # (G*H, E)
    weight_hh: Array  # (G*H, H)
    bias_ih: Array | None  # (G*H,)
    bias_hh: Array | None  # (G*H,)


class State(NamedTuple):
    """What a cell hands to its next step; `cell` is empty for cells that have none."""

    hidden: Array  # (B, H)
    cell: Array  # (B, H) or (B, 0)


@dataclass(frozen=True)
class Cell:
    """One kind of cell.

    Attributes:
        name: as options spell it.
        gates: names of the blocks of H rows of the weights, in torch's order.
        saved: names of the blocks of H values that a training pass saves per token.
        has_cell: whether there is a cell state beside the hidden state.
        step: (input product (B, G*H), hidden product (B, G*H), state) → (saved (B, S*H), state).
        gradient: (saved, state before, state after, gradient of the state after) → (gradient of
            the input product, of the hidden product, and of the state before save for what flows
            through the hidden product).
    """

    name: str
    gates: tuple[str, ...]
    saved: tuple[str, ...]
    has_cell: bool
    step: Callable[[Array, Array, State], tuple[Array, State]]
    gradient: Callable[[Array, State, State, State], tuple[Array, Array, State]]


def sigmoid(x: Array) -> Array:
    """σ(x) = 1 / (1 + exp(−x)), without overflow."""
    e: Array = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def _blocks(array: Array, count: int) -> list[Array]:
    return np.split(array, count, axis=-1)


def _join(*blocks: Array) -> Array:
    return np.concatenate(blocks, axis=-1)


def _lstm_step(inputs: Array, hiddens: Array, before: State) -> tuple[Array, State]:
    i, f, g, o = _blocks(inputs + hiddens, 4)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    cell = f * before.cell + i * g
    return _join(i, f, g, o), State(o * np.tanh(cell), cell)


def _lstm_gradient(
    saved: Array, before: State, after: State, d_after: State
) -> tuple[Array, Array, State]:
    i, f, g, o = _blocks(saved, 4)
    tanh_cell = np.tanh(after.cell)
    d_cell = d_after.cell + d_after.hidden * o * (1 - tanh_cell**2)
    d_sums = _join(
        d_cell * g * i * (1 - i),
        d_cell * before.cell * f * (1 - f),
        d_cell * i * (1 - g**2),
        d_after.hidden * tanh_cell * o * (1 - o),
    )
    return d_sums, d_sums, State(np.zeros_like(d_after.hidden), d_cell * f)


def _gru_step(inputs: Array, hiddens: Array, before: State) -> tuple[Array, State]:
    input_r, input_z, input_n = _blocks(inputs, 3)
    hidden_r, hidden_z, hidden_n = _blocks(hiddens, 3)
    r, z = sigmoid(input_r + hidden_r), sigmoid(input_z + hidden_z)
    n = np.tanh(input_n + r * hidden_n)
    return _join(n, r, z, hidden_n), State((1 - z) * n + z * before.hidden, before.cell)


def _gru_gradient(
    saved: Array, before: State, after: State, d_after: State
) -> tuple[Array, Array, State]:
    n, r, z, hidden_n = _blocks(saved, 4)
    d_hidden = d_after.hidden
    d_n = d_hidden * (1 - z) * (1 - n**2)
    d_r = d_n * hidden_n * r * (1 - r)
    d_z = d_hidden * (before.hidden - n) * z * (1 - z)
    return _join(d_r, d_z, d_n), _join(d_r, d_z, d_n * r), State(d_hidden * z, d_after.cell)


def _rnn_step(inputs: Array, hiddens: Array, before: State) -> tuple[Array, State]:
    hidden = np.tanh(inputs + hiddens)
    return hidden, State(hidden, before.cell)


def _rnn_gradient(
    saved: Array, before: State, after: State, d_after: State
) -> tuple[Array, Array, State]:
    d_sums = d_after.hidden * (1 - saved**2)
    return d_sums, d_sums, State(np.zeros_like(d_sums), d_after.cell)


def _relu_step(inputs: Array, hiddens: Array, before: State) -> tuple[Array, State]:
    hidden = np.maximum(inputs + hiddens, 0)
    return hidden, State(hidden, before.cell)


def _relu_gradient(
    saved: Array, before: State, after: State, d_after: State
) -> tuple[Array, Array, State]:
    d_sums = d_after.hidden * (saved > 0)
    return d_sums, d_sums, State(np.zeros_like(d_sums), d_after.cell)


_LSTM_GATES = ("input", "forget", "candidate", "output")
_GRU_GATES = ("reset", "update", "candidate")
# The saved blocks of the GRU begin with the three that receive the input product and end with the
# three that receive the hidden product, so that the kernel finds either side by side.
_GRU_SAVED = ("candidate", "reset", "update", "hidden_product")

CELLS = {
    cell.name: cell
    for cell in (
        Cell("lstm", _LSTM_GATES, _LSTM_GATES, True, _lstm_step, _lstm_gradient),
        Cell("gru", _GRU_GATES, _GRU_SAVED, False, _gru_step, _gru_gradient),
        Cell("rnn", ("candidate",), ("candidate",), False, _rnn_step, _rnn_gradient),
        Cell("rnn_relu", ("candidate",), ("candidate",), False, _relu_step, _relu_gradient),
    )
}

# Blocks of H rows in the weights of every cell.
GATE_COUNT = {name: len(cell.gates) for name, cell in CELLS.items()}


class Trace(NamedTuple):
    """What one direction over one text leaves behind: arrays of its T tokens, in text order."""

    hidden: Array  # (T, H)
    final: State  # (H,) each
    saved: Array  # (T, S*H)
    states: list[State]  # before each step, in walking order


class LayerResult(NamedTuple):
    """A layer's outputs over a ragged batch, and what its gradients need."""

    hidden: Array  # (N, D*H)
    final_hidden: Array  # (D, B, H)
    final_cell: Array  # (D, B, H), or (D, B, 0)
    saved: Array  # (D, N, S*H)
    traces: list[list[Trace]]  # [direction][text]


class LayerGradients(NamedTuple):
    """Gradients of a layer's inputs."""

    d_x: Array  # (N, E)
    d_weights: list[Weights]  # per direction
    d_hidden0: Array  # (D, B, H)
    d_cell0: Array  # (D, B, H), or (D, B, 0)


def _product(weight: Array, bias: Array | None, rows: Array) -> Array:
    return rows @ weight.T + (0 if bias is None else bias)


def _walk(length: int, direction: int) -> Sequence[int]:
    return range(length) if direction == 0 else range(length - 1, -1, -1)


def layer(
    cell: Cell,
    x: Array,
    offsets: NDArray[np.int64],
    weights: Sequence[Weights],
    *,
    hidden0: Array | None = None,
    cell0: Array | None = None,
) -> LayerResult:
    """One recurrent layer over the texts x[offsets[i] : offsets[i + 1]], x of shape (N, E).

    One entry of `weights` per direction; the second walks backwards. Start states (D, B, H) are
    zeros unless given; the final state of an empty text is its start state.
    """
    texts, size = len(offsets) - 1, weights[0].weight_hh.shape[1]
    cell_size = size if cell.has_cell else 0
    zeros = np.zeros((len(weights), texts, size), x.dtype)
    hidden0 = zeros if hidden0 is None else hidden0
    cell0 = zeros[:, :, :cell_size] if cell0 is None else cell0
    result = LayerResult(
        np.zeros((len(x), len(weights) * size), x.dtype),
        hidden0.copy(),
        cell0.copy(),
        np.zeros((len(weights), len(x), len(cell.saved) * size), x.dtype),
        [],
    )
    for d, weight in enumerate(weights):
        traces = []
        for text, (start, stop) in enumerate(pairwise(offsets)):
            trace = _walk_text(
                cell, weight, x[start:stop], State(hidden0[d, text], cell0[d, text]), d
            )
            result.hidden[start:stop, d * size : (d + 1) * size] = trace.hidden
            result.final_hidden[d, text], result.final_cell[d, text] = trace.final
            result.saved[d, start:stop] = trace.saved
            traces.append(trace)
        result.traces.append(traces)
    return result


def _walk_text(cell: Cell, weight: Weights, x: Array, state: State, direction: int) -> Trace:
    size = weight.weight_hh.shape[1]
    hidden = np.zeros((len(x), size), x.dtype)
    saved = np.zeros((len(x), len(cell.saved) * size), x.dtype)
    states = []
    for t in _walk(len(x), direction):
        states.append(state)
        inputs = _product(weight.weight_ih, weight.bias_ih, x[t])
        hiddens = _product(weight.weight_hh, weight.bias_hh, state.hidden)
        saved[t], state = cell.step(inputs, hiddens, state)
        hidden[t] = state.hidden
    return Trace(hidden, state, saved, states)


def layer_gradients(
    cell: Cell,
    x: Array,
    offsets: NDArray[np.int64],
    weights: Sequence[Weights],
    result: LayerResult,
    *,
    d_hidden: Array,
    d_final_hidden: Array | None = None,
    d_final_cell: Array | None = None,
) -> LayerGradients:
    """Every gradient of `layer`, from those of its outputs: d_hidden (N, D*H), finals (D, B, H)."""
    size = weights[0].weight_hh.shape[1]
    d_x = np.zeros_like(x)
    d_hidden0 = np.zeros_like(result.final_hidden)
    d_cell0 = np.zeros_like(result.final_cell)
    d_weights = []
    for d, weight in enumerate(weights):
        bias = None if weight.bias_ih is None else np.zeros_like(weight.bias_ih)
        d_weight = Weights(
            np.zeros_like(weight.weight_ih),
            np.zeros_like(weight.weight_hh),
            bias,
            None if bias is None else bias.copy(),
        )
        for text, (start, stop) in enumerate(pairwise(offsets)):
            trace = result.traces[d][text]
            d_state = State(
                np.zeros(size) if d_final_hidden is None else d_final_hidden[d, text],
                np.zeros_like(trace.final.cell) if d_final_cell is None else d_final_cell[d, text],
            )
            after = trace.final
            walk = list(zip(_walk(stop - start, d), trace.states, strict=True))
            for t, before in reversed(walk):
                from_above = d_hidden[start + t, d * size : (d + 1) * size]
                d_state = State(d_state.hidden + from_above, d_state.cell)
                d_inputs, d_hiddens, d_state = cell.gradient(trace.saved[t], before, after, d_state)
                through_product = d_hiddens @ weight.weight_hh
                d_state = State(d_state.hidden + through_product, d_state.cell)
                d_x[start + t] += d_inputs @ weight.weight_ih
                d_weight.weight_ih[...] += np.outer(d_inputs, x[start + t])
                d_weight.weight_hh[...] += np.outer(d_hiddens, before.hidden)
                if d_weight.bias_ih is not None and d_weight.bias_hh is not None:
                    d_weight.bias_ih[...] += d_inputs
                    d_weight.bias_hh[...] += d_hiddens
                after = before
            d_hidden0[d, text], d_cell0[d, text] = d_state
        d_weights.append(d_weight)
    return LayerGradients(d_x, d_weights, d_hidden0, d_cell0)
