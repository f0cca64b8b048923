"""The report of a language model: what training did and how well it foretells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from gatewise.errors import OptionError
from gatewise.tasks.language.options import LanguageTraining

CACHED = 2000
"""Tokens that the cache of the report holds."""


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

    `cached` is the perplexity of the first dev texts without and with the continuous cache, None
    without dev texts.
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
    cached: tuple[float, float] | None

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
        best = self.epochs[self.best_epoch - 1].dev_perplexity
        if best is not None:
            lines.append(f"On the dev texts: perplexity {best:.2f} per token.")
        if self.cached is not None:
            without, cached = self.cached
            lines.append(
                f"On the first of them: {without:.2f}, with a cache of "
                f"{CACHED:,} tokens {cached:.2f}."
            )
        return "\n".join(lines)
