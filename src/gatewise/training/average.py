"""The running average of a network's weights, which answers better than the last weights do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from gatewise.training.tables import LazyTable

EVERY = 4


class WeightAverage:
    """Exponential moving average of all weights (Polyak & Juditsky 1992).

    At first the average reaches back over about a fifth of the steps that were made, until that is
    as long as the decay makes it. Only every fourth step is taken, since neighbours hardly differ.

    Args:
        network: whose weights are followed.
        decay: share of the old average that every step keeps; 0 follows the weights themselves.
        tables: keep the averages of their own rows, and must be settled before those are used.
    """

    def __init__(self, network: nn.Module, decay: float, tables: Sequence[LazyTable] = ()) -> None:
        self._parameters = [p for p in network.parameters() if p.requires_grad]
        theirs = {id(table.table): table.average for table in tables}
        self._average = [theirs.get(id(p), p.detach().clone()) for p in self._parameters]
        pairs = zip(self._parameters, self._average, strict=True)
        own = [(p.detach(), average) for p, average in pairs if id(p) not in theirs]
        self._own = [p for p, _ in own]
        self._own_average = [average for _, average in own]
        self._decay = decay
        self._steps = 0

    @torch.no_grad()
    def update(self) -> float:
        """Take the weights of this step into the average.

        Returns:
            The share of the old average in the new one; 1 if this step is not taken.
        """
        self._steps += 1
        if self._decay == 0 or self._steps < EVERY:
            torch._foreach_copy_(self._own_average, self._own)
            return 0.0
        if self._steps % EVERY:
            return 1.0
        kept = min(self._decay, 1 - 5 / (5 + self._steps)) ** EVERY
        self.take(kept)
        return kept

    @torch.no_grad()
    def take(self, kept: float) -> None:
        """Take the weights of now into the average, of whose old value `kept` is left."""
        torch._foreach_lerp_(self._own_average, self._own, 1 - kept)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the network hold the averaged weights for a while."""
        current = [p.detach().clone() for p in self._parameters]
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


class Best:
    """The averaged weights of the best epoch so far.

    Args:
        average: whose weights are kept.
    """

    def __init__(self, average: WeightAverage) -> None:
        self.number = self._since = 0
        self._average = average
        self._quality = float("-inf")
        self._weights = average.snapshot()

    def offer(self, number: int, quality: float) -> bool:
        """Keep the weights of now if they are better than all before."""
        if quality <= self._quality:
            return False
        self.number, self._quality, self._weights = number, quality, self._average.snapshot()
        self._since = number
        return True

    def waited(self, number: int, epochs: int) -> bool:
        """Whether so many epochs up to `number` brought nothing better; then the count restarts."""
        if number - self._since < epochs:
            return False
        self._since = number
        return True

    def restore(self) -> None:
        """Put the best weights into the network."""
        self._average.load(self._weights)
