"""The report of text to text: what training did and how good the translations are."""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.tasks.report import TrainingReport
from gatewise.tasks.seq2seq.options import Seq2SeqTraining


@dataclass(frozen=True, kw_only=True)
class Report(TrainingReport):
    """All that is known of a training run; it is `training.json` in the model folder."""

    metric = "perplexity"

    pairs: int
    left_out: int
    dev_pairs: int
    tokens: int
    training: Seq2SeqTraining
    dev_bleu: float | None
    dev_chrf: float | None
    columns: tuple[str, str] | None = None

    def __str__(self) -> str:
        left_out = f" ({self.left_out:,} left out)" if self.left_out else ""
        lines = [
            f"{self.pairs:,} pairs to learn from{left_out}, {self.dev_pairs:,} held out to choose "
            f"the best epoch; {self.vocabulary_size:,} known tokens; "
            f"{self.size()}.",
            *self.course(),
        ]
        best = self.best_score
        if best is not None:
            lines.append(f"On the dev pairs: perplexity {best:.2f} per token.")
        if self.dev_bleu is not None:
            lines.append(
                f"Their greedy answers: BLEU {self.dev_bleu:.1f}, chrF {self.dev_chrf:.1f}."
            )
        return "\n".join(lines)
