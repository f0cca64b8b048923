"""The report of a tagger: what training did, how good the answers are, what is simpler."""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.data.problems import many
from gatewise.tasks.report import TrainingReport
from gatewise.tasks.tag.balance import GRID
from gatewise.tasks.tag.evaluation import TagEvaluation
from gatewise.tasks.tag.options import TaggerTraining

TIE = 0.0005
"""A difference of scores that is none to a tenth of a point."""


@dataclass(frozen=True, kw_only=True)
class Report(TrainingReport):
    """All that is known of a training run; it is `training.json` in the model folder.

    `evaluation` and `baseline` are on the dev sentences and None without them; `baseline` gives
    every word the tag that it most often has. `tag_column` is that of the file, if it came from
    one; `balance` is what was taken from the score of "O", see `gatewise.tasks.tag.balance`.
    `refit_epochs` is for how long the model has learned again from training and dev sentences
    together, 0 if it has not: `evaluation` and `epochs` are then those of the network before it.
    """

    sentences: int
    tokens: int
    dev_sentences: int
    dev_tokens: int
    training: TaggerTraining
    evaluation: TagEvaluation | None
    baseline: TagEvaluation | None = None
    tag_column: str | None = None
    balance: float = 0.0
    refit_epochs: int = 0

    def __str__(self) -> str:
        lines = [
            f"{self.sentences:,} sentences of {self.tokens:,} tokens to learn from, "
            f"{self.dev_sentences:,} of {self.dev_tokens:,} to choose the best epoch; "
            f"{self.vocabulary_size:,} known words; {self.size()}.",
            *self.course(),
        ]
        if self.balance:
            lines.append(
                f"'O' scores {self.balance:.2f} less than was learned: it finds more spans so, and "
                "the F1 of the dev sentences is best."
            )
            if self.balance >= GRID[-1]:
                lines.append(
                    "No more than that is tried: the network is sure of hardly any span. More "
                    "sentences, more epochs or pretrained vectors may help."
                )
        if self.refit_epochs:
            lines.append(
                f"A new network then learned from all {self.sentences + self.dev_sentences:,} "
                f"sentences for {many(self.refit_epochs, 'epoch')}. It is the model. What is told "
                "of the dev sentences is of the network before it; no sentences were held out from "
                "the new one."
            )
        elif self.training.refit:
            lines.append(
                "It should have learned again from all sentences, but did not learn to the end."
            )
        if self.evaluation is not None:
            lines += ["", "On the dev sentences:", "", str(self.evaluation)]
        if self.evaluation is not None and self.baseline is not None:
            metric = self.evaluation.metric
            lines += [
                "",
                f"this network                     {metric} {self.evaluation.score:.4f}",
                f"most frequent tag of every word  {metric} {self.baseline.score:.4f}",
                self.verdict(),
            ]
        return "\n".join(lines)

    def verdict(self) -> str:
        """One plain sentence on this tagger beside the most frequent tag of every word."""
        if self.evaluation is None or self.baseline is None:
            return ""
        gain, metric = self.evaluation.score - self.baseline.score, self.evaluation.metric
        more = "Give the network more sentences, more epochs or pretrained vectors."
        if abs(gain) < TIE:
            return (
                "The network and the most frequent tags are as good on the dev sentences: a list "
                f"of words does as well. {more}"
            )
        if gain < 0:
            return (
                "The most frequent tags beat the network on the dev sentences by "
                f"{-100 * gain:.1f} points of {metric}: prefer a list of words. {more}"
            )
        return (
            f"The network beats the most frequent tags on the dev sentences by {100 * gain:.1f} "
            f"points of {metric}. Its epoch was chosen on them, so test it on sentences that "
            "nothing was chosen on."
        )
