"""Columns: which of a table hold the texts and the labels, and what stands in them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.cli.terminal import tell
from gatewise.data.checks import refuse_empty, refuse_unknown
from gatewise.data.multi_label import split_labels
from gatewise.data.problems import shown
from gatewise.data.tables import Table, guess_columns, guess_label, guess_text
from gatewise.errors import DataError, OptionError


@dataclass(frozen=True)
class Examples:
    """The rows of a table as `fit` and `evaluate` take them.

    `labels` are a text or a tuple of texts per row, or probabilities (B, L).
    """

    table: Table
    texts: list[str]
    labels: Any
    weights: list[float] | None
    notes: list[str]
    """What the labels let a user know who learns from them."""

    def names(self) -> tuple[list[str], Sequence[int]]:
        """All labels one after another and the row of each; probabilities have none."""
        if isinstance(self.labels, np.ndarray):
            return [], []
        if isinstance(self.labels[0], str):
            return self.labels, range(len(self.labels))
        rows = [row for row, labels in enumerate(self.labels) for _ in labels]
        return [label for labels in self.labels for label in labels], rows

    def refuse_unknown(self, known: Collection[str], of: str) -> None:
        """Raise a DataError with the place of the first label that is not `known`."""
        names, rows = self.names()
        if names:
            refuse_unknown(names, known, lambda number: self.table.place_of(rows[number]), of=of)

    def renamed(self, names: Mapping[str, Any]) -> Examples:
        """The same rows with the labels that a model has for those of the table."""
        if isinstance(self.labels, np.ndarray):
            return self
        if isinstance(self.labels[0], str):
            return replace(self, labels=[names[label] for label in self.labels])
        return replace(self, labels=[tuple(names[name] for name in row) for row in self.labels])


@dataclass(frozen=True)
class Columns:
    """The columns of texts and labels, and what separates many labels in one cell.

    Several label columns hold the probabilities of the labels they are named after.
    """

    text: str
    labels: tuple[str, ...]
    separator: str | None = None

    @classmethod
    def choose(
        cls, table: Table, text: str | None, label: str | None, separator: str | None
    ) -> Columns:
        """The given columns; what is left out is guessed, and the guess printed.

        Raises:
            DataError: no guess is clear, or a column is to hold two things.
            OptionError: the separator cannot be one.
        """
        several = label is not None and "," in label and label not in table.columns
        labels = () if label is None else tuple(label.split(",")) if several else (label,)
        given = [*labels, *([] if text is None else [text])]
        if given:
            table.check(given)
        why = ""
        if text is None and not labels:
            text, found, why = guess_columns(table)
            labels = (found,)
        elif text is None:
            text, why = guess_text(table, labels)
        elif not labels:
            found, why = guess_label(table, text)
            labels = (found,)
        if why:
            tell("columns", f"texts in '{text}', labels in '{','.join(labels)}' ({why})")
        if text in labels:
            raise DataError(
                f"{table.name}: the texts and the labels cannot both be in '{shown(text)}'. Name "
                "them with --text and --label."
            )
        if len(set(labels)) < len(labels):
            raise DataError(f"{table.name}: --label names a column twice. Name every label once.")
        if separator == "" or (several and separator):
            raise OptionError(
                "--label-separator must be what stands between many labels in one column. "
                + ("--label names several columns." if several else "Got an empty text.")
            )
        return cls(text, labels, separator)

    def read(self, table: Table, weight: str | None = None) -> Examples:
        """All rows, in one pass: what one pass skips another could keep.

        Args:
            table: the table.
            weight: the column of numbers that say how much every row counts.

        Raises:
            DataError: a label is empty, or a cell is not the number it must be; with its place.
        """
        wanted = [self.text, *self.labels, *([] if weight is None else [weight])]
        cells = table.read(list(dict.fromkeys(wanted)))
        for note in table.notes:
            tell("note", note)
        labels: Any = cells[self.labels[0]]
        notes: list[str] = []
        if len(self.labels) > 1:
            labels = _probabilities(table, {name: cells[name] for name in self.labels})
        elif self.separator is None:
            refuse_empty(labels, table.place_of)
        else:
            labels, notes = split_labels(labels, self.separator, place=table.place_of)
        weights = None if weight is None else _numbers(table, weight, cells[weight])
        return Examples(table, cells[self.text], labels, weights, notes)


def _probabilities(table: Table, cells: dict[str, list[str]]) -> NDArray[np.float32]:
    """Columns of probabilities as (B, L)."""
    columns = [_numbers(table, name, column) for name, column in cells.items()]
    for row, numbers in enumerate(zip(*columns, strict=True)):
        if abs(sum(numbers) - 1) >= 1e-3:
            raise DataError(
                f"{table.place_of(row)}: the probabilities of the labels must sum to 1. "
                f"Got {sum(numbers):.4g}."
            )
    return np.array(columns, np.float32).T


def _numbers(table: Table, column: str, cells: list[str]) -> list[float]:
    """The cells of a column as numbers from 0."""
    found = []
    for row, cell in enumerate(cells):
        try:
            number = float(cell)
        except ValueError:
            number = math.nan
        if not 0 <= number < math.inf:
            raise DataError(
                f"{table.place_of(row)}: the column '{shown(column)}' must hold numbers from 0. "
                f"Got '{shown(cell, 40)}'."
            )
        found.append(number)
    return found
