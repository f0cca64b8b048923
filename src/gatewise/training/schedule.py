"""The learning rate over a training run."""

from __future__ import annotations

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def one_cycle(optimizer: Optimizer, steps: int, warmup: float) -> LambdaLR:
    """Rise in a line to the optimizer's rate, then fall along a cosine to zero (Smith 2018).

    Args:
        optimizer: whose rates are set at every `step()`.
        steps: of the whole run.
        warmup: share of the steps in which the rate rises.
    """
    rising = max(1, round(steps * warmup))

    def share(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        done = min(1.0, (step - rising) / max(1, steps - rising))
        return (1 + math.cos(math.pi * done)) / 2

    return LambdaLR(optimizer, share)
