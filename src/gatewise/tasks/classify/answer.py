"""The answer to one text, as people and programs want it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gatewise.tasks.classify.labels import Label


@dataclass(frozen=True)
class Answer:
    """The labels given to a text and the probability of every label there is.

    `labels` holds one label, or with `multiple` any number of them.
    """

    labels: tuple[Label, ...]
    probabilities: dict[Label, float]
    multiple: bool

    def as_text(self) -> tuple[str, str]:
        """Label and probability; many of them are joined by "|"."""
        given = [f"{self.probabilities[label]:.4f}" for label in self.labels]
        return "|".join(str(label) for label in self.labels), "|".join(given)

    def as_json(self) -> dict[str, Any]:
        """Label, or list of labels, and all probabilities rounded to six digits."""
        answer = {"labels": list(self.labels)} if self.multiple else {"label": self.labels[0]}
        rounded = {str(label): round(p, 6) for label, p in self.probabilities.items()}
        return answer | {"probabilities": rounded}
