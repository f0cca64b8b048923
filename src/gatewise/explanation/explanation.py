"""Explanation: one text and one model's answer to it, as arrays, words and plain sentences.

What draws it (`terminal.py`, `picture.py`, `html.py`) knows no task: it shows the measures of every
word, the traces of every layer, and the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.explanation.traces import Trace, Word

DIGITS = 6
"""Behind the point, of all numbers in JSON."""


@dataclass(frozen=True, eq=False)
class Measure:
    """One number for every word.

    Attributes:
        name: one or two words.
        values: (T,); NaN where there is nothing to say of a word.
        about: a sentence: what the number is.
        signed: whether it speaks for (above 0) or against (below) something.
    """

    name: str
    values: NDArray[np.floating[Any]]
    about: str
    signed: bool = False

    def as_json(self) -> dict[str, Any]:
        """All of it in lists and dicts."""
        return {
            "name": self.name,
            "about": self.about,
            "signed": self.signed,
            "values": plain(self.values),
        }


@dataclass(frozen=True, eq=False)
class Table:
    """Numbers by row and column, such as the transitions between tags.

    Attributes:
        name: a few words.
        rows: names of the rows.
        columns: names of the columns.
        values: (rows, columns); NaN where there is nothing to say.
        about: a sentence: what the numbers are.
        signed: whether they speak for (above 0) or against (below) something.
    """

    name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: NDArray[np.floating[Any]]
    about: str
    signed: bool = False

    def as_json(self) -> dict[str, Any]:
        """All of it in lists and dicts."""
        return {
            "name": self.name,
            "about": self.about,
            "signed": self.signed,
            "rows": list(self.rows),
            "columns": list(self.columns),
            "values": plain(self.values),
        }


@dataclass(frozen=True, eq=False)
class Passage:
    """Words, what there is to say of each of them, and what the layers did.

    Attributes:
        words: the T tokens.
        measures: numbers of every word; the first one is what words are coloured by.
        layers: gates and states of every layer and direction, see `Trace`.
    """

    words: tuple[Word, ...]
    measures: tuple[Measure, ...]
    layers: tuple[Trace, ...]

    def as_json(self) -> dict[str, Any]:
        """All of it in lists and dicts."""
        return {
            "words": [asdict(word) for word in self.words],
            "measures": [measure.as_json() for measure in self.measures],
            "layers": [
                {
                    "layer": trace.layer,
                    "direction": trace.direction,
                    "parts": {name: plain(values) for name, values in trace.parts.items()},
                }
                for trace in self.layers
            ],
        }


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a model did with a text.

    Attributes:
        task: of the model, as `gatewise.tasks.TASKS` names it.
        text: as given.
        answer: for people.
        words: the T tokens that were read.
        measures: numbers of every word; the first one is what words are coloured by.
        layers: gates and states of every layer and direction, see `Trace`.
        tables: further numbers, by row and column.
        remarks: sentences for people.
        arrays: all numbers that the measures come from, by name; docs/explain.md lists them.
        labels: what the columns of arrays over labels stand for.
        written: of text to text, the answer: its words and the layers that wrote it; the rows of
            the tables are its words, their columns those that were read.
    """

    task: str
    text: str
    answer: str
    words: tuple[Word, ...]
    measures: tuple[Measure, ...]
    layers: tuple[Trace, ...]
    tables: tuple[Table, ...] = ()
    remarks: tuple[str, ...] = ()
    arrays: Mapping[str, NDArray[np.floating[Any]]] = field(default_factory=dict)
    labels: tuple[Any, ...] = ()
    written: Passage | None = None

    @property
    def passages(self) -> dict[str, Passage]:
        """What was read and, of text to text, what was written, by what people call them."""
        read = Passage(self.words, self.measures, self.layers)
        return {"read": read} | ({"written": self.written} if self.written else {})

    def measure(self, name: str) -> NDArray[np.floating[Any]]:
        """The values of a measure, (T,).

        Raises:
            KeyError: there is none of this name.
        """
        return {measure.name: measure.values for measure in self.measures}[name]

    def as_json(self) -> dict[str, Any]:
        """All of it in lists and dicts; numbers have six digits behind the point, None is NaN."""
        return {
            "task": self.task,
            "text": self.text,
            "answer": self.answer,
            "labels": list(self.labels),
            **self.passages["read"].as_json(),
            "written": self.written.as_json() if self.written else None,
            "tables": [table.as_json() for table in self.tables],
            "remarks": list(self.remarks),
            "arrays": {name: plain(values) for name, values in self.arrays.items()},
        }


def plain(array: NDArray[np.floating[Any]], digits: int = DIGITS) -> Any:
    """An array as lists of numbers, None for those that JSON has no number for."""
    rounded = np.round(array.astype(np.float64), digits)
    found = np.isfinite(rounded)
    if not found.all():
        rounded = rounded.astype(object)
        rounded[~found] = None
    return rounded.tolist()
