"""Torch's own implementation under our modules, for what the kernel cannot take."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence

from gatewise.nn.layouts import RaggedTensor, packing, parts_of
from gatewise.nn.passes import like_torch, states_of


def as_torch(module: nn.RNNBase) -> nn.RNNBase:
    """Torch's own module with the state of one of ours: no copy, it shares everything."""
    kinds: dict[str, type[nn.RNNBase]] = {"LSTM": nn.LSTM, "GRU": nn.GRU}
    kind = kinds.get(module.mode, nn.RNN)
    twin = kind.__new__(kind)
    object.__setattr__(twin, "__dict__", module.__dict__)
    return twin


def run_by_torch(module: nn.RNNBase, input: Any, hx: Any) -> tuple[Any, Any]:
    """Torch's answer to a call module(input, hx); a ragged batch is packed for it.

    Raises:
        RuntimeError, ValueError: a shape or type does not fit.
    """
    if not isinstance(input, RaggedTensor):
        return as_torch(module).forward(input, hx)  # type: ignore[no-any-return]
    values, offsets = parts_of(input)
    bounds = offsets.cpu()
    if bounds[0] != 0 or bounds[-1] != len(values) or (bounds.diff() < 0).any():
        raise ValueError(
            f"offsets must rise from 0 to {len(values)}, the number of rows of values. "
            f"Got offsets from {bounds[0]} to {bounds[-1]}."
        )
    directions, texts = 2 if module.bidirectional else 1, len(offsets) - 1
    sizes = [module.proj_size or module.hidden_size]
    if module.mode == "LSTM":
        sizes.append(module.hidden_size)
    rows = module.num_layers * directions
    states = states_of(module, hx) or [values.new_zeros(rows, texts, size) for size in sizes]
    for state, size in zip(states, sizes, strict=True):
        module.check_hidden_size(state, (rows, texts, size))
    # Torch takes no empty texts; their final states are their first ones.
    kept, batch_sizes, places = packing(offsets)
    if len(kept) == 0:
        hidden = values.new_zeros(0, directions * sizes[0])
        return RaggedTensor(hidden, offsets), like_torch(module, states)
    kept, places = kept.to(values.device), places.to(values.device)
    first = like_torch(module, [state[:, kept] for state in states])
    output, last = as_torch(module).forward(PackedSequence(values[places], batch_sizes), first)
    final = [
        state.index_copy(1, kept, part)
        for state, part in zip(states, states_of(module, last), strict=True)
    ]
    return RaggedTensor(output.data[torch.argsort(places)], offsets), like_torch(module, final)
