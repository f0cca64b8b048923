"""What all units of one direction of one layer did over the texts of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.encoder import Encoder, Floats
from gatewise.errors import DataError
from gatewise.explanation.traces import Word, moved, placed_words
from gatewise.kernels import chosen_precision
from gatewise.ragged import Ragged
from gatewise.tasks import task_of
from gatewise.tasks.language.fitted import END

MOST_TOKENS = 200_000
"""Tokens of a file whose states are kept: 100 MB for 128 units."""
AT_ONCE = 8192
"""Tokens that are walked at once: their gates of all layers are in memory."""


@dataclass(frozen=True)
class Texts:
    """The texts of a file as one model reads them, as many as fit.

    Attributes:
        encoder: that walks them.
        ids: their tokens; those from the vocabulary's size on stand for unknown words.
        vectors: of unknown words, (U, E), or None.
        names: of all tokens by id.
        words: the tokens of one text with their places, as many as `ids` has of it.
    """

    encoder: Encoder
    ids: Ragged
    vectors: Floats | None
    names: Sequence[str]
    words: Callable[[str], Sequence[Word]]


@dataclass(frozen=True)
class States:
    """States of one direction of one layer after every token, (N, H): of the cell if it has one."""

    texts: Texts
    backward: bool
    values: Floats

    def steps(self, unit: int) -> Floats:
        """How much every token moved a unit, (N,): its state less that before, 0 at the start."""
        column, offsets = self.values[:, unit], self.texts.ids.offsets
        filled = offsets[:-1] < offsets[1:]
        before = np.zeros_like(column)
        if self.backward:
            before[:-1] = column[1:]
            before[offsets[1:][filled] - 1] = 0
        else:
            before[1:] = column[:-1]
            before[offsets[:-1][filled]] = 0
        return column - before

    def final(self) -> tuple[Floats, NDArray[np.int64]]:
        """The states after the last token that was read, and the texts that have any tokens."""
        offsets = self.texts.ids.offsets
        filled = np.flatnonzero(offsets[:-1] < offsets[1:])
        places = offsets[filled] if self.backward else offsets[filled + 1] - 1
        return self.values[places], filled


def read_texts(model: Any, texts: Sequence[str]) -> Texts:
    """The texts as a model reads them.

    Raises:
        DataError: models of its task are read word by word only.
    """
    reader = _READERS.get(task_of(model))
    if reader is None:
        raise DataError("Units are followed over a file for classifiers and language models only.")
    return reader(model, texts)


def states(model: Any, texts: Texts, layer: int, direction: int) -> States:
    """Walk the texts.

    Args:
        model: whose texts they are.
        texts: from `read_texts`.
        layer: from 0.
        direction: 0 for forward, 1 for backward.

    Raises:
        DataError: no text has any token.
    """
    if not len(texts.ids.values):
        raise DataError("The texts of the file have no words that a unit could follow.")
    settings = model.threads, chosen_precision(model.precision)
    found = []
    for rows in _blocks(texts.ids):
        ids = texts.ids.take(rows)
        values = texts.encoder.embedded(ids, texts.vectors)
        output = texts.encoder.traced(values, ids.offsets, *settings)[layer]
        if output.saved_cells is not None:
            found.append(output.saved_cells[direction].copy())  # not a view: the gates may go
        else:
            size = output.final_hidden.shape[2]
            found.append(output.hidden[:, direction * size : (direction + 1) * size].copy())
    return States(texts, direction == 1, np.concatenate(found))


def _blocks(ids: Ragged) -> Iterator[NDArray[np.int64]]:
    """Numbers of texts that are walked together, in their order."""
    first = 0
    while first < len(ids):
        last = int(ids.offsets.searchsorted(ids.offsets[first] + AT_ONCE, side="right")) - 1
        last = max(last, first + 1)
        yield np.arange(first, last)
        first = last


def _fitting(ids: Ragged) -> Ragged:
    """The first texts, as many as may be kept, at least one."""
    last = int(ids.offsets.searchsorted(MOST_TOKENS, side="right")) - 1
    return ids.take(np.arange(min(max(last, 1), len(ids))))


def _classifier_texts(classifier: Any, texts: Sequence[str]) -> Texts:
    fitted = classifier.fitted()
    ids, unknown = fitted.encode(list(texts))
    longest = fitted.chosen.max_length
    short = _fitting(ids.shortened(longest)[0])

    def words(text: str) -> Sequence[Word]:
        found = placed_words(fitted.tokenizer, text)
        tail = longest // 2
        whole = len(found) <= longest
        return found if whole else (*found[: longest - tail], *found[len(found) - tail :])

    names = [*fitted.tokenizer.vocabulary, *unknown]
    return Texts(fitted.encoder, short, fitted.encoder.vectors(unknown), names, words)


def _language_texts(model: Any, texts: Sequence[str]) -> Texts:
    fitted = model.fitted()
    joined = fitted.chosen.documents == "joined"
    ids = fitted.encode(list(texts))

    def words(text: str) -> Sequence[Word]:
        found, place = [], 0
        for part in text.split("\n") if joined else [text]:
            found += [Word(END, place, place), *moved(placed_words(fitted.tokenizer, part), place)]
            place += len(part) + 1
        return found

    # An end stands before every text, and what follows the last token is not read.
    read = _fitting(Ragged(fitted.before(ids), ids.offsets))
    return Texts(fitted.encoder, read, None, fitted.classes, words)


_READERS: dict[str, Callable[[Any, Sequence[str]], Texts]] = {
    "classify": _classifier_texts,
    "language": _language_texts,
}
