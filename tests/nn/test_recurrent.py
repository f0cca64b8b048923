"""The layer as a function: values and gradients as torch.nn's, and graphs that behave."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from gatewise import kernels
from gatewise.errors import OptionError
from gatewise.nn import GRU, LSTM, RNN, RaggedTensor, recurrent
from gatewise.nn.operators import recurrent_backward, recurrent_forward
from gatewise.nn.recurrent import State, packed_layer, recurrent_layer

MODULES = {"lstm": (LSTM, torch.nn.LSTM), "gru": (GRU, torch.nn.GRU), "rnn": (RNN, torch.nn.RNN)}
LENGTHS = [3, 0, 1, 20, 7]
every_module = pytest.mark.parametrize("cell", MODULES)


def offsets_of(lengths: list[int]) -> Tensor:
    return torch.tensor([0, *lengths]).cumsum(0)


def pair(cell: str, *sizes: int, **options: Any) -> tuple[Any, Any]:
    """Our module and torch's with the same parameters."""
    ours, theirs = (kind(*sizes, **options) for kind in MODULES[cell])
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def ragged(module: Any, values: Tensor, offsets: Tensor) -> tuple[Tensor, Any]:
    """Our module over a ragged batch."""
    output, final = module(RaggedTensor(values, offsets))
    return output.values, final


def by_torch(module: Any, values: Tensor, lengths: list[int], start: Any = None) -> Any:
    """torch.nn over texts that all have tokens, packed."""
    texts = list(torch.split(values, lengths))
    packed = torch.nn.utils.rnn.pack_sequence(texts, enforce_sorted=False)
    output, final = module(packed, start)
    hidden = torch.nn.utils.rnn.unpack_sequence(output)
    return torch.cat(hidden), final


def relative(got: Tensor, wanted: Tensor) -> float:
    return float(((got - wanted).abs().max() / wanted.abs().max()).detach())


@every_module
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("with_start", [False, True])
def test_packed_layer_is_the_kernel(cell: str, bidirectional: bool, with_start: bool) -> None:
    torch.manual_seed(1)
    module = MODULES[cell][0](5, 9, bidirectional=bidirectional)
    offsets, directions = offsets_of(LENGTHS), 1 + bidirectional
    answers = []
    for layer in (recurrent_layer, packed_layer):
        torch.manual_seed(2)
        values = torch.randn(31, 5, requires_grad=True)
        first, other = (torch.randn(directions, 5, 9, requires_grad=True) for _ in range(2))
        start = State(first, other if cell == "lstm" else None) if with_start else None
        hidden, final = layer(cell, values, offsets, module.all_weights, start)
        loss = (hidden * torch.randn_like(hidden)).sum()
        for state in final:
            if state is not None:
                loss = loss + (state * torch.randn_like(state)).sum()
        leaves = [values, *module.parameters()]
        if start is not None:
            leaves += [state for state in start if state is not None]
        answers.append([hidden, *(s for s in final if s is not None)])
        answers[-1] += torch.autograd.grad(loss, leaves)
    for got, wanted in zip(*answers, strict=True):
        assert relative(got, wanted) < 5e-6


@every_module
def test_packed_layer_takes_empty_batches(cell: str) -> None:
    module = MODULES[cell][0](5, 9)
    for lengths in ([], [0, 0]):
        hidden, final = packed_layer(
            cell, torch.zeros(0, 5), offsets_of(lengths), module.all_weights
        )
        assert hidden.shape == (0, 9)
        assert torch.equal(final.hidden, torch.zeros(1, len(lengths), 9))


def test_other_devices_take_the_packed_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurrent, "packed_layer", lambda *args: ("packed", args[0]))
    answer: Any = recurrent_layer(
        "gru", torch.empty(0, 5, device="meta"), torch.tensor([0]), GRU(5, 9).all_weights
    )
    assert answer == ("packed", "gru")


@every_module
def test_graph_may_be_walked_back_twice(cell: str) -> None:
    module = MODULES[cell][0](5, 9, 2)
    values = torch.randn(31, 5, requires_grad=True)
    hidden = ragged(module, values, offsets_of(LENGTHS))[0]
    first = torch.autograd.grad(hidden.sum(), values, retain_graph=True)[0]
    again = torch.autograd.grad(hidden.sum(), values)[0]
    assert torch.equal(first, again)


def test_second_derivatives_are_refused() -> None:
    values = torch.randn(31, 5, requires_grad=True)
    hidden = ragged(LSTM(5, 9), values, offsets_of(LENGTHS))[0]
    (gradient,) = torch.autograd.grad(hidden.square().sum(), values, create_graph=True)
    with pytest.raises(RuntimeError, match=r"first derivatives only.*accelerate\(\) is on"):
        torch.autograd.backward(gradient.sum())


def test_options_that_could_not_be_kept_are_refused() -> None:
    module: Any = LSTM(5, 9)
    values, offsets = torch.randn(31, 5), offsets_of(LENGTHS)
    with pytest.raises(OptionError, match=r"int8 is for answers.* inside torch\.no_grad"):
        recurrent_layer("lstm", values, offsets, module.all_weights, precision="int8")
    weights = module.to("meta").all_weights
    options: Any
    for options in ({"precision": "bf16"}, {"threads": 2}):
        with pytest.raises(OptionError, match=r"must be None and fp32 for values on meta\. Got"):
            recurrent_layer("lstm", values.to("meta"), offsets, weights, **options)


def test_changed_inputs_are_noticed() -> None:
    module: Any = LSTM(5, 9)
    values = torch.randn(31, 5)
    hidden = ragged(module, values, offsets_of(LENGTHS))[0]
    with torch.no_grad():
        module.weight_hh_l0.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.backward(hidden.sum())


@every_module
def test_weights_may_be_copies(cell: str) -> None:
    torch.manual_seed(0)
    module: Any = MODULES[cell][0](5, 9)
    values, offsets = torch.randn(31, 5), offsets_of(LENGTHS)
    mask = (torch.rand_like(module.weight_hh_l0) > 0.5).float()
    weight_ih, weight_hh, *biases = module.all_weights[0]
    dropped = [[weight_ih, weight_hh * mask, *biases]]
    torch.autograd.backward(recurrent_layer(cell, values, offsets, dropped)[0].sum())
    got = module.weight_hh_l0.grad.clone()
    module.zero_grad()
    with torch.no_grad():
        module.weight_hh_l0.mul_(mask)
    torch.autograd.backward(ragged(module, values, offsets)[0].sum())
    assert torch.equal(got, module.weight_hh_l0.grad * mask)


@every_module
def test_final_state_alone_gives_gradients(cell: str) -> None:
    torch.manual_seed(0)
    ours, theirs = pair(cell, 5, 9)
    values, lengths = torch.randn(31, 5), [3, 1, 20, 7]
    for module, final in (
        (ours, ragged(ours, values, offsets_of(lengths))[1]),
        (theirs, by_torch(theirs, values, lengths)[1]),
    ):
        last = final[0] if cell == "lstm" else final
        last.square().sum().backward()
        assert module.weight_hh_l0.grad is not None
    assert relative(ours.weight_hh_l0.grad, theirs.weight_hh_l0.grad) < 5e-6


def test_nothing_is_saved_without_gradients() -> None:
    module, offsets = LSTM(5, 9), offsets_of(LENGTHS)
    with torch.no_grad():
        assert ragged(module, torch.randn(31, 5), offsets)[0].grad_fn is None
    module.requires_grad_(False)
    assert ragged(module, torch.randn(31, 5), offsets)[0].grad_fn is None
    assert ragged(module, torch.randn(31, 5, requires_grad=True), offsets)[0].grad_fn is not None


@pytest.mark.parametrize("bidirectional", [False, True])
def test_any_number_of_threads_gives_the_same_bits(bidirectional: bool) -> None:
    module, values = LSTM(5, 9, bidirectional=bidirectional), torch.randn(31, 5)
    answers = [
        recurrent_layer("lstm", values, offsets_of(LENGTHS), module.all_weights, threads=threads)[0]
        for threads in (1, 2, 3)
    ]
    assert torch.equal(answers[0], answers[1])
    assert torch.equal(answers[0], answers[2])


@pytest.mark.parametrize("bidirectional", [False, True])
@every_module
def test_operators_tell_the_truth_about_themselves(cell: str, bidirectional: bool) -> None:
    module = MODULES[cell][0](5, 9, bidirectional=bidirectional)
    flat = [part for direction in module.all_weights for part in direction]
    values, offsets = torch.randn(31, 5, requires_grad=True), offsets_of(LENGTHS)
    directions = 1 + bidirectional
    start = torch.randn(directions, 5, 9, requires_grad=True)
    cell0 = start.detach().clone().requires_grad_() if cell == "lstm" else None
    arguments = (cell, values, offsets, flat, directions, start, cell0)
    torch.library.opcheck(recurrent_forward, (*arguments, True, 1, "fp32"))
    detached = tree_map(lambda part: part.detach() if isinstance(part, Tensor) else part, arguments)
    hidden, final, _, gates, cells = recurrent_forward(*detached, True, 1, "fp32")
    d_cell = torch.ones_like(final) if cell == "lstm" else None
    saved = (hidden, gates, cells, torch.ones_like(hidden), None, d_cell, True, 1, "fp32")
    torch.library.opcheck(recurrent_backward, (*detached, *saved))


@pytest.mark.skipif(sys.platform != "linux", reason="torch brings its libgomp on Linux only.")
def test_layers_work_on_torch_s_threads_whichever_thread_calls() -> None:
    teams = []

    def call() -> None:
        ragged(LSTM(5, 9), torch.ones(31, 5), offsets_of(LENGTHS))
        teams.append(kernels.describe()["team"])

    for caller in (threading.Thread(target=call), threading.Thread(target=call)):
        caller.start()
        caller.join()
    assert teams == ["shared with torch"] * 2


def test_wrong_types_and_shapes_are_refused() -> None:
    module, offsets = LSTM(5, 9), offsets_of(LENGTHS)
    with pytest.raises(ValueError, match=r"x must be float32\. Got float64\."):
        ragged(module, torch.zeros(31, 5).double(), offsets)
    with pytest.raises(
        ValueError, match=r"x must have shape \(31, 5\) for an input size of 5\. Got \(31, 6\)\."
    ):
        ragged(module, torch.zeros(31, 6), offsets)
    with pytest.raises(ValueError, match=r"The nonlinearity of an RNN must be tanh or relu"):
        RNN(5, 9, nonlinearity="sin")
