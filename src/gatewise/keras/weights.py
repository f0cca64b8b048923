"""Keras's weights as the kernel wants them.

Keras has kernel (E, G*H), recurrent_kernel (H, G*H) and bias, with the gates of an LSTM in the
order i f c o, which is the kernel's i f g o, and those of a GRU in the order z r h, where the
kernel has r z n. An LSTM and a SimpleRNN have one bias (G*H,), a GRU has two, (2, G*H).
"""

from __future__ import annotations

from typing import Any

import keras
import torch
from torch import Tensor


def kernel_cell(layer: Any) -> str | None:
    """The cell of `gatewise.cells` that a recurrent layer of Keras is; None if it is none."""
    activation = layer.cell.activation
    if isinstance(layer, keras.layers.SimpleRNN) and activation is keras.activations.relu:
        return "rnn_relu"
    if activation is not keras.activations.tanh:
        return None
    kinds = {keras.layers.LSTM: "lstm", keras.layers.GRU: "gru", keras.layers.SimpleRNN: "rnn"}
    return next(name for kind, name in kinds.items() if isinstance(layer, kind))


def cell_refusal(layer: Any) -> str | None:
    """Which argument makes a recurrent layer's cell another than the kernel's; None if none."""
    cell = layer.cell
    if kernel_cell(layer) is None:
        return f"activation={keras.activations.serialize(cell.activation)!r}"
    gates = getattr(cell, "recurrent_activation", None)
    if gates not in (None, keras.activations.sigmoid):
        return f"recurrent_activation={keras.activations.serialize(gates)!r}"
    return None if getattr(cell, "reset_after", True) else "reset_after=False"


def kernel_weights(cell: Any) -> list[Tensor]:
    """weight_ih (G*H, E), weight_hh (G*H, H) and, if there is a bias, bias_ih and bias_hh.

    Args:
        cell: a built LSTMCell, GRUCell with reset_after, or SimpleRNNCell.
    """
    weights = [
        keras.ops.convert_to_tensor(cell.kernel).T,
        keras.ops.convert_to_tensor(cell.recurrent_kernel).T,
    ]
    if cell.bias is not None:
        bias = keras.ops.convert_to_tensor(cell.bias)
        weights += list(bias) if bias.dim() == 2 else [bias, torch.zeros_like(bias)]
    if isinstance(cell, keras.layers.GRUCell):
        weights = [_reset_first(part, cell.units) for part in weights]
    return weights


def _reset_first(part: Tensor, units: int) -> Tensor:
    update, reset, candidate = torch.split(part, units)
    return torch.cat([reset, update, candidate])
