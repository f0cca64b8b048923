"""accelerate: torch.nn's own modules run on the kernel, and nothing else changes."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import gatewise
from gatewise.nn import acceleration, passes, runs_on

KINDS: tuple[Any, ...] = (torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN)
FORWARDS = [kind.forward for kind in KINDS]


class Tagger(torch.nn.Module):
    """What people build on packed sequences."""

    def __init__(self, kind: Any, **options: Any) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(50, 16)
        self.encoder = kind(16, 24, 2, batch_first=True, bidirectional=True, **options)
        self.head = torch.nn.Linear(48, 7)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        rows = pack_padded_sequence(
            self.embedding(ids), lengths, batch_first=True, enforce_sorted=False
        )
        hidden = pad_packed_sequence(self.encoder(rows)[0], batch_first=True)[0]
        scores: Tensor = self.head(hidden)
        return scores


class Scaled(torch.nn.LSTM):
    """Has a forward of its own, which calls torch's."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        output, final = super().forward(input, hx)
        return 2 * output, final


class Named(torch.nn.GRU):
    """Is torch.nn.GRU by another name."""


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modes of the modules whose passes the kernel took."""
    seen: list[str] = []

    def run(module: Any, *args: Any) -> Any:
        seen.append(module.mode)
        return passes.run(module, *args)

    monkeypatch.setattr(acceleration, "run", run)
    return seen


def outcome(model: Any, *inputs: Any) -> list[Tensor]:
    """Output and gradients; dropout draws the same numbers every time."""
    model.zero_grad()
    torch.manual_seed(1)
    output = model(*inputs)
    output = output[0] if isinstance(output, tuple) else output
    torch.autograd.backward(output.square().sum())
    return [output, *(part.grad.clone() for part in model.parameters())]


def check_close(got: list[Tensor], wanted: list[Tensor]) -> None:
    for one, other in zip(got, wanted, strict=True):
        assert (one - other).abs().max() <= 1e-5 * other.abs().max()


@pytest.mark.parametrize("kind", KINDS)
def test_a_tagger_trains_and_answers_the_same(kind: Any, passed: list[str]) -> None:
    torch.manual_seed(0)
    model = Tagger(kind, dropout=0.3)
    ids, lengths = torch.randint(50, (8, 12)), torch.tensor([12, 3, 1, 7, 7, 12, 5, 2])
    wanted, answer = outcome(model, ids, lengths), model.eval()(ids, lengths)
    assert not passed
    with gatewise.accelerate(), torch.no_grad():
        assert torch.allclose(model(ids, lengths), answer, atol=1e-5)
    with gatewise.accelerate():
        check_close(outcome(model.train(), ids, lengths), wanted)
    assert passed == [model.encoder.mode] * 2
    outcome(model, ids, lengths)
    assert len(passed) == 2


def test_blocks_nest_and_leave_torch_as_it_was() -> None:
    assert [kind.forward for kind in KINDS] == FORWARDS
    outer = gatewise.accelerate()
    accelerated = [kind.forward for kind in KINDS]
    assert all(one is not other for one, other in zip(accelerated, FORWARDS, strict=True))
    with gatewise.accelerate() as inner:
        outer.stop()
        outer.stop()
        assert [kind.forward for kind in KINDS] == accelerated
        with pytest.raises(KeyError), gatewise.accelerate():
            raise KeyError
        assert [kind.forward for kind in KINDS] == accelerated
    inner.stop()
    assert [kind.forward for kind in KINDS] == FORWARDS


def test_an_interrupt_leaves_torch_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(type):
        """Classes of this kind are interrupted when their forward changes."""

        armed = False

        def __setattr__(cls, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if Interrupted.armed:
                Interrupted.armed = False
                raise KeyboardInterrupt

    class Fragile(metaclass=Interrupted):
        def forward(self) -> None: ...

    before = [*FORWARDS[:1], Fragile.forward, *FORWARDS[1:]]
    kinds = (KINDS[0], Fragile, *KINDS[1:])
    monkeypatch.setattr(acceleration, "KINDS", kinds)
    Interrupted.armed = True
    with pytest.raises(KeyboardInterrupt):
        gatewise.accelerate()
    assert [kind.forward for kind in kinds] == before
    with pytest.raises(KeyboardInterrupt), gatewise.accelerate():
        Interrupted.armed = True
    assert [kind.forward for kind in kinds] == before
    with gatewise.accelerate():
        assert not set(before) & {kind.forward for kind in kinds}
    assert [kind.forward for kind in kinds] == before


def test_patches_of_others_stay(monkeypatch: pytest.MonkeyPatch, passed: list[str]) -> None:
    monkeypatch.setattr(torch.nn.GRU, "forward", FORWARDS[1])  # so that it comes back
    module, batch = torch.nn.GRU(5, 9), torch.randn(20, 4, 5)
    acceleration = gatewise.accelerate()
    ours: Any = torch.nn.GRU.forward

    def theirs(self: Any, input: Any, hx: Any = None) -> Any:
        output, final = ours(self, input, hx)
        return 2 * output, final

    monkeypatch.setattr(torch.nn.GRU, "forward", theirs)
    wanted = module(batch)[0]
    assert passed.pop() == "GRU"
    acceleration.stop()
    assert torch.nn.GRU.forward is theirs
    assert torch.allclose(module(batch)[0], wanted, atol=1e-5)
    assert not passed  # theirs calls what it found, and that calls torch's


def test_many_threads_turn_it_on_and_off() -> None:
    module, batch = torch.nn.GRU(5, 9), torch.randn(20, 4, 5)
    wanted = module(batch)[0].detach()
    wrong: list[float] = []

    def work() -> None:
        for _ in range(30):
            with gatewise.accelerate(), torch.no_grad():
                error = float((module(batch)[0] - wanted).abs().max())
                if error > 1e-5:
                    wrong.append(error)

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong
    assert [kind.forward for kind in KINDS] == FORWARDS


def test_every_module_says_where_it_runs() -> None:
    model = torch.nn.ModuleDict(
        {
            "plain": torch.nn.LSTM(5, 9),
            "precise": torch.nn.GRU(5, 9).double(),
            "projected": torch.nn.LSTM(5, 9, proj_size=4),
            "named": Named(5, 9),
            "scaled": Scaled(5, 9),
            "ours": gatewise.nn.LSTM(5, 9),
            "other": torch.nn.Linear(5, 9),
        }
    )
    off = "torch: gatewise.accelerate() is off"
    lists = {
        "precise": "torch: its weights are torch.float64",
        "projected": "torch: it has projections (proj_size=4)",
        "ours": "kernel",
    }
    assert runs_on(model) == {"plain": off, "named": off, "scaled": off, **lists}
    with gatewise.accelerate():
        on = {"plain": "kernel", "named": "kernel"}
        scaled = "torch: Scaled has a forward of its own"
        assert runs_on(model) == {**on, "scaled": scaled, **lists}


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_what_the_kernel_cannot_take_is_left_alone(passed: list[str]) -> None:
    torch.manual_seed(0)
    batch = torch.randn(600, 2, 5)
    for module, rows in (
        (torch.nn.LSTM(5, 9).double(), batch.double()),
        (torch.nn.LSTM(5, 9, proj_size=4), batch),
        (torch.nn.LSTM(5, 9), batch[:20]),  # few rows
        (torch.nn.GRU(5, 9), batch[:5]),
        (torch.nn.GRU(5, 9, device="meta"), batch.to("meta")),
    ):
        wanted = module(rows)[0]
        with gatewise.accelerate():
            got = module(rows)[0]
        assert got.is_meta or torch.equal(got, wanted)
    lstm, long = torch.nn.LSTM(5, 9), torch.randn(600, 2, 5)
    with gatewise.accelerate(), torch.no_grad():
        lstm(long)
    with gatewise.accelerate():
        lstm.requires_grad_(False)(long)
    assert not passed
    with gatewise.accelerate():
        lstm(long.requires_grad_())
        lstm.requires_grad_(True)(long.detach())
    assert passed == ["LSTM", "LSTM"]
    del passed[:]
    with gatewise.accelerate(), torch.autocast("cpu"):
        assert torch.nn.LSTM(5, 9)(batch)[0].dtype == torch.bfloat16
    assert not passed


def test_subclasses_are_accelerated_where_they_call_torch_s(passed: list[str]) -> None:
    torch.manual_seed(0)
    batch = torch.randn(40, 20, 5)
    for module, count in ((Named(5, 9), 1), (Scaled(5, 9), 2)):
        wanted = outcome(module, batch)
        with gatewise.accelerate():
            check_close(outcome(module, batch), wanted)
        assert len(passed) == count


def test_errors_stay_errors() -> None:
    with gatewise.accelerate():
        with pytest.raises(RuntimeError, match=r"Expected 5, got 6"):
            torch.nn.GRU(5, 9)(torch.zeros(40, 3, 6))
        with pytest.raises(ValueError, match=r"does not match weight dtype"):
            torch.nn.GRU(5, 9)(torch.zeros(40, 3, 5).double())
        with pytest.raises(ValueError, match=r"2D or 3D"):
            torch.nn.GRU(5, 9)(torch.zeros(5))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")  # torch.jit is on its way out
def test_scripts_traces_and_programs_need_no_gatewise(kind: Any) -> None:
    model, batch = torch.nn.Sequential(kind(5, 9)), torch.randn(40, 20, 5)
    trace: Any = torch.jit.trace
    with gatewise.accelerate():
        made = torch.jit.script(model), trace(model, batch)
        program = torch.export.export(model, (batch,)).module()
        wanted = model(batch)[0]
    for other in made:
        assert "gatewise::" not in str(other.inlined_graph)
        assert torch.allclose(other(batch)[0], wanted, atol=1e-6)
    assert "gatewise" not in str(program.graph)
    assert torch.allclose(program(batch)[0], wanted, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_compiled_models_are_accelerated(passed: list[str]) -> None:
    torch.compiler.reset()
    torch.manual_seed(0)
    model = Tagger(torch.nn.GRU)
    ids, lengths = torch.randint(50, (8, 12)), torch.tensor([12, 3, 1, 7, 7, 12, 5, 2])
    wanted = outcome(model, ids, lengths)
    compiled = torch.compile(model, backend="aot_eager")
    check_close(outcome(compiled, ids, lengths), wanted)
    with gatewise.accelerate():
        check_close(outcome(compiled, ids, lengths), wanted)
    assert passed
    del passed[:]
    check_close(outcome(compiled, ids, lengths), wanted)
    assert not passed
