"""The words that a classifier of Keras knows, from its Tokenizer or from a word index."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from gatewise.errors import DataError, OptionError
from gatewise.keras.preprocessing.text import Tokenizer
from gatewise.text.pieces import LONGEST_PIECE, printable
from gatewise.text.rules import UNKNOWN
from gatewise.text.sequences import is_filters

_WHITESPACE = "".join(filter(str.isspace, map(chr, range(sys.maxunicode))))


@dataclass(frozen=True)
class Vocabulary:
    """Words with their numbers in Keras.

    Attributes:
        tokens: `<unk>`, then every word that a text can hold.
        numbers: of the words in Keras.
        unknown: the number of unknown words in Keras; None where they are left out.
        lowercase: whether texts are lower-cased.
        filters: characters that are read as spaces.
        tokenizer: the Tokenizer of Keras that reads the same.
    """

    tokens: list[str]
    numbers: list[int]
    unknown: int | None
    lowercase: bool
    filters: str
    tokenizer: Tokenizer


def read_vocabulary(words: Any, oov_token: str | None, known: int) -> Vocabulary:
    """What a Tokenizer of Keras or a word index knows.

    Args:
        words: the Tokenizer or the index.
        oov_token: of an index, the word that stands for unknown ones.
        known: numbers that the Embedding has.

    Raises:
        DataError: they cannot be taken over; why.
        OptionError: `oov_token` cannot be meant.
    """
    tokenizer = words
    if isinstance(words, Mapping):
        tokenizer = Tokenizer(filters=_WHITESPACE, oov_token=oov_token)
        tokenizer.word_index = dict(words)
    elif not hasattr(words, "word_index") or not hasattr(words, "texts_to_sequences"):
        raise DataError(
            "The 'words' of from_keras must be a Tokenizer of Keras or a word index, a dict from "
            f"words to numbers. Got {type(words).__name__}."
        )
    elif oov_token is not None:
        raise OptionError(
            "The 'oov_token' of from_keras goes with a word index: a Tokenizer has its own."
        )
    for name, value in (("char_level", False), ("split", " "), ("analyzer", None)):
        if getattr(tokenizer, name, value) != value:
            raise DataError(f"from_keras cannot take a Tokenizer over that has another {name!r}.")
    filters = tokenizer.filters or ""
    if not is_filters(filters):
        raise DataError(f"from_keras cannot take these filters over: {filters!r}.")
    index = tokenizer.word_index
    for word, number in index.items():
        if not isinstance(word, str) or not isinstance(number, Integral):
            raise DataError(
                "The words of from_keras must be an index from texts to whole numbers. Got "
                f"{word!r}: {number!r}."
            )
    unknown = None
    if tokenizer.oov_token is not None:
        if tokenizer.oov_token not in index:
            raise OptionError(
                "The 'oov_token' of from_keras must be in the word index. Got "
                f"{tokenizer.oov_token!r}."
            )
        unknown = int(index[tokenizer.oov_token])
    end = tokenizer.num_words or math.inf
    read = {
        word: int(number)
        for word, number in sorted(index.items(), key=lambda entry: entry[1])
        if word != tokenizer.oov_token and number < end
    }
    _check(read, unknown, known)
    # No text can hold an empty word, or one with a space.
    reachable = {word: number for word, number in read.items() if word and " " not in word}
    return Vocabulary(
        [UNKNOWN, *reachable],
        list(reachable.values()),
        unknown,
        bool(tokenizer.lower),
        filters,
        tokenizer,
    )


def _check(index: dict[str, int], unknown: int | None, known: int) -> None:
    if not index:
        raise DataError("The 'words' of from_keras must hold words. Got none: was it fitted?")
    for word, number in index.items():
        if not 1 <= number < known:
            raise DataError(
                f"The words of from_keras must have numbers from 1 to {known - 1}, the last that "
                f"the Embedding knows; 0 is padding. Got {word!r}: {number}."
            )
        if len(word) > LONGEST_PIECE or printable(word) != word:
            raise DataError(
                f"from_keras takes words of up to {LONGEST_PIECE} whole characters. Take this one "
                f"out of the index: {word[:50]!r}."
            )
    if UNKNOWN in index:
        raise DataError(
            f"The words of from_keras hold {UNKNOWN!r}. If it stands for unknown words, say "
            f"oov_token={UNKNOWN!r}; otherwise take it out."
        )
    if unknown is not None and not 1 <= unknown < known:
        raise DataError(
            f"The number of the oov_token must be from 1 to {known - 1}. Got {unknown!r}."
        )
