"""Cells of several labels, such as "joy|surprise"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gatewise.data.checks import Place, row_place
from gatewise.data.problems import many, shown
from gatewise.errors import DataError

_SEPARATORS = "|;,"


def split_labels(
    cells: Sequence[str], separator: str = "|", *, place: Place = row_place
) -> tuple[list[tuple[str, ...]], list[str]]:
    """The labels of every cell, without spaces around them, and sentences for the user.

    An empty cell has no labels. That is allowed and counted; every cell empty is not.

    Raises:
        DataError: a label stands twice in a cell, or is empty between separators, or cells use
            different separators; the message names the row.
    """
    rows = []
    for row, cell in enumerate(cells):
        labels = tuple(label.strip() for label in cell.split(separator)) if cell.strip() else ()
        if "" in labels:
            raise DataError(
                f"{place(row)}: an empty label in '{shown(cell)}'. Remove the extra '{separator}'."
            )
        if len(set(labels)) < len(labels):
            twice = next(label for label, count in Counter(labels).items() if count > 1)
            raise DataError(
                f"{place(row)}: the label '{shown(twice)}' stands twice in '{shown(cell)}'. "
                "Keep one."
            )
        rows.append(labels)
    _refuse_mixed(rows, separator, place)
    empty = sum(not labels for labels in rows)
    if empty == len(rows):
        raise DataError("No row has a label. Check the label column.")
    if not empty:
        return rows, []
    return rows, [
        f"{many(empty, 'row')} of {len(rows):,} {'has' if empty == 1 else 'have'} no label at "
        "all and will be learned as 'none of them'. Remove them unless that is meant."
    ]


def _refuse_mixed(rows: Iterable[tuple[str, ...]], separator: str, place: Place) -> None:
    """Refuse a label whose parts, split by another separator, are all labels of other rows."""
    rows = list(rows)
    known = {label for labels in rows for label in labels}
    for row, labels in enumerate(rows):
        for label in labels:
            for other in _SEPARATORS:
                parts = [part.strip() for part in label.split(other)]
                if other != separator and len(parts) > 1 and known.issuperset(parts):
                    raise DataError(
                        f"{place(row)}: '{shown(label)}' is split by '{other}', but the "
                        f"separator is '{separator}'. Use one separator everywhere."
                    )
