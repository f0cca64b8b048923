"""Columns: which of a table hold the texts and the labels, and what the labels are."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatewise.data.multi_label import split_labels
from gatewise.data.tables import Table, guess_columns
from gatewise.errors import DataError


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
            DataError: no guess is clear.
        """
        if text is None or label is None:
            guess = guess_columns(table)
            text, label = text or guess.text, label or guess.label
            sys.stderr.write(f"columns: texts in '{text}', labels in '{label}' ({guess.why})\n")
        if text == label:
            raise DataError(
                f"{table.name}: the texts and the labels cannot both be in '{text}'. Name them with "
                "--text and --label."
            )
        several = "," in label and label not in table.columns
        return cls(text, tuple(label.split(",")) if several else (label,), separator)

    def read(self, table: Table) -> tuple[list[str], Any]:
        """All texts and labels.

        Raises:
            DataError: a label is empty or a probability is no number; with its place.
        """
        cells = table.read([self.text, *self.labels])
        texts = cells.pop(self.text)
        for note in table.notes:
            sys.stderr.write(f"note: {note}\n")
        if len(self.labels) > 1:
            return texts, self._probabilities(table, cells)
        labels = cells[self.labels[0]]
        if self.separator is None:
            _refuse_empty(table, labels)
            return texts, labels
        rows, notes = split_labels(labels, self.separator, place=table.place_of)
        for note in notes:
            sys.stderr.write(f"warning: {note}\n")
        return texts, rows

    def _probabilities(self, table: Table, cells: dict[str, list[str]]) -> Any:
        columns = [numbers(table, name, cells[name]) for name in self.labels]
        return np.array(columns, np.float32).T


def _refuse_empty(table: Table, labels: list[str]) -> None:
    empty = [row for row, label in enumerate(labels) if not label.strip()]
    if empty:
        count = f" ({len(empty)} rows have none)" if len(empty) > 1 else ""
        raise DataError(
            f"{table.place_of(empty[0])}: empty label{count}. Fill it in or remove the row."
        )


def numbers(table: Table, column: str, cells: list[str]) -> list[float]:
    """The cells of a column as numbers.

    Raises:
        DataError: a cell is no number; with its place.
    """
    found = []
    for row, cell in enumerate(cells):
        try:
            found.append(float(cell))
        except ValueError:
            raise DataError(
                f"{table.place_of(row)}: the column '{column}' must hold numbers. "
                f"Got {cell[:40]!r}."
            ) from None
    return found
