"""Stream: one text that is read and written token by token, the state carried along."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gatewise import options
from gatewise.decoding.sampling import choose, likeliest, penalised
from gatewise.encoder import State
from gatewise.errors import DataError, OptionError
from gatewise.ragged import Ragged
from gatewise.tasks.language.generation import Generation, written

if TYPE_CHECKING:
    from gatewise.tasks.language.fitted import Fitted

READ_AT_ONCE = 4096  # tokens, which bounds the memory of reading a long text


class Stream:
    """One text that is read and written token by token; a token always takes the same time.

    What was read and written is one text: texts fed one after the other are as one fed at once,
    where they are parted at spaces (at level "char": anywhere). The model has seen the end of
    another text before the first token. Where texts are joined, a line break is an end too.

    Example:
        >>> stream = lm.stream()
        >>> stream.feed("the cat")
        >>> for piece in stream.generate(max_tokens=20, top_p=0.9):
        ...     print(piece, end="", flush=True)
    """

    def __init__(self, fitted: Fitted, threads: int | None, precision: str) -> None:
        self._fitted = fitted
        self._threads = threads
        self._precision = precision
        self.reset()

    def reset(self) -> None:
        """Forget all that was read and written."""
        self._states: Sequence[State] | None = None
        self._seen = np.zeros(len(self._fitted.classes), np.bool_)
        self._read(np.array([self._fitted.end], np.int32))

    def copy(self) -> Stream:
        """Another stream that goes on from here: what one of the two reads, the other does not."""
        other = copy.copy(self)  # its arrays are replaced, never written to; `_seen` alone is
        other._seen = self._seen.copy()
        return other

    def feed(self, text: str) -> None:
        """Read the next part of the text.

        Raises:
            DataError: it is not a str.
        """
        if not isinstance(text, str):
            raise DataError(f"feed() takes one text. Got {text!r}.")
        ids = self._fitted.encode([text]).values[:-1]  # the text goes on
        for start in range(0, len(ids), READ_AT_ONCE):
            self._read(ids[start : start + READ_AT_ONCE])
        if text and self._fitted.tokenizer.level != "char":
            self._spaced = text[-1].isspace()

    def next(self, k: int = 5) -> list[tuple[str, float]]:
        """The k likeliest next tokens and their probabilities, likeliest first.

        The end of the text is "<end>". "<unk>", all that is not in the vocabulary, is left out, so
        that its probability is missing from the sum.

        Raises:
            OptionError: k is no whole number of at least 1.
        """
        if not isinstance(k, int) or isinstance(k, bool) or k < 1:
            raise OptionError(f"k must be a whole number of at least 1. Got {k!r}.")
        scores = self._fitted.next_scores(self._hidden, self._threads)[0]
        powers = np.exp((scores - scores.max()).astype(np.float64))
        probabilities = powers / powers.sum()
        probabilities[self._fitted.tokenizer.unknown_id] = -1  # behind all others
        ids = likeliest(probabilities, min(k, len(probabilities) - 1))
        return [(self._fitted.classes[id], float(probabilities[id])) for id in ids]

    def generate(self, **choices: Any) -> Iterator[str]:
        """Write on, and yield what is written as it comes; joined, the pieces are the text.

        It ends as `LanguageModel.generate` does. The stream has then read all that it wrote, a stop
        text and the end of the text too: what it writes afterwards is another text.

        Args:
            **choices: fields of `gatewise.tasks.language.generation.Generation`.

        Raises:
            OptionError: an option is unknown or not allowed.
        """
        return written(self, options.build(Generation, choices))

    def write(self, generation: Generation, random: np.random.Generator) -> str | None:
        """Choose one token, read it, and return it as it stands in the text; None for its end."""
        scores = self._fitted.next_scores(self._hidden, self._threads)[0]
        if generation.repetition != 1:
            scores = penalised(scores, np.flatnonzero(self._seen), generation.repetition)
        scores[self._fitted.tokenizer.unknown_id] = -np.inf
        id = choose(
            scores,
            temperature=generation.temperature,
            top_k=generation.top_k,
            top_p=generation.top_p,
            generator=random,
        )
        text: str | None
        if id != self._fitted.end:
            text = self._placed(id)
        else:
            text = "\n" if self._fitted.chosen.documents == "joined" else None
        self._read(np.array([id], np.int32))
        return text

    def _read(self, ids: NDArray[np.int32]) -> None:
        """Let ids (N,), at least one, go through the recurrent layers."""
        row = Ragged(ids, np.array([0, len(ids)]))
        hidden, self._states = self._fitted.walk(row, self._states, self._threads, self._precision)
        self._hidden = hidden[-1:].copy()  # (1, H); a view would keep all of them
        self._last = int(ids[-1])
        self._spaced = False
        self._seen[ids] = True
        self._seen[self._fitted.end] = False  # the end of a text repeats nothing

    def _placed(self, id: int) -> str:
        """A token as it stands in the text beside the last one, with the space between them."""
        decode = self._fitted.tokenizer.decode
        if self._last == self._fitted.end:
            return decode([id])
        # Whether there is a space depends on no more than the two tokens.
        text = decode([self._last, id]).removeprefix(decode([self._last]))
        return text.lstrip(" ") if self._spaced else text
