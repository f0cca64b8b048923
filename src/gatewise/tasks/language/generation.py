"""Writing a text: the options, where it stops, and its pieces as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gatewise import options
from gatewise.errors import OptionError
from gatewise.options import option

if TYPE_CHECKING:
    from gatewise.tasks.language.stream import Stream


@dataclass(frozen=True)
class Generation:
    """How a text is written.

    Raises:
        OptionError: an option is not allowed.
    """

    max_tokens: int = option(100, "Tokens to write, at most.", minimum=1)
    temperature: float = option(
        1.0,
        "Below 1 likely tokens become likelier, above 1 all become more alike; 0 always takes the "
        "likeliest.",
        minimum=0,
    )
    top_k: int = option(0, "Draw from this many of the likeliest tokens; 0 for all.", minimum=0)
    top_p: float = option(
        1.0,
        "Draw from the fewest of the likeliest tokens whose probabilities reach this sum.",
        above=0,
        maximum=1,
    )
    repetition: float = option(
        1.0,
        "Penalty of tokens that the text holds already: their scores are divided by it, or times "
        "it where they are below 0. 1 for none.",
        minimum=1,
    )
    stop: str | tuple[str, ...] | None = option(
        None, "Text, or texts, before which to stop. By default only at the end of the text."
    )
    seed: int | None = option(
        None, "Of the random choices. By default every time another.", minimum=0
    )

    def __post_init__(self) -> None:
        options.check(self)
        if "" in self.stops:
            raise OptionError(
                "The 'stop' option of Generation must hold no empty text, before which every text "
                f"would stop. Got {self.stop!r}."
            )

    @property
    def stops(self) -> tuple[str, ...]:
        """The texts before which to stop."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())


def generated(stream: Stream, prompt: str, generation: Generation) -> str:
    """The prompt and what the stream writes behind it.

    It ends at the end of the text, before a stop text, or after `max_tokens`. Where texts are
    joined, an end is a line break and the next line follows.
    """
    stream.feed(prompt)
    return "".join([prompt, *written(stream, generation)])


def written(stream: Stream, generation: Generation) -> Iterator[str]:
    """What a stream writes, piece by piece; see `Stream.generate`."""
    random = np.random.default_rng(generation.seed)
    pieces = (stream.write(generation, random) for _ in range(generation.max_tokens))
    return _until(pieces, generation.stops)


def _until(pieces: Iterable[str | None], stops: Sequence[str]) -> Iterator[str]:
    """The same text up to the first None or the first of the stop texts.

    What could still be the start of a stop text is held back.
    """
    held, longest = "", max(map(len, stops), default=1)
    for piece in pieces:
        if piece is None:
            break
        held += piece
        places = [place for stop in stops if (place := held.find(stop)) >= 0]
        if places:
            held = held[: min(places)]
            break
        ready = max(0, len(held) - longest + 1)
        if ready:
            yield held[:ready]
            held = held[ready:]
    if held:
        yield held
