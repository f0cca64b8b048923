"""One recurrent layer, forward and with its gradients, as Gatewise and torch have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from cases import Case, Lengths
from timing import Call
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from gatewise.nn.recurrent import recurrent_layer


@dataclass(frozen=True)
class Layer:
    """A contender; its calls handle `tokens` tokens."""

    forward: Call
    train: Call
    tokens: int


def ours(case: Case, **options: Any) -> Layer:
    """Gatewise's `recurrent_layer` through autograd, over the parameters of a torch module."""
    lengths = case.lengths()
    tokens = int(lengths.sum())
    offsets = torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)]))
    module = _torch_module(case)
    weights: Any = module.all_weights
    x = torch.randn(tokens, case.inputs, requires_grad=True)
    d_hidden = torch.randn(tokens, case.directions * case.size)

    def run() -> Tensor:
        return recurrent_layer(case.cell, x, offsets, weights, **options)[0]

    return _differentiated(module, x, run, d_hidden, tokens)


def torch_packed(case: Case) -> Layer:
    """`torch.nn` over a PackedSequence; packing counts, unpacking would come on top of it."""
    lengths = torch.from_numpy(case.lengths())
    module = _torch_module(case)
    x = torch.randn(case.texts, int(lengths.max()), case.inputs, requires_grad=True)
    d_hidden = torch.randn(int(lengths.sum()), case.directions * case.size)

    def run() -> Tensor:
        hidden: Tensor = module(pack_padded_sequence(x, lengths, batch_first=True))[0].data
        return hidden

    return _differentiated(module, x, run, d_hidden, len(d_hidden))


def torch_padded(
    case: Case, lengths: Lengths | None = None, kind: torch.dtype = torch.float32
) -> Layer:
    """`torch.nn` over a padded batch; what it answers in the padding is masked."""
    ends = torch.from_numpy(case.lengths() if lengths is None else lengths)
    module = _torch_module(case).to(kind)
    steps = int(ends.max())
    x = torch.randn(case.texts, steps, case.inputs, dtype=kind, requires_grad=True)
    mask = (torch.arange(steps) < ends[:, None])[:, :, None].to(kind)
    d_hidden = torch.randn(case.texts, steps, case.directions * case.size, dtype=kind)

    def run() -> Tensor:
        hidden: Tensor = module(x)[0] * mask
        return hidden

    return _differentiated(module, x, run, d_hidden, int(ends.sum()))


def torch_bucketed(case: Case) -> Layer:
    """The expert's way: the rows of 64 batches are sorted by length, then batched and padded.

    Four batches, from the longest to the shortest rows, stand for all of them.
    """
    layers = [torch_padded(case, lengths) for lengths in case.sorted_lengths()]
    return Layer(
        lambda: [layer.forward() for layer in layers],
        lambda: [layer.train() for layer in layers],
        sum(layer.tokens for layer in layers),
    )


def _torch_module(case: Case) -> nn.Module:
    module: nn.Module = getattr(nn, case.cell.upper())(
        case.inputs, case.size, batch_first=True, bidirectional=case.directions == 2
    )
    return module


def _differentiated(
    module: nn.Module, x: Tensor, run: Callable[[], Tensor], d_hidden: Tensor, tokens: int
) -> Layer:
    def forward() -> None:
        with torch.no_grad():
            run()

    def train() -> None:
        module.zero_grad(set_to_none=True)
        x.grad = None
        run().backward(d_hidden)  # type: ignore[no-untyped-call]

    return Layer(forward, train, tokens)
