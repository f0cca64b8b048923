"""The report of text to text: what training did and how good the translations are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from gatewise.errors import OptionError
from gatewise.tasks.seq2seq.options import Seq2SeqTraining


@dataclass(frozen=True)
class EpochFigures:
    """One pass over the training pairs: mean loss, dev perplexity if there are dev pairs."""

    loss: float
    dev_perplexity: float | None
    best: bool
    seconds: float


@dataclass(frozen=True)
class Report:
    """All that is known of a training run; it is `training.json` in the model folder."""

    pairs: int
    left_out: int
    dev_pairs: int
    tokens: int
    vocabulary_size: int
    weights: int
    seconds: float
    training: Seq2SeqTraining
    versions: dict[str, str]
    data: str
    warnings: tuple[str, ...]
    epochs: tuple[EpochFigures, ...]
    stop: str
    dev_bleu: float | None
    dev_chrf: float | None
    columns: tuple[str, str] | None = None

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
        left_out = f" ({self.left_out:,} left out)" if self.left_out else ""
        lines = [
            f"{self.pairs:,} pairs to learn from{left_out}, {self.dev_pairs:,} held out to choose "
            f"the best epoch; {self.vocabulary_size:,} known tokens; "
            f"{self.weights:,} weights ({self.weights * 4 / 1e6:.1f} MB).",
            f"{len(self.epochs)} epochs in {self.seconds:.1f} s with {self.training.threads} "
            f"threads in {self.training.precision}; "
            f"the weights of epoch {self.best_epoch} were kept.",
        ]
        if self.stop:
            lines.append(f"Training stopped: {self.stop}.")
        best = self.epochs[self.best_epoch - 1].dev_perplexity
        if best is not None:
            lines.append(f"On the dev pairs: perplexity {best:.2f} per token.")
        if self.dev_bleu is not None:
            lines.append(
                f"Their greedy answers: BLEU {self.dev_bleu:.1f}, chrF {self.dev_chrf:.1f}."
            )
        return "\n".join(lines)
