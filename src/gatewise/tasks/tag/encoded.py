"""Sentences as numbers: of the words, of the different tokens, of the tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatewise.ragged import Ragged
from gatewise.tasks.tag.lexicon import Lexicon
from gatewise.tasks.tag.rows import Sentences
from gatewise.tasks.tag.tags import Tags


@dataclass(frozen=True)
class Encoded:
    """B sentences as numbers, a row for each: its words, its different tokens, its tags."""

    words: Ragged
    forms: Ragged
    tags: Ragged


@dataclass(frozen=True)
class Forms:
    """All different tokens of the training and dev sentences.

    Args:
        tokens: in alphabetical order.
        words: the number of each; words that are not learned have numbers behind those that are.
        strange: the words that those last numbers stand for.
    """

    tokens: list[str]
    words: NDArray[np.int64]
    strange: list[str]

    @classmethod
    def of(cls, lexicon: Lexicon, tokens: Sequence[str]) -> Forms:
        """The forms of different tokens."""
        words = lexicon.ids(tokens)
        strange: dict[str, int] = {}
        for place in np.flatnonzero((words == 0) | (words >= lexicon.learned)).tolist():
            word = lexicon.form(tokens[place])
            words[place] = lexicon.learned + strange.setdefault(word, len(strange))
        return cls(list(tokens), words, list(strange))

    def encode(self, rows: Sentences, tags: Tags) -> Encoded:
        """Sentences of these tokens as numbers."""
        number = {token: number for number, token in enumerate(self.tokens)}
        forms = Ragged.from_rows(
            [[number[token] for token in tokens] for tokens in rows.tokens], np.int64
        )
        targets = [tags.numbers(named) for named in rows.tags]
        words = Ragged(self.words[forms.values], forms.offsets)
        return Encoded(words, forms, Ragged.from_rows(targets, np.int64))
