"""The report of a tagger: what training did, how good the answers are, what is simpler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from gatewise.errors import OptionError
from gatewise.tasks.tag.evaluation import TagEvaluation
from gatewise.tasks.tag.options import TaggerTraining


@dataclass(frozen=True)
class EpochFigures:
    """One pass over the training sentences: mean loss, dev score (None without), seconds."""

    loss: float
    dev_score: float | None
    best: bool
    seconds: float


@dataclass(frozen=True)
class Report:
    """All that is known of a training run; it is `training.json` in the model folder.

    `evaluation` and `baseline` are on the dev sentences and None without them; `baseline` gives
    every word the tag that it most often has. `columns` are those of the file, if it came from one.
    """

    sentences: int
    tokens: int
    dev_sentences: int
    dev_tokens: int
    vocabulary_size: int
    weights: int
    seconds: float
    training: TaggerTraining
    versions: dict[str, str]
    data: str
    warnings: tuple[str, ...]
    epochs: tuple[EpochFigures, ...]
    stop: str
    evaluation: TagEvaluation | None
    baseline: TagEvaluation | None = None
    tag_column: str | None = None

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
            f"{self.sentences:,} sentences of {self.tokens:,} tokens to learn from, "
            f"{self.dev_sentences:,} of {self.dev_tokens:,} to choose the best epoch; "
            f"{self.vocabulary_size:,} known words; {self.weights:,} weights "
            f"({self.weights * 4 / 1e6:.1f} MB).",
            f"{len(self.epochs)} epochs in {self.seconds:.1f} s with {self.training.threads} "
            f"threads in {self.training.precision}; "
            f"the weights of epoch {self.best_epoch} were kept.",
        ]
        if self.stop:
            lines.append(f"Training stopped: {self.stop}.")
        if self.evaluation is not None:
            lines += ["", "On the dev sentences:", "", str(self.evaluation)]
        if self.evaluation is not None and self.baseline is not None:
            metric = self.evaluation.metric
            lines += [
                "",
                f"this network                     {metric} {self.evaluation.score:.4f}",
                f"most frequent tag of every word  {metric} {self.baseline.score:.4f}",
            ]
        return "\n".join(lines)
