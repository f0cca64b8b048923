"""One pass of a recurrent module, torch's or ours, through the kernel.

`refusal` says why the kernel cannot take a module; `run` takes it. Arguments and answers are those
of torch.nn.LSTM, GRU and RNN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from gatewise.nn.layouts import RaggedTensor, packed_layout, parts_of
from gatewise.nn.recurrent import State, recurrent_layer

CELL_NAMES = {"LSTM": "lstm", "GRU": "gru", "RNN_TANH": "rnn", "RNN_RELU": "rnn_relu"}

Weights = list[list[nn.Parameter]]


def refusal(module: nn.RNNBase, weights: Weights) -> str | None:
    """Why torch, not the kernel, must take a call of a module that came now; None if it need not.

    Args:
        module: torch.nn's or ours.
        weights: its `all_weights`, which costs time to compute where it is parametrized.
    """
    for layer in weights:
        reason = tensor_refusal(layer)
        if reason is not None:
            return f"its weights are {reason}"
    if module.proj_size:
        return f"it has projections (proj_size={module.proj_size})"
    return context_refusal()


def tensor_refusal(tensors: Iterable[Tensor]) -> str | None:
    """What of tensors the kernel cannot take: their device or type; None if nothing."""
    for tensor in tensors:
        if tensor.device.type != "cpu":
            return f"on {tensor.device}"
        if tensor.dtype != torch.float32:
            return f"{tensor.dtype}"
    return None


def context_refusal() -> str | None:
    """Why torch, not the kernel, must take a call that came now, whatever its tensors."""
    if torch.is_autocast_enabled("cpu"):
        return "torch.autocast is on"
    if torch.compiler.is_compiling():
        return None
    if torch._C._is_tracing():
        return "it is being traced"
    # The kernel knows gradients (backward), but neither vmap nor forward-mode derivatives.
    if forward_ad._current_level >= 0 or torch._C._functorch.peek_interpreter_stack() is not None:
        return "a transform of torch.func or forward-mode differentiation is on"
    return None


def run(module: nn.RNNBase, weights: Weights, input: Any, hx: Any) -> tuple[Any, Any]:
    """The kernel's answer to a call module(input, hx) that `refusal` does not refuse.

    Raises:
        RuntimeError, ValueError: a shape or type does not fit; torch's own words where torch takes
            the same form of input.
    """
    if isinstance(input, PackedSequence):
        return _run_packed(module, weights, input, hx)
    states = states_of(module, hx)
    if isinstance(input, RaggedTensor):
        values, offsets = parts_of(input)
        _check_states(module, states, offsets.shape[0] - 1)
        hidden, final = _layers(module, weights, values, offsets, states)
        return RaggedTensor(hidden, offsets), like_torch(module, final)
    if input.dim() not in (2, 3):
        raise ValueError(
            f"The input of a recurrent module must have 2 or 3 dimensions. Got {input.dim()}."
        )
    if input.dim() == 2:
        only = 0 if module.batch_first else 1
        states = [state.unsqueeze(1) for state in states]
        hidden, final = _run_padded(module, weights, input.unsqueeze(only), states)
        return hidden.squeeze(only), like_torch(module, [state.squeeze(1) for state in final])
    hidden, final = _run_padded(module, weights, input, states)
    return hidden, like_torch(module, final)


def _run_packed(module: nn.RNNBase, weights: Weights, input: Any, hx: Any) -> tuple[Any, Any]:
    data, batch_sizes, sorted_indices, unsorted_indices = input
    module.check_input(data, batch_sizes)
    # The length of the indices needs no look at the data, which torch.compile could not follow.
    texts = batch_sizes[0].item() if sorted_indices is None else sorted_indices.shape[0]
    states = states_of(module, hx)
    _check_states(module, states, texts)
    if sorted_indices is not None:
        states = [state.index_select(1, sorted_indices) for state in states]
    layout = packed_layout(batch_sizes, data.shape[0], texts)
    hidden, final = _layers(
        module, weights, layout.to_ragged(data), layout.offsets, states, layout.to_ragged
    )
    if unsorted_indices is not None:
        final = [state.index_select(1, unsorted_indices) for state in final]
    hidden = layout.from_ragged(hidden)
    output = PackedSequence(hidden, batch_sizes, sorted_indices, unsorted_indices)
    return output, like_torch(module, final)


def _run_padded(
    module: nn.RNNBase, weights: Weights, input: Tensor, states: list[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    module.check_input(input, None)
    sizes = input.shape[:2]
    texts, steps = sizes if module.batch_first else sizes[::-1]
    _check_states(module, states, texts)
    if steps == 0:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")

    def to_ragged(rows: Tensor) -> Tensor:  # from torch's order, step by step
        by_step = rows.view(steps, texts, rows.shape[1])
        return by_step.transpose(0, 1).contiguous().view(rows.shape)

    by_text = input if module.batch_first else input.transpose(0, 1)
    values = by_text.contiguous().view(texts * steps, module.input_size)
    offsets = torch.arange(texts + 1) * steps
    hidden, final = _layers(module, weights, values, offsets, states, to_ragged)
    output = hidden.view(texts, steps, hidden.shape[1])
    if not module.batch_first:
        output = output.transpose(0, 1).contiguous()
    return output, final


def _layers(
    module: nn.RNNBase,
    weights: Weights,
    values: Tensor,
    offsets: Tensor,
    states: Sequence[Tensor],
    to_ragged: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, list[Tensor]]:
    """All layers over a ragged batch; `to_ragged` brings rows from torch's order to the batch's.

    Returns:
        (N, D*H), and the final hidden and, for an lstm, cell states (num_layers * D, B, H).
    """
    directions = 2 if module.bidirectional else 1
    finals: list[State] = []
    for layer in range(module.num_layers):
        if layer and module.dropout and module.training:
            values = _dropout(values, module.dropout, to_ragged)
        rows = slice(layer * directions, (layer + 1) * directions)
        start = State(*(state[rows] for state in states)) if states else None
        values, final = recurrent_layer(
            CELL_NAMES[module.mode], values, offsets, weights[rows], start
        )
        finals.append(final)
    cells = [final.cell for final in finals if final.cell is not None]
    hidden = torch.cat([final.hidden for final in finals])
    return values, [hidden, torch.cat(cells)] if cells else [hidden]


def _dropout(values: Tensor, share: float, to_ragged: Callable[[Tensor], Tensor] | None) -> Tensor:
    if to_ragged is None:
        return functional.dropout(values, share)
    # Drawn in torch's order of rows: the same seed leaves out the same values as torch.nn does.
    return values * to_ragged(functional.dropout(torch.ones_like(values), share))


def states_of(module: nn.RNNBase, hx: Any) -> list[Tensor]:
    """Torch's states as a list: none, hidden, or hidden and cell.

    Raises:
        RuntimeError: an LSTM has not got two.
    """
    if hx is None:
        return []
    if module.mode != "LSTM":
        return [hx]
    if len(hx) != 2:
        raise RuntimeError(f"lstm expects two hidden states, (hidden, cell). Got {len(hx)}.")
    return list(hx)


def like_torch(module: nn.RNNBase, states: list[Tensor]) -> Any:
    """The inverse of `states_of`."""
    return tuple(states) if module.mode == "LSTM" else states[0]


def _check_states(module: nn.RNNBase, states: list[Tensor], texts: int) -> None:
    rows = module.num_layers * (2 if module.bidirectional else 1)
    for state in states:
        module.check_hidden_size(state, (rows, texts, module.hidden_size))
