"""The rows of a fit: sentences of tokens and their tags, as a user gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.data.checks import Place, row_place
from gatewise.data.problems import shown
from gatewise.errors import DataError
from gatewise.text.spans import OUTSIDE, Scheme, are_spans, faults, spans_of, write


@dataclass(frozen=True)
class Sentences:
    """B sentences: the tokens of each, and a tag for every token."""

    tokens: list[list[str]]
    tags: list[list[str]]

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def words(self) -> int:
        """Tokens of all sentences together."""
        return sum(map(len, self.tokens))

    def take(self, rows: NDArray[np.int64]) -> Sentences:
        """The given sentences, in the given order."""
        return Sentences([self.tokens[row] for row in rows], [self.tags[row] for row in rows])


def list_of_sentences(given: Any) -> list[list[str]]:
    """Sentences as lists of tokens.

    Raises:
        DataError: it is anything else.
    """
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise DataError(
            "Sentences must be a list of lists of tokens, such as [['Anna', 'sings']]. "
            f"Got {type(given).__name__}."
        )
    for row, sentence in enumerate(given):
        if isinstance(sentence, str) or not isinstance(sentence, Sequence):
            raise DataError(
                f"Every sentence must be a list of tokens; split texts first, for example with "
                f"SequenceTagger.tokenize. Sentence {row} is {sentence!r:.60}."
            )
        # Nearly always there is nothing to complain of, and that is found fast.
        if "" in sentence or not set(map(type, sentence)) <= {str}:
            for token in sentence:
                if not isinstance(token, str) or not token:
                    raise DataError(
                        f"Tokens must be texts, not empty. Sentence {row} has {token!r}."
                    )
    return [list(sentence) for sentence in given]


def read_sentences(tokens: Any, tags: Any) -> Sentences:
    """Join tokens and tags.

    Raises:
        DataError: they are no lists of lists of texts, or differ in length.
    """
    rows = Sentences(list_of_sentences(tokens), list_of_sentences(tags))
    if len(rows.tokens) != len(rows.tags):
        raise DataError(f"There are {len(rows.tokens)} sentences, but tags of {len(rows.tags)}.")
    for row, (words, named) in enumerate(zip(rows.tokens, rows.tags, strict=True)):
        if len(words) != len(named):
            raise DataError(f"Sentence {row} has {len(words)} tokens, but {len(named)} tags.")
    return rows


def refuse_broken(
    tags: Sequence[Sequence[str]], scheme: Scheme, place: Place | None = None, remedy: str = ""
) -> None:
    """Raise a DataError that names the first tag which breaks its scheme, if there is one.

    Args:
        tags: of every sentence.
        scheme: that they are to be in.
        place: turns the number of a token, counted over all sentences, into words.
        remedy: what to do.
    """
    first, count, before = "", 0, 0
    for row, named in enumerate(tags):
        for number, fault in faults(named, scheme):
            where = place(before + number) if place else f"{row_place(row)}, token {number + 1}"
            first = first or f"{where}: {shown(fault, 200)}"
            count += 1
        before += len(named)
    if count:
        more = f" ({count:,} such places)" if count > 1 else ""
        raise DataError(f"{first}{more}. {remedy or 'Mend the tags, or read them with repair.'}")


def refuse_other_tags(tags: Sequence[Sequence[str]], remedy: str) -> None:
    """Raise a DataError that names the first tag which is not of spans, if there is one.

    Args:
        tags: of every sentence.
        remedy: what to do, as the end of a sentence.
    """
    for row, named in enumerate(tags):
        for number, tag in enumerate(named):
            if tag != OUTSIDE and not are_spans([tag]):
                raise DataError(
                    f"{row_place(row)}, token {number + 1}: the tag '{shown(tag, 40)}' is not of a "
                    f"span. Tags must be O, or B-, I-, E- or S- before a type: {remedy}."
                )


def repaired(tags: Sequence[Sequence[str]], scheme: Scheme) -> tuple[list[list[str]], int]:
    """Tags as the CoNLL script understands them, written anew, and how many were changed."""
    mended = [write(spans_of(named), len(named), scheme) for named in tags]
    pairs = zip(tags, mended, strict=True)
    return mended, sum(a != b for old, new in pairs for a, b in zip(old, new, strict=True))
