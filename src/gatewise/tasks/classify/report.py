"""The report of a classifier: what training did, how good the answers are, what is simpler."""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.evaluation import Evaluation
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.tasks.report import TrainingReport


@dataclass(frozen=True)
class TableColumns:
    """The columns of the table that was learned from; `separator` splits many labels in a cell."""

    text: str
    labels: tuple[str, ...]
    separator: str | None


@dataclass(frozen=True, kw_only=True)
class Report(TrainingReport):
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
    scales: tuple[float, ...]
    training: ClassifierTraining
    evaluation: Evaluation | None
    linear: Evaluation | None = None
    linear_seconds: float = 0.0
    noise: float = 0.0
    columns: TableColumns | None = None

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
            f"{self.vocabulary_size} known tokens; {self.size()}.",
            *self.course(),
            *self._scaling(),
        ]
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
