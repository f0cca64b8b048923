"""Pairs of the command line: tabbed lines, two files side by side, or two columns of a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gatewise import options
from gatewise.cli.flags import Reading
from gatewise.cli.terminal import tell
from gatewise.cli.texts import is_lines
from gatewise.data.columns import named
from gatewise.data.parallel import paired_lines, tabbed_pairs
from gatewise.data.tables import Table
from gatewise.errors import DataError, OptionError


@dataclass(frozen=True)
class PairColumns:
    """The columns of a table that hold sources and targets."""

    text: str
    target: str

    @classmethod
    def choose(cls, table: Table, text: str | None, target: str | None) -> PairColumns:
        """The columns that were named; of a table with two columns, the rest by their order.

        Raises:
            DataError: a column does not exist, or the table has other columns to choose from.
        """
        asked = [column for column in (text, target) if column is not None]
        if asked:
            table.check(asked)
        if text is not None and target is not None:
            return cls(text, target)
        rest = [column for column in table.columns if column not in asked]
        if len(rest) + len(asked) != 2:
            raise DataError(
                f"{table.name}: it is not clear which columns hold the texts and their targets. "
                f"Name them with --text and --target. It has: {named(table.columns)}."
            )
        text = text or rest.pop(0)
        target = target or rest.pop(0)
        tell("columns", f"texts in '{text}', targets in '{target}' (the only columns)")
        return cls(text, target)


@dataclass(frozen=True)
class PairRows:
    """Sources and targets as `fit` and `evaluate` take them; `columns` only of a table."""

    sources: list[str]
    targets: list[str]
    columns: PairColumns | None
    notes: Sequence[str]


def read_pairs(
    source: str,
    *,
    target_file: str | None = None,
    text: str | None = None,
    target: str | None = None,
    reading: Reading,
    known: PairColumns | None = None,
) -> PairRows:
    """The pairs of a source.

    Args:
        source: a .tsv file of tabbed lines; with `target_file` a file of lines; else a table. A
            .tsv with a named column is a table too.
        target_file: a file whose lines belong to those of the source.
        text: column of the sources.
        target: column of the targets.
        reading: how a table is read.
        known: columns that a model was trained on: taken where the table has them.

    Raises:
        DataError: the pairs cannot be read.
        OptionError: what is for tables is given with lines.
    """
    tabbed = re.search(r"\.(tsv|tab)(\.gz|\.zst)?$", source.lower()) and not (text or target)
    if target_file is None and not tabbed:
        if is_lines(source):
            raise OptionError(
                f"The lines of {source} are texts without targets. Give a .tsv of two columns, a "
                "table, or --target-file with a target on every line."
            )
        table = reading.open(source)
        if known is not None and {known.text, known.target} <= {*table.columns}:
            text, target = text or known.text, target or known.target
        columns = PairColumns.choose(table, text, target)
        found = table.read([columns.text, columns.target])
        return PairRows(found[columns.text], found[columns.target], columns, table.notes)
    usual, given = options.values(Reading()), options.values(reading)
    for name, value in (given | {"text": text, "target": target}).items():
        if name != "encoding" and value != usual.get(name):
            flag = name.replace("_", "-")
            raise OptionError(f"--{flag} is for tables. The pairs of {source} are its lines.")
    if target_file is None:
        pairs = tabbed_pairs(source, reading.encoding)
    else:
        pairs = paired_lines(source, target_file, reading.encoding)
    return PairRows(*pairs, None, ())
