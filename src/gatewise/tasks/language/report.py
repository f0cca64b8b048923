"""The report of a language model: what training did and how well it foretells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from gatewise.errors import OptionError
from gatewise.tasks.language.options import LanguageTraining
from gatewise.tasks.language.scoring import LanguageEvaluation


@dataclass(frozen=True)
class EpochFigures:
    """One pass over the training tokens: mean loss, dev perplexity if there are dev texts."""

    loss: float
    dev_perplexity: float | None
    best: bool
    seconds: float


@dataclass(frozen=True)
class Report:
    """All that is known of a training run; it is `training.json` in the model folder.

    `evaluation` is on the dev texts and None without them, `cached` the same with the continuous
    cache.
    """

    texts: int
    tokens: int
    dev_tokens: int
    vocabulary_size: int
    weights: int
    seconds: float
    training: LanguageTraining
    versions: dict[str, str]
    data: str
    warnings: tuple[str, ...]
    epochs: tuple[EpochFigures, ...]
    stop: str
    evaluation: LanguageEvaluation | None
    cached: LanguageEvaluation | None = None

    def as_json(self) -> Any:
        """What `from_json` reads."""
        return msgspec.to_builtins(self)

    @classmethod
    def from_json(cls, given: Any) -> Report | None:
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

    def __str__(self) -> str:
        lines = [
            f"{self.texts:,} texts of {self.tokens:,} tokens to learn from, {self.dev_tokens:,} "
            f"tokens held out to choose the best epoch; {self.vocabulary_size:,} known tokens; "
            f"{self.weights:,} weights ({self.weights * 4 / 1e6:.1f} MB).",
            f"{len(self.epochs)} epochs in {self.seconds:.1f} s with {self.training.threads} "
            f"threads in {self.training.precision}; "
            f"the weights of epoch {self.best_epoch} were kept.",
        ]
        if self.stop:
            lines.append(f"Training stopped: {self.stop}.")
        if self.evaluation is not None:
            lines += ["", f"On the dev texts: {self.evaluation}"]
        if self.cached is not None:
            lines.append(f"With the cache:   {self.cached}")
        return "\n".join(lines)
