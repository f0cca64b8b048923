"""The outcome of a comparison: what every model did, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from gatewise.compare.significance import Difference


def in_seconds(value: float) -> str:
    """Seconds for people: "122.4", "4.8", and below one with two digits that tell something."""
    return f"{value:.2g}" if value < 0.95 else f"{value:.1f}"


@dataclass(frozen=True)
class Standing:
    """How one model did.

    `dev_scores` and `test_scores` have one entry a seed, the linear model, which needs none, one in
    all. `difference` is from the reference on the test rows and `adjusted_p` its p value among all
    the models of the table (Holm 1979); None for the reference itself. `seconds` to train and
    `milliseconds` for an answer to one text alone are medians, `size` is in bytes.
    """

    name: str
    title: str
    kind: str
    options: dict[str, Any]
    dev_scores: tuple[float, ...]
    test_scores: tuple[float, ...]
    difference: Difference | None
    adjusted_p: float | None
    seconds: float
    milliseconds: float
    size: int

    @property
    def dev_score(self) -> float:
        """Mean over the seeds."""
        return sum(self.dev_scores) / len(self.dev_scores)

    @property
    def test_score(self) -> float:
        """Mean over the seeds."""
        return sum(self.test_scores) / len(self.test_scores)


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
        from gatewise.compare.verdict import sentences  # noqa: PLC0415 - they need each other

        return sentences(self)

    def as_json(self) -> dict[str, Any]:
        """All figures and the recommendation, as JSON can hold them."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found | {"recommendation": self.recommendation()}
