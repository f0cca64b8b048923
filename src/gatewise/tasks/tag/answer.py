"""The answer to one sentence, as people and programs want it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gatewise.text.spans import Span


@dataclass(frozen=True)
class Answer:
    """A sentence's tokens, the tag given to each, how likely that tag is, and the spans.

    `spans` is None where the tags are not of spans. Probabilities are of each tag at its token,
    whatever the others are.
    """

    tokens: list[str]
    tags: list[str]
    probabilities: list[float]
    spans: list[Span] | None

    def as_json(self) -> dict[str, Any]:
        """Tokens, tags, their probabilities rounded to six digits, and spans if there are any."""
        found: dict[str, Any] = {
            "tokens": self.tokens,
            "tags": self.tags,
            "probabilities": [round(p, 6) for p in self.probabilities],
        }
        if self.spans is not None:
            found["spans"] = [
                {**span._asdict(), "tokens": self.tokens[span.start : span.stop]}
                for span in self.spans
            ]
        return found
