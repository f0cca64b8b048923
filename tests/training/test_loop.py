from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gatewise.errors import TrainingError
from gatewise.nn.table import Table
from gatewise.options import Training
from gatewise.training import progress as progress_module
from gatewise.training.guard import Diverged, Guard
from gatewise.training.loop import train
from gatewise.training.optimizer import LARGE
from gatewise.training.progress import Epoch, Progress
from gatewise.training.schedule import one_cycle


@dataclass
class Points:
    x: Tensor
    y: Tensor
    tokens: int = 8


STEPS = 20


def points(epoch: int) -> Iterator[Points]:
    random = torch.Generator().manual_seed(epoch)
    for _ in range(STEPS):
        x = torch.randn(8, 2, generator=random)
        yield Points(x, x @ torch.tensor([[1.0], [-2.0]]))


def squared(network: nn.Module) -> Callable[[Points], Tensor]:
    def loss(batch: Points) -> Tensor:
        found: Tensor = ((network(batch.x) - batch.y) ** 2).mean()
        return found

    return loss


def epochs(
    network: nn.Module,
    loss: Callable[[Points], Tensor],
    score: Callable[[], float | None] = lambda: None,
    **options: float,
) -> Iterator[Epoch]:
    training = Training(**{"epochs": 5, "learning_rate": 0.05, "average": 0.0} | options)  # type: ignore[arg-type]
    progress = Progress(1, 1, "score", quiet=True)
    return train(network, loss, points, score, training, 5 * STEPS, progress)


def run(
    network: nn.Module,
    loss: Callable[[Points], Tensor],
    score: Callable[[], float | None] = lambda: None,
    **options: float,
) -> list[Epoch]:
    return list(epochs(network, loss, score, **options))


def line() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(2, 1)


def test_it_learns() -> None:
    network = line()
    history = run(network, squared(network), epochs=20, learning_rate=0.1)
    assert history[-1].loss < 1e-3 < history[0].loss
    np.testing.assert_allclose(network.weight.detach().numpy(), [[1, -2]], atol=0.05)


def test_the_weights_of_the_best_epoch_are_kept_and_patience_ends_it() -> None:
    network = line()
    scores = iter([0.5, 0.9, 0.7, 0.8, 0.6])
    seen: list[Tensor] = []

    def score() -> float:
        seen.append(network.weight.detach().clone())
        return next(scores)

    history = run(network, squared(network), score, patience=2, epochs=9)
    assert [epoch.best for epoch in history] == [True, True, False, False]
    assert history[-1].stop == "no better dev score for 2 epochs"
    assert torch.equal(network.weight, seen[1])


def test_while_nothing_is_right_the_loss_tells_epochs_apart() -> None:
    network, given = line(), iter([0.0, 0.0, 0.0, 0.2, 0.1, 0.0])
    history = run(network, squared(network), lambda: next(given), epochs=6, patience=2)
    assert [epoch.best for epoch in history] == [True, True, True, True, False, False]
    assert all(not epoch.stop for epoch in history)  # the last epoch ends it, not patience


def test_ctrl_c_keeps_the_best_weights() -> None:
    network = line()
    calls = 0

    def loss(batch: Points) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 2 * STEPS + 5:
            raise KeyboardInterrupt
        return squared(network)(batch)

    history = run(network, loss)
    assert [epoch.number for epoch in history] == [1, 2, 3]
    assert "interrupted" in history[-1].stop
    assert torch.isfinite(network.weight).all()


def test_ctrl_c_while_scoring_keeps_the_weights_that_were_scored_best() -> None:
    network = line()
    seen: list[Tensor] = []

    def score() -> float:
        seen.append(network.weight.detach().clone())
        if len(seen) == 3:
            raise KeyboardInterrupt
        return [0.9, 0.5][len(seen) - 1]

    history = run(network, squared(network), score)
    assert [epoch.best for epoch in history] == [True, False, False]
    assert "interrupted" in history[-1].stop
    assert torch.equal(network.weight, seen[0])


def test_a_few_steps_that_are_not_numbers_are_left_out() -> None:
    network = line()
    calls = 0

    def loss(batch: Points) -> Tensor:
        nonlocal calls
        calls += 1
        found = squared(network)(batch)
        return found * math.nan if calls % 4 == 0 else found

    history = run(network, loss, epochs=20, learning_rate=0.1, patience=20)
    assert len(history) == 20
    assert history[-1].loss < 0.01
    assert torch.isfinite(network.weight).all()


def test_a_loss_that_stays_infinite_stops_the_run_with_the_last_good_weights() -> None:
    network = line()
    calls = 0

    def loss(batch: Points) -> Tensor:
        nonlocal calls
        calls += 1
        found = squared(network)(batch)
        return found * math.inf if calls > STEPS + 3 else found

    history = run(network, loss)
    assert len(history) == 2
    assert "The weights of epoch 1 are kept." in history[-1].stop
    assert torch.isfinite(network.weight).all()


def test_a_run_that_never_learned_is_an_error() -> None:
    network = line()
    with pytest.raises(TrainingError, match="infinite or not a number for 4 steps in a row"):
        run(network, lambda batch: squared(network)(batch) * math.nan)


class Rows(nn.Module):
    """A line, and a table that the optimizer follows row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.line = line()
        self.table = Table(torch.zeros(LARGE, 1))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.line(x) + self.table.read(torch.arange(len(x)))
        return found


@pytest.mark.parametrize("end", ["all epochs", "given up", "diverged", "broken", "interrupted"])
def test_a_table_is_a_parameter_like_others_however_training_ends(end: str) -> None:
    network = Rows()

    def loss(batch: Points) -> Tensor:
        assert network.table.reader is not None
        if end == "broken":
            raise MemoryError
        return squared(network)(batch) * (math.nan if end == "diverged" else 1)

    def score() -> float:
        if end == "interrupted":
            raise KeyboardInterrupt
        return 0.0

    left = {"diverged": TrainingError, "broken": MemoryError}
    with pytest.raises(left[end]) if end in left else nullcontext():
        for _ in epochs(network, loss, score):
            if end == "given up":
                break
    assert network.table.reader is None
    for _ in range(2):
        network(torch.zeros(8, 2)).sum().backward()
    assert network.table.grad is not None


def test_the_guard_tells_a_rate_that_is_too_large_from_one_to_be_lowered() -> None:
    for rate, advice in [
        (1.0, "The learning rate 1 is too large"),
        (0.004, "Try a learning rate of 0.001"),
    ]:
        guard = Guard(rate, 0.002)
        with pytest.raises(Diverged, match=advice):
            all(guard.passes(1.0 + step, 1.0) for step in range(1000))


def test_the_guard_bears_noise() -> None:
    guard, random = Guard(0.002, 0.002), np.random.default_rng(0)
    assert all(guard.passes(float(loss), 1.0) for loss in random.gamma(2, 0.5, 5000))


def test_the_schedule_rises_in_a_line_and_falls_along_a_cosine() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=2.0)
    schedule = one_cycle(optimizer, steps=100, warmup=0.1)
    rates: list[float] = []
    for _ in range(110):
        rates.append(float(schedule.get_last_lr()[0]))
        optimizer.step()
        schedule.step()
    np.testing.assert_allclose(rates[:10], 0.2 * np.arange(1, 11))
    cosine = 1 + np.cos(np.pi * np.arange(90) / 90)
    np.testing.assert_allclose(rates[10:100], cosine, atol=1e-12)
    np.testing.assert_allclose(rates[100:], 0, atol=1e-12)


def test_plain_lines_come_within_an_epoch_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress_module, "EVERY", 0.0)
    progress = Progress(200, 1, "score", quiet=False)
    progress.step(50, 2.0)
    progress.step(50, 1.0)
    assert capsys.readouterr().err == "25% done  loss 2.0000\n50% done  loss 1.9500\n"
