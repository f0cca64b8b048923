"""The report of a tagger: what training did, how good the answers are, what is simpler."""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.tasks.report import TrainingReport
from gatewise.tasks.tag.balance import GRID
from gatewise.tasks.tag.evaluation import TagEvaluation
from gatewise.tasks.tag.options import TaggerTraining


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
                f"sentences for {self.refit_epochs} epoch{'s' * (self.refit_epochs != 1)}. It is "
                "the model. What is told of the dev sentences is of the network before it; no "
                "sentences were held out from the new one."
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
        if gain <= 0:
            behind = f"it is {-100 * gain:.1f} points of {metric} behind" if gain else "both tie"
            return (
                f"The network does not beat the most frequent tags on the dev sentences: {behind}. "
                "A list of words does as well; give the network more sentences, more epochs or "
                "pretrained vectors."
            )
        return (
            f"The network beats the most frequent tags on the dev sentences by {100 * gain:.1f} "
            f"points of {metric}. Its epoch was chosen on them, so test it on sentences that "
            "nothing was chosen on."
        )
