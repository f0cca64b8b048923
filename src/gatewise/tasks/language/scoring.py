"""How likely texts are: each by itself, and how well the model foretells all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from gatewise.errors import DataError, OptionError
from gatewise.tasks.language.cache import Recent, mixed
from gatewise.tasks.language.corpus import lines
from gatewise.tasks.language.fitted import Fitted
from gatewise.tasks.language.reading import read
from gatewise.tasks.report import perplexity_of


@dataclass(frozen=True)
class TextScore:
    """How likely a text is.

    Attributes:
        text: as given.
        tokens: every token as the model knows it and its log-probability in nats; the last one is
            "<end>".
        unknown: how many of them the model does not know: it foretells "<unk>", which is easier, so
            that a text that holds some seems likelier than it is.
    """

    text: str
    tokens: tuple[tuple[str, float], ...]
    unknown: int = 0

    @property
    def log_probability(self) -> float:
        """Of the text and its end, in nats."""
        return math.fsum(value for _, value in self.tokens)

    @property
    def perplexity(self) -> float:
        """Per token, the end counted."""
        return perplexity_of(-self.log_probability / len(self.tokens))

    def as_json(self) -> dict[str, Any]:
        """All of it, token by token; what is infinite, which JSON has no number for, is None."""
        return {
            "text": self.text,
            "log_probability": _finite(self.log_probability),
            "perplexity": _finite(self.perplexity),
            "unknown": self.unknown,
            "tokens": [[token, value] for token, value in self.tokens],
        }


@dataclass(frozen=True)
class LanguageEvaluation:
    """How well a model foretells texts. The end of every text counts, as a newline would.

    Attributes:
        tokens: of the model, and the ends of texts.
        words: runs of characters without whitespace, and the ends of texts.
        characters: and the ends of texts.
        nats: log-probability of all tokens, with the sign turned.
        unknown: tokens that the model does not know: it foretells "<unk>", which is easier.
    """

    tokens: int
    words: int
    characters: int
    nats: float
    unknown: int

    @property
    def loss(self) -> float:
        """Nats per token: the cross-entropy."""
        return self.nats / self.tokens

    @property
    def perplexity(self) -> float:
        """Per token."""
        return perplexity_of(self.nats / self.tokens)

    @property
    def word_perplexity(self) -> float:
        """Per word, whatever the tokens are: it compares models of different tokens."""
        return perplexity_of(self.nats / self.words)

    @property
    def bits_per_character(self) -> float:
        """Bits per character, which compares models of different tokens too."""
        return self.nats / math.log(2) / self.characters

    def as_json(self) -> dict[str, Any]:
        """All figures by name; what is infinite, which JSON has no number for, is None."""
        figures = ("loss", "perplexity", "word_perplexity", "bits_per_character")
        found = {name: getattr(self, name) for name in (*self.__dataclass_fields__, *figures)}
        return {name: _finite(value) for name, value in found.items()}

    def __str__(self) -> str:
        return (
            f"perplexity {self.perplexity:.2f} per token, {self.word_perplexity:.5g} per word, "
            f"{self.bits_per_character:.3f} bits per character "
            f"({self.tokens:,} tokens, {self.unknown / self.tokens:.2%} unknown)"
        )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def score(
    fitted: Fitted, texts: Sequence[str], threads: int | None, precision: str
) -> list[TextScore]:
    """How likely every text is, each by itself.

    Raises:
        DataError: it is one str, or a text is none.
    """
    texts = list(_given(fitted, texts, split=False))
    found: list[tuple[str, float]] = []
    for outputs, targets in read(fitted, texts, joined=False, threads=threads, precision=precision):
        tokens = [fitted.classes[target] for target in targets]
        values = fitted.output_layer.log_probabilities(outputs, targets, threads).tolist()
        found += zip(tokens, values, strict=True)
    ids = fitted.encode(texts)
    unknown = ids.values == fitted.tokenizer.unknown_id
    return [
        TextScore(text, tuple(found[start:stop]), int(unknown[start:stop].sum()))
        for text, (start, stop) in zip(texts, pairwise(ids.offsets.tolist()), strict=True)
    ]


def evaluate(
    fitted: Fitted,
    texts: Iterable[str],
    *,
    cache: int,
    joined: bool,
    threads: int | None,
    precision: str,
) -> LanguageEvaluation:
    """How well a model foretells texts, which need not fit into memory.

    Args:
        fitted: the model.
        texts: in their order.
        cache: tokens that the continuous cache remembers; 0 for no cache.
        joined: whether the states go on from text to text. The cache goes on in any case.
        threads: by default all cores.
        precision: of the recurrent layers' products.

    Raises:
        OptionError: cache is no whole number of at least 0.
        DataError: it is one str, a text is none, or there are none.
    """
    if not isinstance(cache, int) or isinstance(cache, bool) or cache < 0:
        raise OptionError(f"cache must be a whole number of at least 0. Got {cache!r}.")
    window = Recent(cache, (fitted.cache.flatness,)) if cache else None
    tokens = words = characters = unknown = 0
    nats, breaks = 0.0, fitted.chosen.documents == "joined"  # whether a line break is an end

    def counted() -> Iterator[str]:
        nonlocal words, characters
        for text in _given(fitted, texts, split=joined):
            words += len(text.split()) + 1 + text.count("\n") * breaks
            characters += len(text) + 1
            yield text

    for outputs, targets in read(
        fitted, counted(), joined=joined, threads=threads, precision=precision
    ):
        values = fitted.output_layer.log_probabilities(outputs, targets, threads)
        if window is not None:
            values = mixed(values, window.probabilities(outputs, targets)[0], fitted.cache.share)
        nats -= float(values.sum())
        tokens += len(targets)
        unknown += int(np.count_nonzero(targets == fitted.tokenizer.unknown_id))
    if not tokens:
        raise DataError("There are no texts to evaluate the model on.")
    return LanguageEvaluation(tokens, words, characters, nats, unknown)


def _given(fitted: Fitted, texts: Iterable[str], *, split: bool) -> Iterator[str]:
    """The texts; of a joined model without a last line break, and on request line by line."""
    joined = fitted.chosen.documents == "joined"
    for text in lines(texts, joined=joined and split):
        yield text.removesuffix("\n") if joined else text
