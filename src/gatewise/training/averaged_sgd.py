"""Plain SGD that begins to average its weights once dev rows stop getting better (NT-ASGD)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from gatewise.options import Training
from gatewise.training.average import WeightAverage
from gatewise.training.interruption import uninterrupted
from gatewise.training.schedule import Rate


class AveragedSGD:
    """Non-monotonically triggered averaged SGD (Merity et al. 2018).

    The rate stays as it is, `learning_rate`. Until the dev rows have not got better for `patience`
    epochs the weights are those of the last step, from then on the mean of all since.

    Args:
        network: whose parameters are trained.
        training: rate, weight decay and clipping.
        steps: of the whole run; it makes no difference.
        rates: of the weights that do not learn at the usual one, by their names.
    """

    USUAL_RATE = 30.0

    def __init__(
        self,
        network: nn.Module,
        training: Training,
        steps: int,
        rates: Mapping[str, Rate] | None = None,
    ) -> None:
        self._clip = training.clip
        groups: list[dict[str, Any]] = [
            {"params": [weight], "lr": training.learning_rate * (rates or {}).get(n, Rate()).factor}
            for n, weight in network.named_parameters()
            if weight.requires_grad
        ]
        self._parameters = [weight for group in groups for weight in group["params"]]
        self._sgd = torch.optim.SGD(groups, weight_decay=training.weight_decay)
        self._averaged: int | None = None
        self.average = WeightAverage(network, 0.0)

    def zero_grad(self) -> None:
        """Forget the gradients of the step before."""
        self._sgd.zero_grad()

    def gradient_norm(self) -> float:
        """Norm of the gradient of all weights."""
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        return nn.utils.get_total_norm(gradients).item()

    def step(self, gradient_norm: float) -> None:
        """Move the weights, against the gradient scaled down to the norm `clip` if that is not 0.

        Args:
            gradient_norm: what `gradient_norm` said.
        """
        if 0 < self._clip < gradient_norm:
            gradients = [p.grad for p in self._parameters if p.grad is not None]
            torch._foreach_mul_(gradients, self._clip / (gradient_norm + 1e-6))
        with uninterrupted():
            self._sgd.step()
            if self._averaged is not None:
                self._averaged += 1
                self.average.take(1 - 1 / self._averaged)

    def settle(self) -> None:
        """Let `average` be what answers: before averaging begins, the weights themselves."""
        if not self._averaged:
            self.average.take(0.0)

    def stalled(self) -> bool:
        """The dev rows do not get better: begin to average. False where it had begun before."""
        if self._averaged is not None:
            return False
        self._averaged = 0
        return True

    def release(self) -> None:
        """Nothing is held."""
