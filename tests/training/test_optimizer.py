"""Row-wise lazy AdamW beside torch's AdamW, which moves every row in every step."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gatewise.nn.table import Table, distinct
from gatewise.options import Training
from gatewise.training import resting, tables
from gatewise.training.optimizer import LARGE, Optimizer
from gatewise.training.schedule import Rate, one_cycle

STEPS = 120


class Bags(nn.Module):
    """A large table, of which a batch reads some rows, under a linear layer."""

    def __init__(self, rows: int = LARGE) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = Table(torch.randn(rows, 3, dtype=torch.float64))
        self.linear = nn.Linear(3, 2, dtype=torch.float64)

    def learn(self, ids: Tensor, weight: float = 1.0) -> None:
        """Gradients of the weighted loss."""
        (self.loss(ids) * weight).backward()  # type: ignore[no-untyped-call]

    def loss(self, ids: Tensor) -> Tensor:
        found, places = distinct(ids.numpy(), len(self.table))
        vectors = self.table.read(torch.from_numpy(found))[torch.from_numpy(places)]
        targets = torch.stack([ids.sin(), ids.cos()], dim=1)
        loss: Tensor = ((self.linear(vectors) - targets) ** 2).sum()
        return loss


def batches(rows: int, size: int) -> list[Tensor]:
    """Few ids that come often, many that come once, some never."""
    random = np.random.default_rng(1)
    return [
        torch.from_numpy((rows * random.random(size) ** 4).astype(np.int64)) for _ in range(STEPS)
    ]


def plain_run(
    network: Bags,
    given: list[Tensor],
    training: Training,
    epsilon: float = 1e-8,
    rates: Mapping[str, Rate] | None = None,
) -> tuple[list[Tensor], list[Tensor], list[float]]:
    """Weights, their averages and the norms, made with torch's own parts and every row's."""
    parameters = list(network.parameters())
    groups: list[dict[str, Any]] = [
        {"params": [network.table], "eps": epsilon},
        {"params": list(network.linear.parameters())},
    ]
    optimizer = torch.optim.AdamW(
        groups, training.learning_rate, weight_decay=training.weight_decay
    )
    first, others = (rates or {}).get("table", Rate()), Rate()
    schedule = one_cycle(optimizer, STEPS, training.warmup, [first, others])
    averages = [p.detach().clone() for p in parameters]
    norms = []
    for step, ids in enumerate(given, 1):
        optimizer.zero_grad()
        network.learn(ids)
        clip = training.clip or float("inf")
        norms.append(nn.utils.clip_grad_norm_(parameters, clip).item())
        optimizer.step()
        schedule.step()
        kept = 0.0 if step < 4 or training.average == 0 else 1.0
        if training.average and step >= 4 and step % 4 == 0:
            kept = min(training.average, 1 - 5 / (5 + step)) ** 4
        for average, p in zip(averages, parameters, strict=True):
            average.mul_(kept).add_(p.detach(), alpha=1 - kept)
    return [p.detach() for p in parameters], averages, norms


def lazy_run(
    network: Bags,
    given: list[Tensor],
    training: Training,
    rates: Mapping[str, Rate] | None = None,
) -> tuple[list[Tensor], list[Tensor], list[float]]:
    optimizer, norms = Optimizer(network, training, STEPS, rates), []
    for ids in given:
        optimizer.zero_grad()
        network.learn(ids)
        norms.append(optimizer.gradient_norm())
        optimizer.step(norms[-1])
    optimizer.settle()
    optimizer.release()
    return [p.detach() for p in network.parameters()], optimizer.average.snapshot(), norms


@pytest.mark.parametrize("window", [7, 1024])
@pytest.mark.parametrize(
    "training",
    [
        Training(),
        Training(learning_rate=0.05, weight_decay=0.3, clip=5.0, average=0.9),
        Training(learning_rate=0.05, weight_decay=0.0, clip=0.0, average=0.0),
    ],
)
def test_rows_that_rest_end_where_torch_moves_them(
    training: Training, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of a row that rests epsilon fades; where it is next to nothing, both say the same.
    for module in (resting, tables):
        monkeypatch.setattr(module, "EPS", 1e-16)
    monkeypatch.setattr(resting, "WINDOW", window)
    network, given = Bags(), batches(LARGE, 16)
    assert LARGE / 10 < len(np.unique(torch.cat(given))) < LARGE
    expected = plain_run(deepcopy(network), given, training, 1e-16)
    found = lazy_run(network, given, training)
    np.testing.assert_allclose(found[2], expected[2], rtol=1e-9)
    for ours, theirs in zip(found[0] + found[1], expected[0] + expected[1], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-10)


def test_weights_learn_at_rates_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (resting, tables):
        monkeypatch.setattr(module, "EPS", 1e-16)
    network, given, training = Bags(), batches(LARGE, 16), Training(learning_rate=0.05)
    rates = {"table": Rate(0.3, first=40)}
    expected = plain_run(deepcopy(network), given, training, 1e-16, rates)
    found = lazy_run(network, given, training, rates)
    for ours, theirs in zip(found[0] + found[1], expected[0] + expected[1], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-10)


def test_weights_rest_before_their_first_step() -> None:
    network, training = Bags(), Training(learning_rate=0.05)
    before = deepcopy(network)
    lazy_run(network, batches(LARGE, 16), training, {"table": Rate(1.0, first=STEPS)})
    assert torch.equal(network.table, before.table)
    assert not torch.equal(network.linear.weight, before.linear.weight)


def test_epsilon_hardly_tells_rows_that_rest_from_rows_that_torch_moves() -> None:
    network, given, training = Bags(), batches(LARGE, 16), Training(learning_rate=0.05)
    start = network.table.detach().clone()
    expected = plain_run(deepcopy(network), given, training)[0][0] - start
    found = lazy_run(network, given, training)[0][0] - start
    assert (found - expected).norm() < 1e-4 * expected.norm()


def test_rows_that_never_rest_are_moved_as_torch_moves_them() -> None:
    network, given = Bags(), [torch.arange(LARGE)] * 20
    expected = plain_run(deepcopy(network), given, Training(learning_rate=0.05))
    found = lazy_run(network, given, Training(learning_rate=0.05))
    for ours, theirs in zip(found[0] + found[1], expected[0] + expected[1], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_a_step_that_is_left_out_changes_nothing() -> None:
    network, given, training = Bags(), batches(LARGE, 16), Training(learning_rate=0.05)
    other = deepcopy(network)
    optimizer = Optimizer(network, training, STEPS)
    for ids in given:
        optimizer.zero_grad()
        network.learn(ids + 1, np.inf)  # its rows were read and brought up to now
        assert not np.isfinite(optimizer.gradient_norm())
        optimizer.zero_grad()
        network.learn(ids)
        optimizer.step(optimizer.gradient_norm())
    optimizer.settle()
    weights, averages, _ = lazy_run(other, given, training)
    found = [*network.parameters(), *optimizer.average.snapshot()]
    for ours, theirs in zip(found, weights + averages, strict=True):
        torch.testing.assert_close(ours.detach(), theirs, rtol=1e-12, atol=1e-12)


def test_a_table_is_read_once_in_a_step_and_as_a_parameter_after_training() -> None:
    network = Bags()
    optimizer = Optimizer(network, Training(), STEPS)
    network.loss(torch.arange(3))
    with pytest.raises(RuntimeError, match="only once"):
        network.loss(torch.arange(3))
    with torch.no_grad():
        network.loss(torch.arange(3))
    optimizer.release()
    network.learn(torch.arange(3))
    network.learn(torch.arange(3))
    assert network.table.grad is not None
    assert network.table.grad[:3].abs().min() > 0 == network.table.grad[3:].abs().max()


def test_small_tables_are_parameters_like_others() -> None:
    network, given = Bags(LARGE - 1), batches(LARGE - 1, 16)
    expected = plain_run(deepcopy(network), given, Training())
    optimizer = Optimizer(network, Training(), STEPS)
    for ids in given:
        optimizer.zero_grad()
        network.learn(ids)
        optimizer.step(optimizer.gradient_norm())
    for ours, theirs in zip(network.parameters(), expected[0], strict=True):
        torch.testing.assert_close(ours.detach(), theirs, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_distinct_is_unique(size: int) -> None:
    values = np.random.default_rng(0).integers(0, 300, size).astype(np.int32)
    for ours, theirs in zip(
        distinct(values, 300), np.unique(values, return_inverse=True), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
