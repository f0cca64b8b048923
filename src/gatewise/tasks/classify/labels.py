"""Labels: what was given, as numbers a network can learn, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.cells import sigmoid
from gatewise.errors import DataError, ModelFileError
from gatewise.tasks.classify.thresholds import best_thresholds

Label = str | int | bool
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Labels:
    """The labels of a fitted classifier by number.

    With `multiple`, a row can have many labels at once, and a label is given from its own
    threshold on.
    """

    names: tuple[Label, ...]
    multiple: bool
    thresholds: tuple[float, ...] | None = None

    @classmethod
    def learn(cls, given: Any, names: Sequence[Label] | None = None) -> Labels:
        """Find out what labels there are.

        Args:
            given: one label per row, or a list, tuple or set of labels per row, or a table of
                probabilities (B, L).
            names: the labels by number; needed with probabilities, sorted from `given` otherwise.

        Raises:
            DataError: there are fewer than two labels, or they are of different types.
        """
        if names is not None:
            names = [_plain(name) for name in names]
            _check_names(names)
        if _is_table(given):
            columns = np.shape(given)[1]
            if names is None or len(names) != columns:
                count = "none" if names is None else len(names)
                raise DataError(
                    f"Labels given as probabilities in {columns} columns need {columns} names in "
                    f"'label_names'. Got {count}."
                )
            return cls(tuple(names), multiple=False)
        rows = [_plain(row) for row in given]
        several = sum(isinstance(row, frozenset) for row in rows)
        if 0 < several < len(rows):
            raise DataError("Some labels are single and some are lists of labels. Use one form.")
        multiple = several > 0
        found = set().union(*rows) if multiple else set(rows)
        kinds = {type(name) for name in found}
        if len(kinds) > 1 or not kinds <= {str, int, bool}:
            listed = ", ".join(sorted(kind.__name__ for kind in kinds))
            raise DataError(f"Labels must all be texts or all whole numbers. Got {listed}.")
        if names is not None:
            unknown = sorted(found - set(names), key=str)
            if unknown:
                raise DataError(f"The label {unknown[0]!r} is not in 'label_names'.")
        elif len(found) < 2:
            only = f"the only label is {next(iter(found))!r}" if found else "there are no labels"
            raise DataError(f"A classifier needs at least two labels, but {only}.")
        chosen = list(names) if names is not None else sorted(found)
        _check_names(chosen)
        return cls(tuple(chosen), multiple)

    def joined_by(self, given: Any) -> Labels:
        """These labels and, behind them, those that are new in what was given.

        Args:
            given: as `learn` takes it.

        Raises:
            DataError: it is of another kind than these labels.
        """
        if _is_table(given) and not self.multiple:
            return replace(self, thresholds=None)
        rows = [_plain(row) for row in given]
        several = [isinstance(row, frozenset) for row in rows]
        if any(one != self.multiple for one in several):
            form = "a list of labels" if self.multiple else "one label"
            raise DataError(f"The model gives {form} a text: the new rows must have {form} too.")
        found = set().union(*rows) if self.multiple else set(rows)
        names = [*self.names, *sorted(found - {*self.names}, key=str)]
        _check_names(names)
        new = (0.5,) * (len(names) - len(self.names))
        thresholds = None if self.thresholds is None else (*self.thresholds, *new)
        return Labels(tuple(names), self.multiple, thresholds)

    def targets(self, given: Any) -> NDArray[Any]:
        """The labels as numbers: (B,) int64, or (B, L) float32 for many labels or probabilities.

        Raises:
            DataError: a row has a label that is not known, or probabilities that are none.
        """
        if _is_table(given) and not self.multiple:
            return self._checked_probabilities(np.asarray(given, np.float32))
        given = list(given)
        number = {name: i for i, name in enumerate(self.names)}
        rows = [_plain(row) for row in given]
        for place, row in enumerate(rows):
            wanted = row if isinstance(row, frozenset) else frozenset([row])
            if isinstance(row, frozenset) != self.multiple or not wanted <= number.keys():
                known = ", ".join(str(name) for name in self.names[:10])
                known += ", …" if len(self.names) > 10 else ""
                raise DataError(
                    f"Row {place + 1} has the label {given[place]!r}, which the model does not "
                    f"know. It knows: {known}."
                )
        if not self.multiple:
            return np.array([number[row] for row in rows], np.int64)
        table = np.zeros((len(rows), len(self.names)), np.float32)
        for place, row in enumerate(rows):
            table[place, [number[name] for name in row]] = 1
        return table

    def probabilities(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Softmax over the labels, or a sigmoid for each where many can hold: (B, L) → (B, L)."""
        if self.multiple:
            return np.asarray(sigmoid(scores), np.float32)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def decide(self, probabilities: NDArray[np.float32]) -> NDArray[np.int64]:
        """The answers as numbers: (B,), or (B, L) of 0 and 1 for many labels at once."""
        if not self.multiple:
            return np.asarray(probabilities.argmax(axis=1))
        thresholds = np.array(self.thresholds or [0.5] * len(self.names))
        return np.asarray(probabilities >= thresholds, np.int64)

    def named(self, answers: NDArray[np.int64]) -> list[Any]:
        """Numbered answers by name: a label per row, or a list of labels per row."""
        if not self.multiple:
            return [self.names[answer] for answer in answers.tolist()]
        return [[self.names[i] for i in np.flatnonzero(row)] for row in answers]

    def with_thresholds(self, probabilities: NDArray[np.float32], targets: NDArray[Any]) -> Labels:
        """Choose for every label the threshold with the best F1 on these rows."""
        return replace(self, thresholds=best_thresholds(probabilities, targets))

    def _checked_probabilities(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        wrong = ~(np.isfinite(table).all(1) & (table >= 0).all(1) & (abs(table.sum(1) - 1) < 1e-3))
        if wrong.any() or table.shape[1] != len(self.names):
            row = int(wrong.argmax())
            raise DataError(
                f"Probabilities must be {len(self.names)} numbers from 0 that sum to 1. "
                f"Row {row + 1} is {table[row].tolist()}."
            )
        return table

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return {"names": self.names, "multiple": self.multiple, "thresholds": self.thresholds}

    @classmethod
    def from_json(cls, given: Any) -> Labels:
        """Read the labels of a model folder.

        Raises:
            ModelFileError: it is not what `as_json` wrote.
        """
        if not isinstance(given, dict) or given.keys() != {"names", "multiple", "thresholds"}:
            raise ModelFileError("labels.json must hold exactly names, multiple and thresholds.")
        names, multiple, thresholds = given["names"], given["multiple"], given["thresholds"]
        if not isinstance(names, list):
            raise ModelFileError("labels.json must hold a list of names.")
        try:
            _check_names(names)
        except DataError as problem:
            raise ModelFileError(f"labels.json: {problem}") from None
        good_thresholds = thresholds is None or (
            isinstance(thresholds, list)
            and len(thresholds) == len(names)
            and all(isinstance(t, float) and 0 <= t <= 1 for t in thresholds)
        )
        if not isinstance(multiple, bool) or not good_thresholds:
            raise ModelFileError("labels.json holds thresholds that are no numbers from 0 to 1.")
        return cls(tuple(names), multiple, None if thresholds is None else tuple(thresholds))


def _check_names(names: list[Any]) -> None:
    """Refuse names that a model could not be saved with, with a DataError."""
    kinds = {type(name) for name in names}
    if len(names) < 2 or len(set(map(repr, names))) < len(names):
        raise DataError(f"There must be two or more different labels. Got {names[:10]}.")
    if len(kinds) > 1 or not kinds <= {str, int, bool}:
        raise DataError(f"Labels must all be texts or all whole numbers. Got {names[:10]}.")
    for name in names:
        if isinstance(name, str) and not name.isascii() and _SURROGATES.search(name):
            raise DataError(f"The label {name!r} holds half a character. Mend its encoding.")


def _is_table(given: Any) -> bool:
    """Whether labels are given as a table of numbers rather than as names."""
    return isinstance(given, np.ndarray) and given.ndim == 2


def _plain(row: Any) -> Any:
    """One row's label or labels in plain Python types, many as a frozenset."""
    if isinstance(row, np.generic):
        return row.item()
    if isinstance(row, Iterable) and not isinstance(row, str):
        return frozenset(_plain(part) for part in row)
    return row
