"""The report of a language model: what training did and how well it foretells."""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.tasks.language.options import LanguageTraining
from gatewise.tasks.report import TrainingReport

CACHED = 2000
"""Tokens that the cache of the report holds."""


@dataclass(frozen=True, kw_only=True)
class Report(TrainingReport):
    """All that is known of a training run; it is `training.json` in the model folder.

    `cached` is the perplexity of the first dev texts without and with the continuous cache, None
    without dev texts.
    """

    metric = "perplexity"

    texts: int
    tokens: int
    dev_tokens: int
    training: LanguageTraining
    cached: tuple[float, float] | None

    def __str__(self) -> str:
        lines = [
            f"{self.texts:,} texts of {self.tokens:,} tokens to learn from, {self.dev_tokens:,} "
            f"tokens held out to choose the best epoch; {self.vocabulary_size:,} known tokens; "
            f"{self.size()}.",
            *self.course(),
        ]
        best = self.best_score
        if best is not None:
            lines.append(f"On the dev texts: perplexity {best:.2f} per token.")
        if self.cached is not None:
            without, cached = self.cached
            lines.append(
                f"On the first of them, with which the cache was tuned: {without:.2f}, and "
                f"{cached:.2f} with a cache of {CACHED:,} tokens."
            )
        return "\n".join(lines)
