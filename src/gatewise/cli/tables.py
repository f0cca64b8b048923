"""A table in, the same table with answers behind its columns out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from gatewise.cli.checks import check_other
from gatewise.cli.terminal import say, tell
from gatewise.data.columns import check_columns
from gatewise.data.tables import Table, guess_text, write_table
from gatewise.errors import DataError


def guessed_column(table: Table) -> str:
    """The column that is likely that of the texts; it is told of.

    Raises:
        DataError: no guess is clear.
    """
    column, why = guess_text(table)
    tell("columns", f"texts in '{column}' ({why})")
    return column


def write_answers(
    table: Table,
    source: str,
    column: str,
    out: str,
    added: tuple[str, ...],
    answer: Callable[[list[str]], Iterable[Sequence[str]]],
) -> None:
    """Write a table with the answers to one of its columns behind all of them.

    Args:
        table: whose rows are answered.
        source: its name on the command line.
        column: of the texts.
        out: the file.
        added: names of the columns that hold the answers.
        answer: from texts to a field for each of these columns.

    Raises:
        DataError: a column is missing or there already, or the file is that of the table.
    """
    check_other(out, source)
    taken = [name for name in added if name in table.columns]
    if taken:
        raise DataError(f"{table.name} has a column '{taken[0]}' already. Rename it first.")
    check_columns(table.name, table.columns, [column], [])
    place = table.columns.index(column)

    def answered() -> Iterator[tuple[str, ...]]:
        for rows in table.rows(table.columns):
            answers = answer([row[place] for row in rows])
            for row, found in zip(rows, answers, strict=True):
                yield (*row, *found)

    write_table(out, (*table.columns, *added), answered())
    say(f"The answers are in {out}.")
