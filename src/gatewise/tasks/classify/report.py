"""The report of a classifier: what training did, how good the answers are, what is simpler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from gatewise.errors import OptionError
from gatewise.evaluation import Evaluation
from gatewise.tasks.classify.options import ClassifierTraining


@dataclass(frozen=True)
class EpochFigures:
    """One pass over the training rows: mean loss, dev score (None without dev rows), seconds."""

    loss: float
    dev_score: float | None
    best: bool
    seconds: float


@dataclass(frozen=True)
class TableColumns:
    """The columns of the table that was learned from; `separator` splits many labels in a cell."""

    text: str
    labels: tuple[str, ...]
    separator: str | None


@dataclass(frozen=True)
class Report:
    """All that is known of a training run; it is `training.json` in the model folder.

    `evaluation` and `linear` are on the dev rows and None without them; `linear` is the TF-IDF and
    logistic regression model's on the same rows, and `noise` two standard errors of the difference.
    `scales` is what the scores of recurrent layers and token pairs are multiplied with in the
    answer. `training` holds the options of the run, `columns` those of the table, if it came from
    one.
    """

    rows: int
    dev_rows: int
    shortened: int
    vocabulary_size: int
    scales: tuple[float, ...]
    weights: int
    seconds: float
    training: ClassifierTraining
    versions: dict[str, str]
    data: str
    warnings: tuple[str, ...]
    epochs: tuple[EpochFigures, ...]
    stop: str
    evaluation: Evaluation | None
    linear: Evaluation | None = None
    linear_seconds: float = 0.0
    noise: float = 0.0
    columns: TableColumns | None = None

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

    def verdict(self) -> str:
        """One plain sentence on this model beside the linear one."""
        if self.evaluation is None or self.linear is None:
            return ""
        ours, linear, metric = self.evaluation.score, self.linear.score, self.evaluation.metric
        figures = f"{metric} {ours:.4f} against {linear:.4f}, noise ±{self.noise:.4f}"
        if abs(linear - ours) <= self.noise:
            return (
                f"No clear winner on the dev rows ({figures}). The linear model is the simpler one."
            )
        if linear > ours:
            return (
                f"The linear model wins on the dev rows ({figures}). It is simpler and faster to "
                "train: prefer it, or give the network more data or pretrained vectors."
            )
        return (
            f"The network beats the linear model on the dev rows ({figures}). Its epoch was chosen "
            "on them, so test both on rows that nothing was chosen on."
        )

    def __str__(self) -> str:
        lines = [
            f"{self.rows} texts to learn from, {self.dev_rows} held out to choose the best epoch; "
            f"{self.vocabulary_size} known tokens; {self.weights:,} weights "
            f"({self.weights * 4 / 1e6:.1f} MB).",
            f"{len(self.epochs)} epochs in {self.seconds:.1f} s with {self.training.threads} "
            f"threads in {self.training.precision}; "
            f"the weights of epoch {self.best_epoch} were kept.",
            *self._scaling(),
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

    def _scaling(self) -> list[str]:
        """How much each part says in the answer, where there are two."""
        if len(self.scales) < 2:
            return []
        recurrent, pairs = self.scales
        return [
            f"On the dev rows the scores were calibrated: {recurrent:.1f} * recurrent layers + "
            f"{pairs:.1f} * linear part over token pairs."
        ]
