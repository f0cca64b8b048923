"""The running average of a network's weights, which answers better than the last weights do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Exponential moving average of all weights (Polyak & Juditsky 1992).

    The decay starts low and rises to its full value, so that the average is useful from the first
    steps: after `t` steps it is at most (1 + t) / (10 + t).

    Args:
        network: whose weights are followed.
        decay: share of the old average that every step keeps; 0 follows the weights themselves.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._parameters = [p for p in network.parameters() if p.requires_grad]
        self._average = [p.detach().clone() for p in self._parameters]
        self._decay = decay
        self._steps = 0

    @torch.no_grad()
    def update(self) -> None:
        """Take the weights of this step into the average."""
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps)) if self._decay else 0.0
        torch._foreach_lerp_(self._average, self._current(), 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the network hold the averaged weights for a while."""
        current = [p.clone() for p in self._current()]
        self.load(self._average)
        try:
            yield
        finally:
            self.load(current)

    def snapshot(self) -> list[Tensor]:
        """A copy of the average of now, which `load` takes."""
        return [p.clone() for p in self._average]

    @torch.no_grad()
    def load(self, weights: list[Tensor]) -> None:
        """Put weights into the network."""
        for parameter, weight in zip(self._parameters, weights, strict=True):
            parameter.copy_(weight)

    def _current(self) -> list[Tensor]:
        return [p.detach() for p in self._parameters]
