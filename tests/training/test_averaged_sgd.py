"""NT-ASGD beside torch's SGD and a mean that is taken by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gatewise.options import Training
from gatewise.training.averaged_sgd import AveragedSGD
from gatewise.training.schedule import Rate

SLOW = {"0.bias": Rate(0.5)}


def network() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))


def learn(net: nn.Module, x: Tensor) -> None:
    ((net(x) - x.sum(dim=1, keepdim=True)) ** 2).mean().backward()


@pytest.mark.parametrize("clip", [0.0, 0.2])
def test_it_is_sgd_and_from_the_trigger_on_the_mean_of_its_weights(clip: float) -> None:
    training = Training(learning_rate=0.3, weight_decay=0.01, clip=clip)
    ours, theirs = network(), network()
    optimizer = AveragedSGD(ours, training, 99, SLOW)
    groups = [
        {"params": [p], "lr": 0.15 if n in SLOW else 0.3} for n, p in theirs.named_parameters()
    ]
    sgd = torch.optim.SGD(groups, lr=0.3, weight_decay=0.01)
    kept: list[list[Tensor]] = []
    for step in range(12):
        x = torch.randn(5, 3, generator=torch.Generator().manual_seed(step))
        if step == 7:
            assert optimizer.stalled()
        optimizer.zero_grad()
        learn(ours, x)
        norm = optimizer.gradient_norm()
        optimizer.step(norm)
        sgd.zero_grad()
        learn(theirs, x)
        expected = nn.utils.clip_grad_norm_(theirs.parameters(), clip or float("inf"))
        assert norm == pytest.approx(expected.item())
        sgd.step()
        weights = [p.detach().clone() for p in theirs.parameters()]
        kept.append(weights)
        optimizer.settle()
        for p, weight in zip(ours.parameters(), weights, strict=True):
            torch.testing.assert_close(p.detach(), weight)
        counted = kept[7:] if step >= 7 else kept[-1:]
        for found, each in zip(
            optimizer.average.snapshot(), zip(*counted, strict=True), strict=True
        ):
            torch.testing.assert_close(found, torch.stack(each).mean(dim=0))
    assert not optimizer.stalled()
