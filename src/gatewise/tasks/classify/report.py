"""The report of a classifier: what training did, how good the answers are, what is simpler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from gatewise.evaluation import Evaluation


@dataclass(frozen=True)
class EpochFigures:
    """One pass over the training rows: mean loss, dev score (None without dev rows), seconds."""

    loss: float
    dev_score: float | None
    best: bool
    seconds: float


@dataclass(frozen=True)
class Report:
    """All that is known of a training run; it is `training.json` in the model folder.

    `evaluation` and `linear` are on the dev rows and None without them; `linear` is the TF-IDF and
    logistic regression model's on the same rows. `training` holds
    the options of the run, `columns` are those of the table, if it came from
    one.
    """

    rows: int
    dev_rows: int
    shortened: int
    vocabulary_size: int
    weights: int
    seconds: float
    training: dict[str, Any]
    versions: dict[str, str]
    data: str
    warnings: tuple[str, ...]
    epochs: tuple[EpochFigures, ...]
    stop: str
    evaluation: Evaluation | None
    linear: Evaluation | None = None
    linear_seconds: float = 0.0
    columns: dict[str, Any] | None = None

    def as_json(self) -> Any:
        """What `from_json` reads."""
        return msgspec.to_builtins(self)

    @classmethod
    def from_json(cls, given: Any) -> Report | None:
        """Read a report; None where there is none or it is one of another version.

        Answering does not need it, so a report that cannot be read is no error.
        """
        try:
            return msgspec.convert(given, cls)
        except msgspec.ValidationError:
            return None

    @property
    def best_epoch(self) -> int:
        """Number of the epoch whose weights were kept, from 1."""
        return max(number for number, epoch in enumerate(self.epochs, start=1) if epoch.best)

    def verdict(self) -> str:
        """One plain sentence on this model beside the linear one."""
        if self.evaluation is None or self.linear is None:
            return ""
        ours, linear, metric = self.evaluation.score, self.linear.score, self.evaluation.metric
        # Two standard errors of the difference of two shares of the same rows, as if independent.
        noise = 2 * (2 * max(ours * (1 - ours), 1e-4) / self.evaluation.rows) ** 0.5
        figures = f"{metric} {linear:.4f} against {ours:.4f}"
        if abs(linear - ours) <= noise:
            winner = "linear model is ahead" if linear > ours else "network is ahead"
            return (
                f"No clear winner: the {winner} on the dev rows, but by less than the noise of "
                f"±{noise:.4f} (linear {figures}). The linear model is the simpler one."
            )
        if linear > ours:
            return (
                f"The linear model wins on the dev rows: {figures}. It is simpler and faster to "
                "train: prefer it, or give the network more data or pretrained vectors."
            )
        return (
            f"The network beats the linear model on the dev rows: {ours:.4f} against {linear:.4f}."
        )

    def __str__(self) -> str:
        lines = [
            f"{self.rows} texts to learn from, {self.dev_rows} held out to choose the best epoch; "
            f"{self.vocabulary_size} known tokens; {self.weights:,} weights "
            f"({self.weights * 4 / 1e6:.1f} MB).",
            f"{len(self.epochs)} epochs in {self.seconds:.1f} s with {self.training['threads']} "
            f"threads; the weights of epoch {self.best_epoch} were kept.",
        ]
        if self.stop:
            lines.append(f"Training stopped: {self.stop}.")
        if self.evaluation is not None:
            lines += ["", "On the dev rows:", "", str(self.evaluation)]
            if self.evaluation.confusion is not None:
                lines += ["", self.evaluation.confusion_table()]
        if self.evaluation is not None and self.linear is not None:
            metric = self.evaluation.metric
            lines += [
                "",
                f"this network                    {metric} {self.evaluation.score:.4f}"
                f"   {self.seconds:7.1f} s",
                f"TF-IDF and logistic regression  {metric} {self.linear.score:.4f}"
                f"   {self.linear_seconds:7.1f} s",
                self.verdict(),
            ]
        return "\n".join(lines)
