"""The outcome of a comparison: what every model did, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from gatewise.compare.standing import Standing
from gatewise.compare.verdict import sentences


@dataclass(frozen=True)
class Comparison:
    """All models beside each other.

    The first of the `standings` is the reference, the simplest model. `challenger` is the name of
    the model with the best dev score of all others: the recommendation tests it alone against the
    reference. `thrifty` is the quickest to train of those within one standard error of it there.
    """

    metric: str
    labels: int
    train_rows: int
    dev_rows: int
    test_rows: int
    seeds: int
    epochs: int
    batch_size: int
    threads: int
    depth: bool
    challenger: str
    thrifty: str
    standings: tuple[Standing, ...]
    warnings: tuple[str, ...]

    @property
    def reference(self) -> Standing:
        """The simplest model."""
        return self.standings[0]

    def standing(self, name: str) -> Standing:
        """The model of a name."""
        return next(standing for standing in self.standings if standing.name == name)

    def recommendation(self) -> list[str]:
        """What to take, in plain sentences."""
        return sentences(self)

    def as_json(self) -> dict[str, Any]:
        """All figures and the recommendation, as JSON can hold them."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found | {"recommendation": self.recommendation()}
