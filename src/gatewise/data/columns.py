"""Columns: is this header one, which column was meant, which hold the text and the label."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from gatewise.data.problems import many, shown
from gatewise.errors import DataError

if TYPE_CHECKING:
    from gatewise.data.tables import Table

TEXT_NAMES = (
    "text", "review", "sentence", "comment", "message", "body", "content", "review_text",
    "reviewtext", "review_body", "comment_text", "tweet", "post", "question", "document",
    "utterance", "sms", "email", "article", "description", "headline", "title", "abstract",
)  # fmt: skip
LABEL_NAMES = (
    "label", "labels", "class", "category", "sentiment", "target", "classes",
    "categories", "intent", "emotion", "emotions", "topic", "tag", "tags", "polarity",
    "airline_sentiment", "rating", "stars", "score", "spam", "y",
)  # fmt: skip

_DELIMITERS = {";": "';'", "\t": "tab", "|": "'|'", ",": "','"}


class ColumnGuess(NamedTuple):
    """The columns that seem to hold the texts and the labels, and why."""

    text: str
    label: str
    why: str


class TextGuess(NamedTuple):
    """The column that seems to hold the texts, and why."""

    text: str
    why: str


class LabelGuess(NamedTuple):
    """The column that seems to hold the labels, and why."""

    label: str
    why: str


def named(columns: Sequence[str]) -> str:
    """Column names for a message."""
    names = ", ".join(f"'{shown(column, 40)}'" for column in columns[:20])
    return names + (f" and {len(columns) - 20} more" if len(columns) > 20 else "")


def check_header(name: str, header: Sequence[str], line: int) -> None:
    """Raise a DataError when the first row of a delimited file is no usable header."""
    first = header[0]
    if re.fullmatch(r"sep=.?", first.strip()) or (first == "sep=" and not any(header[1:])):
        raise DataError(
            f"{name}, line {line}: 'sep=' is a note for Excel, not a header. Delete this line"
            + (f" and add --delimiter '{shown(first.strip()[4:])}'." if len(header) == 1 else ".")
        )
    check_names(f"{name}, line {line}", header)


def check_names(where: str, columns: Sequence[str]) -> None:
    """Raise a DataError when a column has no name or two have the same."""
    for number, column in enumerate(columns, start=1):
        if not column.strip():
            hint = " Is there a delimiter at the end of the line?"
            if number == 1:
                hint = " (pandas writes row numbers so; save with index=False.)"
            raise DataError(
                f"{where}: column {number} of {len(columns)} has no name. Name it.{hint}"
            )
    for column, count in Counter(columns).items():
        if count > 1:
            raise DataError(
                f"{where}: {count} columns have the name '{shown(column)}'. Name each differently."
            )


def check_delimiter(name: str, rows: Sequence[Sequence[str]], delimiter: str) -> None:
    """Raise a DataError when rows of one field seem to be split by something else."""
    if any(len(row) != 1 for row in rows):
        return
    for other, word in _DELIMITERS.items():
        counts = {row[0].count(other) for row in rows}
        if other != delimiter and len(counts) == 1 and counts != {0}:
            flag = word if other == "\t" else f"'{other}'"
            raise DataError(
                f"{name}: only one column was found, and the delimiter looks like {word}. "
                f"Add --delimiter {flag}."
            )


def check_columns(
    name: str, columns: Sequence[str], wanted: Sequence[str], sample: Sequence[Sequence[str]]
) -> None:
    """Raise a DataError when a wanted column does not exist; say which was probably meant."""
    if not wanted:
        raise DataError(f"{name}: name at least one column. It has: {named(columns)}.")
    missing = [column for column in wanted if column not in columns]
    if not missing:
        return
    close = near(missing[0], columns)
    asked = f"no column {named(missing)}" if len(missing) == 1 else f"no columns {named(missing)}"
    if close:
        remedy = f"Did you mean '{shown(close)}'?"
    elif looks_like_data(columns, sample):
        remedy = (
            f"The first row is {named(columns)}: the file seems to have no header. Add --no-header."
        )
    else:
        remedy = f"It has: {named(columns)}."
    raise DataError(f"{name}: {asked}. {remedy}")


def near(wanted: str, columns: Sequence[str]) -> str:
    """The column that was probably meant by `wanted`, or an empty text."""
    plain = {column.strip().casefold(): column for column in reversed(columns)}
    key = wanted.strip().casefold()
    matches = [key] if key in plain else difflib.get_close_matches(key, plain, n=1, cutoff=0.7)
    return plain[matches[0]] if matches else ""


def looks_like_data(header: Sequence[str], sample: Sequence[Sequence[str]]) -> bool:
    """Whether the first row seems to be data: long, spoken, a number, or a value met again."""
    for place, cell in enumerate(header):
        if len(cell) > 60 or cell.count(" ") >= 3 or re.fullmatch(r"-?\d+([.,]\d+)?", cell):
            return True
        if any(len(row) > place and row[place] == cell for row in sample):
            return True
    return False


def guess_columns(table: Table) -> ColumnGuess:
    """The columns of the texts and of the labels, by their names or else by their contents.

    Reading the contents takes one pass over the table.

    Raises:
        DataError: it is not clear which columns are meant; the message names them all.
    """
    columns = table.columns
    text, label = _by_name(columns, TEXT_NAMES), _by_name(columns, LABEL_NAMES)
    if text and label:
        return ColumnGuess(text, label, "by their names")
    if len(columns) < 2:
        raise _too_few(table)
    spread = _Spread(table)
    why = []
    if not text:
        text = spread.longest([column for column in columns if column != label])
        why.append(f"'{shown(text)}' has the longest texts")
    if not label:
        label = spread.fewest([column for column in columns if column != text])
        why.append(f"'{shown(label)}' has {spread.distinct(label):,} different values")
    return ColumnGuess(text, label, " and ".join(why))


def guess_text(table: Table, labels: Sequence[str] = ()) -> TextGuess:
    """The column of the texts of a table, where those of the labels are known or not needed.

    Raises:
        DataError: it is not clear which column is meant; the message names them all.
    """
    columns = [column for column in table.columns if column not in labels]
    if not columns:
        raise _too_few(table)
    if len(columns) == 1:
        why = f"'{shown(columns[0])}' is the only other column" if labels else "the only column"
        return TextGuess(columns[0], why)
    if text := _by_name(columns, TEXT_NAMES):
        return TextGuess(text, "by its name")
    text = _Spread(table).longest(columns)
    return TextGuess(text, f"'{shown(text)}' has the longest texts")


def guess_label(table: Table, text: str) -> LabelGuess:
    """The column of the labels of a table, where that of the texts is known.

    Raises:
        DataError: it is not clear which column is meant; the message names them all.
    """
    columns = [column for column in table.columns if column != text]
    if not columns:
        raise _too_few(table)
    if label := _by_name(columns, LABEL_NAMES):
        return LabelGuess(label, "by its name")
    spread = _Spread(table)
    label = spread.fewest(columns)
    return LabelGuess(label, f"'{shown(label)}' has {spread.distinct(label):,} different values")


def _too_few(table: Table) -> DataError:
    return DataError(
        f"{table.name}: a text and a label column are needed. It has only {named(table.columns)}."
    )


def _by_name(columns: Sequence[str], names: Sequence[str]) -> str:
    plain = {column.strip().casefold(): column for column in reversed(columns)}
    return next((plain[name] for name in names if name in plain), "")


class _Spread:
    """How long and how varied the columns of a table are; bounded memory."""

    _MOST = 1000

    def __init__(self, table: Table) -> None:
        self._table = table
        self._rows = 0
        self._chars = Counter[str]()
        self._spaces = Counter[str]()
        self._values: dict[str, set[str]] = {column: set() for column in table.columns}
        for batch in table.rows(table.columns, write_rejects=False):
            self._rows += len(batch)
            for column, cells in zip(table.columns, zip(*batch, strict=True), strict=True):
                self._chars[column] += sum(map(len, cells))
                self._spaces[column] += sum(cell.count(" ") for cell in cells)
                if len(self._values[column]) <= self._MOST:
                    self._values[column].update(cells)

    def distinct(self, column: str) -> int:
        """How many different values a column has, counted up to somewhat above 1,000."""
        return len(self._values[column])

    def longest(self, columns: Sequence[str]) -> str:
        """The one column of free text."""
        spoken = [column for column in columns if self._spaces[column] >= self._rows]
        spoken.sort(key=lambda column: -self._chars[column])
        if not spoken or (len(spoken) > 1 and self._chars[spoken[0]] < 2 * self._chars[spoken[1]]):
            raise self._unclear("text")
        return spoken[0]

    def fewest(self, columns: Sequence[str]) -> str:
        """The one column with few different values."""
        most = min(self._MOST, max(2, self._rows // 2))
        few = [column for column in columns if 2 <= self.distinct(column) <= most]
        if len(few) != 1:
            raise self._unclear("label")
        return few[0]

    def _unclear(self, what: str) -> DataError:
        facts = ", ".join(
            f"'{shown(column, 40)}' ({self._chars[column] / max(1, self._rows):.0f} characters, "
            f"{'over ' if self.distinct(column) > self._MOST else ''}"
            f"{many(min(self.distinct(column), self._MOST), 'value')})"
            for column in self._table.columns
        )
        return DataError(
            f"{self._table.name}: it is not clear which column holds the {what}. "
            f"Name it with --{what}. The columns are {facts}."
        )
