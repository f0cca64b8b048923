"""What the report of every task tells of its training run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import msgspec

from gatewise.data.problems import many
from gatewise.errors import OptionError

if TYPE_CHECKING:
    from gatewise.training.progress import Epoch


@dataclass(frozen=True)
class EpochFigures:
    """One pass over the training rows: mean loss, dev score (None without dev rows), seconds."""

    loss: float
    dev_score: float | None
    best: bool
    seconds: float


@dataclass(frozen=True, kw_only=True)
class TrainingReport:
    """All that is known of a training run; it is `training.json` in the model folder.

    `training` holds the options of the run, `data` a fingerprint of its rows, and `stop` why it
    ended early, if it did.
    """

    metric: ClassVar[str] = "score"
    """What the dev score of an epoch is."""

    vocabulary_size: int
    weights: int
    seconds: float
    training: Any
    versions: dict[str, str]
    data: str
    warnings: tuple[str, ...]
    epochs: tuple[EpochFigures, ...]
    stop: str

    def as_json(self) -> Any:
        """What `from_json` reads."""
        return msgspec.to_builtins(self)

    @classmethod
    def from_json(cls, given: Any) -> Self | None:
        """Read a report; None where there is none or it is one of another version.

        Answering does not need it, so a report that cannot be read is no error.
        """
        try:
            report = msgspec.convert(given, cls)
        except (msgspec.ValidationError, OptionError):
            return None
        return report if any(epoch.best for epoch in report.epochs) else None

    @property
    def best_epoch(self) -> int:
        """Number of the epoch whose weights were kept, from 1."""
        return max(number for number, epoch in enumerate(self.epochs, start=1) if epoch.best)

    @property
    def best_score(self) -> float | None:
        """The dev score of that epoch."""
        return self.epochs[self.best_epoch - 1].dev_score

    def size(self) -> str:
        """How large the model is."""
        return f"{self.weights:,} weights ({self.weights * 4 / 1e6:.1f} MB)"

    def course(self) -> list[str]:
        """Sentences on how training went."""
        epochs, threads = len(self.epochs), self.training.threads
        told = (
            f"{many(epochs, 'epoch')} in {self.seconds:.1f} s with {many(threads, 'thread')} "
            f"in {self.training.precision}; "
            f"the weights of epoch {self.best_epoch} were kept."
        )
        return [told, f"Training stopped: {self.stop}."] if self.stop else [told]


def perplexity_of(nats: float) -> float:
    """Of so many nats a token; infinite where no number would hold it."""
    return math.exp(nats) if nats < 700 else math.inf


def epoch_figures(
    history: Sequence[Epoch], dev_score: Callable[[float], float] = float
) -> tuple[EpochFigures, ...]:
    """The epochs of a run; `dev_score` makes what people read of what training compared."""
    return tuple(
        EpochFigures(
            epoch.loss,
            None if epoch.dev_score is None else dev_score(epoch.dev_score),
            epoch.best,
            epoch.seconds,
        )
        for epoch in history
    )
