"""How answers are looked for, and what is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from gatewise import options
from gatewise.errors import OptionError
from gatewise.options import option


@dataclass(frozen=True)
class Search:
    """How the answers to a text are looked for.

    Raises:
        OptionError: an option is not allowed.
    """

    beam: int = option(
        5,
        "Beginnings of an answer that are followed side by side; 1 is quicker and worse.",
        minimum=1,
        maximum=1000,
    )
    n_best: int | None = option(
        None, "Answers to a text, best first, at most as many as the beam is wide.", minimum=1
    )
    length_penalty: float = option(
        1.0,
        "Power of an answer's length by which its log-probability is divided: 0 prefers short "
        "answers, 1 goes by the mean of the tokens.",
        minimum=0,
        maximum=10,
    )
    max_tokens: int | None = option(
        None,
        "Tokens of an answer, at most. By default 20 and twice as many as the text has.",
        minimum=1,
    )

    def __post_init__(self) -> None:
        options.check(self)
        if self.n_best is not None and self.n_best > self.beam:
            raise OptionError(
                f"The 'n_best' option of Search must be at most 'beam', {self.beam}. "
                f"Got {self.n_best}."
            )


class Answer(NamedTuple):
    """One answer to a text.

    Args:
        text: the answer.
        score: its log-probability in nats over its length, in tokens with the end, to the power of
            the length penalty; greater is better.
        log_probability: of its tokens and its end, in nats.
        cut: whether it came to `max_tokens` without an end.
    """

    text: str
    score: float
    log_probability: float
    cut: bool

    def as_json(self) -> dict[str, Any]:
        """All of it by name."""
        return self._asdict()
