"""LSTM, GRU and RNN are torch.nn's in every mode; the truth is torch.nn in float64."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_sequence, unpack_sequence

from gatewise import nn
from gatewise.nn import RaggedTensor

KINDS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "lstm": (nn.LSTM, torch.nn.LSTM, {}),
    "gru": (nn.GRU, torch.nn.GRU, {}),
    "rnn": (nn.RNN, torch.nn.RNN, {}),
    "relu": (nn.RNN, torch.nn.RNN, {"nonlinearity": "relu"}),
}
LENGTHS = [3, 1, 9, 5, 9, 1]
FORMS = ("padded", "one text", "packed", "packed sorted", "ragged")
every_kind = pytest.mark.parametrize("kind", KINDS)
every_form = pytest.mark.parametrize("form", FORMS)


class Batch(NamedTuple):
    """A batch as a form of input, from texts that torch.nn can be asked too."""

    texts: int
    rows: list[Tensor]
    make: Callable[[Any, list[Tensor]], Any]
    take: Callable[[Any], Tensor]


def pair(kind: str, *sizes: Any, **options: Any) -> tuple[Any, Any]:
    """Our module and torch's with the same parameters."""
    mine, theirs, extra = KINDS[kind]
    ours, truth = mine(*sizes, **options, **extra), theirs(*sizes, **options, **extra)
    ours.load_state_dict(truth.state_dict())
    return ours, truth


def offsets_of(lengths: list[int]) -> Tensor:
    return torch.tensor([0, *lengths]).cumsum(0)


def batch_of(form: str, batch_first: bool, size: int = 5) -> Batch:
    lengths = {"padded": [7] * 4, "one text": [7], "packed sorted": sorted(LENGTHS)[::-1]}
    rows = [torch.randn(length, size) for length in lengths.get(form, LENGTHS)]
    dim = 0 if batch_first else 1
    makers: dict[str, Callable[[Any, list[Tensor]], Any]] = {
        "padded": lambda module, texts: torch.stack(texts, dim),
        "one text": lambda module, texts: texts[0],
        "packed": lambda module, texts: pack_sequence(texts, enforce_sorted=False),
        "packed sorted": lambda module, texts: pack_sequence(texts),
        # torch.nn, which is asked for the truth, takes no ragged batch.
        "ragged": lambda module, texts: (
            RaggedTensor(torch.cat(texts), offsets_of(LENGTHS))
            if isinstance(module, nn.modules.DropIn)
            else pack_sequence(texts, enforce_sorted=False)
        ),
    }

    def take(output: Any) -> Tensor:
        if isinstance(output, RaggedTensor):
            return output.values
        if isinstance(output, PackedSequence):
            return torch.cat(unpack_sequence(output))
        if form == "padded":
            return torch.cat(output.unbind(dim))
        assert isinstance(output, Tensor)
        return output

    return Batch(len(rows), rows, makers[form], take)


def answers(module: Any, form: Batch, start: list[Tensor], unbatched: bool) -> dict[str, Tensor]:
    """Outputs of a module and every gradient of a random loss of them, by name."""
    dtype = next(module.parameters()).dtype
    leaves = [part.to(dtype).clone().requires_grad_() for part in (*form.rows, *start)]
    rows, states = leaves[: form.texts], leaves[form.texts :]
    states = [state[:, 0] for state in states] if unbatched else states
    first = None
    if states:
        first = (states[0], states[1]) if module.mode == "LSTM" else states[0]
    torch.manual_seed(7)  # of the dropout between layers
    output, final = module(form.make(module, rows), first)
    hidden = form.take(output)
    finals = torch.cat([part.flatten() for part in final]) if module.mode == "LSTM" else final
    torch.manual_seed(8)
    loss = (hidden * torch.randn(hidden.shape)).sum() + (finals * torch.randn(finals.shape)).sum()
    torch.autograd.backward(loss)
    found = {"hidden": hidden, "finals": finals}
    found |= {f"d_input {i}": leaf.grad for i, leaf in enumerate(leaves) if leaf.grad is not None}
    return found | {name: part.grad for name, part in module.named_parameters()}


def check(got: dict[str, Tensor], wanted: dict[str, Tensor], tolerance: float = 1e-5) -> None:
    assert got.keys() == wanted.keys()
    for name, truth in wanted.items():
        assert got[name].shape == truth.shape, name
        error = (got[name] - truth).abs().max() / truth.abs().max()
        assert error < tolerance, (name, float(error))


@every_kind
@every_form
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("with_start", [False, True])
def test_every_mode_is_torch_s(
    kind: str, form: str, batch_first: bool, bidirectional: bool, layers: int, with_start: bool
) -> None:
    torch.manual_seed(layers)
    bias = layers != 2 or bidirectional  # each of them with and without
    options = {"bias": bias, "batch_first": batch_first, "bidirectional": bidirectional}
    ours, theirs = pair(kind, 5, 9, layers, **options)
    batch = batch_of(form, batch_first)
    states = 0 if not with_start else 2 if kind == "lstm" else 1
    start = [torch.randn(layers * (1 + bidirectional), batch.texts, 9) for _ in range(states)]
    unbatched = form == "one text"
    got = answers(ours, batch, start, unbatched)
    check(got, answers(theirs.double(), batch, start, unbatched))
    assert set(nn.runs_on(ours).values()) == {"kernel"}


@every_kind
@pytest.mark.parametrize("form", [form for form in FORMS if form != "ragged"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_dropout_leaves_out_what_torch_s_does(kind: str, form: str, batch_first: bool) -> None:
    torch.manual_seed(0)
    ours, theirs = pair(kind, 5, 9, 3, dropout=0.4, batch_first=batch_first)
    batch = batch_of(form, batch_first)
    # In float32: torch draws other numbers for float64.
    check(answers(ours, batch, [], False), answers(theirs, batch, [], False))
    again = [ours(batch.make(ours, batch.rows)) for _ in range(2)]
    assert not torch.equal(*(batch.take(output) for output, _ in again))
    ours, theirs = ours.eval(), theirs.eval()
    check(answers(ours, batch, [], False), answers(theirs.double(), batch, [], False))


def test_dropout_of_a_ragged_batch_leaves_out_its_share() -> None:
    torch.manual_seed(0)
    ragged = RaggedTensor(torch.randn(60, 5), offsets_of([20, 0, 40]))
    module: Any = nn.RNN(5, 200, 2, "relu", dropout=0.25)
    with torch.no_grad():
        module.weight_ih_l1.copy_(torch.eye(200))  # the second layer shows what reaches it
        module.weight_hh_l1.zero_()
        module.bias_ih_l1.fill_(0)
        module.bias_hh_l1.fill_(0)
    trained, answered = module.train()(ragged)[0].values, module.eval()(ragged)[0].values
    alive = answered > 0
    kept = trained[alive] > 0
    assert abs(kept.float().mean() - 0.75) < 0.02
    assert torch.allclose(trained[alive][kept] * 0.75, answered[alive][kept])
    module.train().dropout = 1.0
    assert not module(ragged)[0].values.any()


@every_kind
@pytest.mark.parametrize("bias", [True, False])
def test_state_dicts_move_both_ways(kind: str, bias: bool) -> None:
    ours, theirs = pair(kind, 5, 9, 2, bias=bias, bidirectional=True)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict())
    shapes = [[part.shape for part in layer] for layer in theirs.all_weights]
    assert [[part.shape for part in layer] for layer in ours.all_weights] == shapes


@every_kind
def test_first_values_are_torch_s(kind: str) -> None:
    mine, theirs, extra = KINDS[kind]
    torch.manual_seed(3)
    wanted = theirs(5, 9, 2, bidirectional=True, **extra)
    torch.manual_seed(3)
    got = mine(5, 9, 2, bidirectional=True, **extra)
    for name, tensor in wanted.state_dict().items():
        assert torch.equal(got.state_dict()[name], tensor), name
    assert repr(got) == repr(wanted)


def test_constructors_take_torch_s_arguments_in_torch_s_order() -> None:
    lstm = nn.LSTM(5, 9, 2, False, True, 0.5, True, 3, "cpu", torch.float64)
    wanted = torch.nn.LSTM(5, 9, 2, False, True, 0.5, True, 3, "cpu", torch.float64)
    relu = nn.RNN(5, 9, 2, "relu", False, True, 0.5, True)
    for got, other in (
        (lstm, wanted),
        (nn.GRU(5, 9, 2, False, True, 0.5, True), torch.nn.GRU(5, 9, 2, False, True, 0.5, True)),
        (relu, torch.nn.RNN(5, 9, 2, "relu", False, True, 0.5, True)),
    ):
        assert repr(got) == repr(other)
        shapes = {name: (part.shape, part.dtype) for name, part in other.named_parameters()}
        assert shapes == {name: (part.shape, part.dtype) for name, part in got.named_parameters()}
    assert relu.nonlinearity == "relu"
    with pytest.raises(ValueError, match=r"The nonlinearity of an RNN must be tanh or relu\. Got"):
        nn.RNN(5, 9, nonlinearity="sin")


@every_kind
@every_form
def test_what_the_kernel_cannot_take_torch_answers(kind: str, form: str) -> None:
    torch.manual_seed(0)
    options: dict[str, Any] = {"bidirectional": True}
    if kind == "lstm":
        options["proj_size"] = 4
    ours, theirs = pair(kind, 5, 9, 2, **options)
    batch = batch_of(form, False)
    got, wanted = ours.double(), theirs.double()
    check(answers(got, batch, [], False), answers(wanted, batch, [], False), 1e-12)
    assert nn.runs_on(ours) == {"": "torch: its weights are torch.float64"}


def test_one_odd_weight_is_enough_for_torch() -> None:
    ours = nn.LSTM(5, 9, 2)
    ours.bias_hh_l1 = torch.nn.Parameter(torch.zeros(36, dtype=torch.float64))
    assert nn.runs_on(ours) == {"": "torch: its weights are torch.float64"}


@every_kind
@pytest.mark.parametrize("with_start", [False, True])
def test_ragged_batches_may_hold_empty_texts(kind: str, with_start: bool) -> None:
    torch.manual_seed(0)
    ours, _ = pair(kind, 5, 9, 2, bidirectional=True)
    values, offsets = torch.randn(8, 5), offsets_of([0, 3, 0, 5, 0])
    first = [torch.randn(4, 5, 9) for _ in range(2 if kind == "lstm" else 1)]

    def call(module: Any, dtype: torch.dtype) -> list[Tensor]:
        states = [state.to(dtype) for state in first]
        start: Any = tuple(states) if kind == "lstm" else states[0]
        ragged = RaggedTensor(values.to(dtype), offsets)
        output, final = module.to(dtype)(ragged, start if with_start else None)
        assert torch.equal(output.offsets, offsets)
        return [output.values, *(final if kind == "lstm" else [final])]

    got = call(ours, torch.float32)
    for mine, truth in zip(got, call(copy.deepcopy(ours), torch.float64), strict=True):
        assert (mine - truth).abs().max() < 1e-6
    for final, state in zip(got[1:], first, strict=True):
        empty = state[:, [0, 2, 4]] * with_start
        assert torch.equal(final[:, [0, 2, 4]], empty)
    for dtype in (torch.float32, torch.float64):
        nothing = RaggedTensor(torch.zeros(0, 5, dtype=dtype), torch.zeros(3, dtype=torch.int64))
        assert ours.to(dtype)(nothing)[0].values.shape == (0, 18)


def test_packed_batches_keep_their_indices() -> None:
    packed = pack_sequence([torch.randn(length, 5) for length in LENGTHS], enforce_sorted=False)
    output = nn.LSTM(5, 9)(packed)[0]
    assert isinstance(output, PackedSequence)
    for got, wanted in zip(output[1:], packed[1:], strict=True):
        assert isinstance(got, Tensor)
        assert isinstance(wanted, Tensor)
        assert torch.equal(got, wanted)


@pytest.mark.parametrize("batch_first", [False, True])
def test_outputs_may_be_viewed(batch_first: bool) -> None:
    output, (hidden, cell) = nn.LSTM(5, 9, batch_first=batch_first)(torch.randn(4, 3, 5))
    assert output.is_contiguous()
    assert hidden.is_contiguous()
    assert cell.is_contiguous()


def test_batches_without_texts_are_torch_s() -> None:
    ours, theirs = pair("lstm", 5, 9, 2)
    got, wanted = ours(torch.zeros(4, 0, 5)), theirs(torch.zeros(4, 0, 5))
    assert got[0].shape == wanted[0].shape
    assert got[1][0].shape == wanted[1][0].shape


START = torch.zeros(1, 3, 9)
WRONG: list[tuple[Any, Any, Any]] = [
    (torch.zeros(4, 3, 6), None, RuntimeError),
    (torch.zeros(4, 3, 5, 1), None, ValueError),
    (torch.zeros(4, 3, 5).double(), None, ValueError),
    (torch.zeros(0, 3, 5), None, RuntimeError),
    (torch.zeros(4, 5), (START, START), RuntimeError),
    (torch.zeros(4, 3, 5), (START[:, :2], START[:, :2]), RuntimeError),
    (torch.zeros(4, 3, 5), (START, START[:, :2]), RuntimeError),
    (torch.zeros(4, 3, 5), (START,), (RuntimeError, IndexError)),
    (torch.zeros(4, 3, 5), (START, START, START), RuntimeError),
    (torch.zeros(4, 3, 5), START, (RuntimeError, IndexError)),
    (torch.zeros(4, 3, 5), (START[:, 0], START[:, 0]), RuntimeError),
    (pack_sequence([torch.zeros(4, 6)]), None, RuntimeError),
    (pack_sequence([torch.zeros(4, 5)]), (START, START), RuntimeError),
    (pack_sequence([torch.zeros(4, 5)]), (START[:, :1],), RuntimeError),
]


@pytest.mark.parametrize(("input", "start", "kind"), WRONG)
def test_wrong_calls_are_refused_as_torch_does(input: Any, start: Any, kind: Any) -> None:
    ours, theirs = pair("lstm", 5, 9)
    # Torch answers packed batches that do not fit, with whatever it reads.
    if not isinstance(input, PackedSequence):
        with pytest.raises(kind):
            theirs(input, start)
    with pytest.raises(kind):
        ours(input, start)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_wrong_ragged_batches_are_refused(dtype: torch.dtype) -> None:
    module, values = nn.LSTM(5, 9, dtype=dtype), torch.zeros(4, 5, dtype=dtype)
    offsets: Any
    for offsets in ([0, 4], torch.tensor([0, 4], dtype=torch.int32), torch.tensor([0.0, 4.0])):
        with pytest.raises(
            ValueError, match=r"offsets must be an int64 tensor\. Got (a list|torch)"
        ):
            module(RaggedTensor(values, offsets))
    with pytest.raises(RuntimeError, match="two hidden states"):
        module(RaggedTensor(values, torch.tensor([0, 4])), (START[:, :1],))
    sentence = r"offsets must rise from 0 to 4, the number of rows of \w+\. Got offsets from 0 to 3"
    with pytest.raises(ValueError, match=sentence):
        module(RaggedTensor(values, torch.tensor([0, 3])))
    with pytest.raises(ValueError, match="offsets must rise"):
        module(RaggedTensor(values, torch.tensor([0, 5, 4])))
    with pytest.raises(RuntimeError, match=r"Expected hidden size \(1, 1, 9\), got \[1, 3, 9\]"):
        module(RaggedTensor(values, torch.tensor([0, 4])), (START, START))


@every_kind
def test_copies_and_files_answer_the_same(kind: str) -> None:
    ours, _ = pair(kind, 5, 9, 2)
    values = torch.randn(4, 3, 5)
    file = io.BytesIO()
    torch.save(ours, file)
    file.seek(0)
    for other in (copy.deepcopy(ours), torch.load(file, weights_only=False)):
        assert torch.equal(ours(values)[0], other(values)[0])
        with torch.no_grad():
            other.weight_hh_l0.zero_()
        assert not torch.equal(ours(values)[0], other(values)[0])
