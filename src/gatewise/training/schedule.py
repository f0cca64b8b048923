"""The learning rate over a training run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


class Rate(NamedTuple):
    """How fast some weights learn: the run's rate times `factor`, from its step `first` on."""

    factor: float = 1.0
    first: int = 0


def one_cycle(
    optimizer: Optimizer, steps: int, warmup: float, rates: Sequence[Rate] | None = None
) -> LambdaLR:
    """Rise in a line to the optimizer's rate, then fall along a cosine to zero (Smith 2018).

    Args:
        optimizer: whose rates are set at every `step()`.
        steps: of the whole run.
        warmup: share of the steps in which the rate rises.
        rates: of the optimizer's groups of weights; by default the usual one.
    """
    rising = max(1, round(steps * warmup))

    def share(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        done = min(1.0, (step - rising) / max(1, steps - rising))
        return (1 + math.cos(math.pi * done)) / 2

    def of(rate: Rate) -> Callable[[int], float]:
        return lambda step: rate.factor * share(step) if step >= rate.first else 0.0

    usual = [Rate()] * len(optimizer.param_groups)
    return LambdaLR(optimizer, [of(rate) for rate in rates or usual])
