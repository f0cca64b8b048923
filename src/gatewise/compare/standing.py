"""How one model of a comparison did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
