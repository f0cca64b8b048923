"""Gradients against torch.nn's, tasks against their definition, learning that can fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from command_line import gatewise
from gatewise.errors import OptionError
from gatewise.memory import SYMBOLS, adding, copy, gradient_sizes, layer, learn, measure
from gatewise.options import CellName


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_gradients_are_those_of_torch_s_own_layers(cell: CellName, bias: float) -> None:
    torch.manual_seed(0)
    own = layer(cell, 3, 7, bias)
    theirs: Any = getattr(torch.nn, cell.upper())(3, 7, batch_first=True)
    theirs.load_state_dict(own.state_dict())
    theirs.double()
    inputs = torch.randn(5, 12, 3)
    torch.manual_seed(1)
    found = gradient_sizes(own, inputs)
    torch.manual_seed(1)
    direction = torch.randn(7).double()
    expected = []
    for distance in range(12):
        squares = []
        for text in inputs.double():
            steps = [step[None].requires_grad_() for step in text]
            last = theirs(torch.cat(steps)[None])[0][0, -1]
            (gradient,) = torch.autograd.grad(last @ direction, steps[11 - distance])
            squares.append(gradient.square().sum())
        expected.append(torch.stack(squares).mean().sqrt())
    torch.testing.assert_close(found.double(), torch.stack(expected), rtol=1e-4, atol=1e-7)


def test_what_is_to_be_remembered() -> None:
    inputs, wanted = copy(50, 6)
    ids = inputs.argmax(dim=2)
    assert torch.equal(ids[:, 0], wanted)
    assert int(wanted.max()) < SYMBOLS <= int(ids[:, 1:].min())
    inputs, wanted = adding(50, 7)
    for row, total in zip(inputs.tolist(), wanted.tolist(), strict=True):
        marked = [place for place, (_, mark) in enumerate(row) if mark]
        assert len(marked) == 2
        assert marked[0] < 3 <= marked[1]
        assert total == pytest.approx(sum(row[place][0] for place in marked))


def test_short_sequences_are_learned_and_too_few_steps_are_not_enough() -> None:
    found = learn("copy", "lstm", 4, 400, 0)
    assert found.solved
    assert found.score >= 0.99
    assert not learn("adding", "rnn", 4, 1, 0).solved
    assert learn("copy", "lstm", 4, 400, 0) == found


def test_whoever_fails_is_not_tried_at_longer_ones() -> None:
    seen: list[Any] = []
    found = measure(lengths=[6, 3], steps=1, distance=60, told=seen.append)
    assert found.outcomes == tuple(seen)
    assert [(o.task, o.cell, o.length) for o in seen] == [
        (task, cell, 3) for task in ("copy", "adding") for cell in ("rnn", "gru", "lstm")
    ]
    assert found.outcome("copy", "rnn", 6) is None
    # An open forget gate carries the gradient further than all others by orders of magnitude.
    at = {name: sizes[60] for name, sizes in found.gradients.items()}
    for name in ("RNN", "GRU", "LSTM, forget bias 0"):
        assert at["LSTM, forget bias 1"] > 100 * at[name]
        assert found.gradients[name][0] == 1
    with pytest.raises(OptionError, match=r"Lengths must be from 2.* Got lengths 1, steps 1"):
        measure(lengths=[1], steps=1)
    with pytest.raises(OptionError, match=r"threads from 1.* Got .* threads 0, seed 0"):
        measure(threads=0)


def test_threads_are_those_that_were_asked_for_and_then_those_before() -> None:
    seen: list[int] = []
    before = torch.get_num_threads()
    for threads in (1, 2):
        measure(
            lengths=[3],
            steps=1,
            distance=2,
            threads=threads,
            told=lambda _: seen.append(torch.get_num_threads()),
        )
        assert torch.get_num_threads() == before
    assert seen == [1] * 6 + [2] * 6


def test_the_command(tmp_path: Path) -> None:
    few = ("memory", "--lengths", "3,5", "--steps", "1", "--distance", "20", "--threads", "1")
    status, out, err = gatewise(*few, "--png", "m.png", cwd=tmp_path)
    assert status == 0, err
    assert "LSTM, forget bias 1     1e+00" in out
    assert "LSTM                       no        -" in out
    assert "copy: rnn at length 3 not solved in 1 steps" in err
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads(gatewise(*few, "--json", cwd=tmp_path)[1])
    assert len(found["gradients"]["RNN"]) == 21
    for wrong in (["--lengths", "3,x"], ["--png", "no/m.png"], ["--steps", "0"]):
        assert gatewise("memory", *wrong, cwd=tmp_path)[0] == 2
