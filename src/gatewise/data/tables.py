"""Tables: texts and labels from CSV, TSV, JSON lines, Parquet and SQL; every field a text.

    table = open_table("reviews.csv.gz")
    for batch in table.rows(["text", "label"]):   # lists of tuples of str
        ...

"None", "NA", "null", "01", "1.0" and "True" stay what they are. Nothing is guessed in silence:
the delimiter follows the suffix or is given, quoting is RFC 4180, and a row that does not fit is
an error with its line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from gatewise.data.columns import (
    ColumnGuess,
    LabelGuess,
    TextGuess,
    check_columns,
    guess_columns,
    guess_label,
    guess_text,
)
from gatewise.data.delimited import Dialect
from gatewise.data.formats import Delimited, JsonLines, Queried, Reader
from gatewise.data.problems import Problems, shown
from gatewise.data.sources import Source
from gatewise.data.writing import write_table
from gatewise.errors import DataError

__all__ = [
    "ColumnGuess",
    "LabelGuess",
    "Table",
    "TextGuess",
    "guess_columns",
    "guess_label",
    "guess_text",
    "open_table",
    "write_table",
]

_BATCH_ROWS = 4096
_BATCH_CHARS = 4_000_000


class Table:
    """A table that can be read more than once, each time as a stream."""

    def __init__(
        self, name: str, reader: Reader, on_bad_rows: Literal["error", "skip"], rejects: Path
    ) -> None:
        self.name = name
        self.notes: list[str] = []
        """What the last full pass left out or changed, one sentence each, for the user."""
        self._reader = reader
        self._on_bad_rows: Literal["error", "skip"] = on_bad_rows
        self._rejects = rejects
        self._read_columns = reader.columns

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, as in the header."""
        return self._reader.columns

    @property
    def rejects(self) -> Path | None:
        """The file that a pass writes skipped rows to; None where bad rows are an error."""
        return self._rejects if self._on_bad_rows == "skip" else None

    def check(self, columns: Sequence[str]) -> None:
        """Raise a DataError when one of the columns does not exist; say which was meant."""
        check_columns(self.name, self.columns, columns, self._reader.sample)

    def rows(
        self, columns: Sequence[str], *, write_rejects: bool = True
    ) -> Iterator[list[tuple[str, ...]]]:
        """All rows of the given columns, in batches of up to 4,096 rows or 4 M characters.

        Which rows are bad depends on the columns. A pass that only looks around, at more of them
        than are used, does not `write_rejects`.

        Raises:
            DataError: at once for an unknown column; at the end of the pass for bad rows.
        """
        self.check(columns)
        self._read_columns = tuple(columns)
        return self._batches(tuple(columns), self._rejects if write_rejects else None)

    def _batches(
        self, columns: tuple[str, ...], rejects: Path | None
    ) -> Iterator[list[tuple[str, ...]]]:
        problems = Problems(self.name, self._on_bad_rows, rejects, self._reader.unit)
        count = chars = 0
        batch: list[tuple[str, ...]] = []
        try:
            for _, row in self._reader.read(columns, problems):
                count += 1
                if problems.refusing:  # only to find the other problems
                    continue
                batch.append(row)
                for field in row:
                    chars += len(field)
                if len(batch) == _BATCH_ROWS or chars > _BATCH_CHARS:
                    yield batch
                    batch, chars = [], 0
            self.notes = problems.finish(count)
            if count == 0:
                raise DataError(f"{self.name}: no data rows.")
        finally:
            problems.discard()
        if batch:
            yield batch

    def read(self, columns: Sequence[str]) -> dict[str, list[str]]:
        """All values of the given columns, by name. Errors as in `rows`."""
        values: dict[str, list[str]] = {column: [] for column in columns}
        for batch in self.rows(columns):
            for column, cells in zip(columns, zip(*batch, strict=True), strict=True):
                values[column] += cells
        return values

    def line_of(self, row: int) -> int:
        """The line (from 1) where row `row` (from 0) starts; one pass.

        Rows are counted as the last call of `rows` or `read` gave them.
        """
        problems = Problems(self.name)
        for number, (line, _) in enumerate(self._reader.read(self._read_columns, problems)):
            if number == row:
                return line
        raise IndexError(f"{self.name} has no row {row}.")

    def place_of(self, row: int) -> str:
        """Where a row stands, to begin a message with: "reviews.csv, line 812"."""
        return f"{self.name}, {self._reader.unit} {self.line_of(row)}"


def open_table(
    source: str | Path,
    *,
    delimiter: str | None = None,
    encoding: str = "utf-8",
    header: bool = True,
    query: str | None = None,
    on_bad_rows: Literal["error", "skip"] = "error",
    rejects: str | Path | None = None,
    max_chars: int = 1_000_000,
) -> Table:
    """Open a table and check that it is one; the rows are read later.

    Args:
        source: a path; its suffix tells the format: .csv .tsv .jsonl .ndjson (each also .gz or
            .zst), .parquet, and with `query` .duckdb .sqlite .sqlite3 .db. "-" is standard input
            as CSV. Other suffixes need a `delimiter`.
        delimiter: one character or "tab"; otherwise "," for .csv and tab for .tsv.
        encoding: of CSV and TSV, any that Python knows.
        header: whether the first row of CSV and TSV names the columns; otherwise they are called
            column1, column2 …
        query: a SELECT over a database file, which is opened to read only.
        on_bad_rows: "error", or "skip" to leave out up to 1 % of the rows.
        rejects: the CSV file for skipped rows; otherwise the name of the source with .rejects.csv
            in the working folder, such as reviews.rejects.csv.
        max_chars: characters that a field may have.

    Raises:
        DataError: the file is missing, empty, no table, or of another form than its name says.
    """
    file = Source(source)
    stem = Path(file.path.name.removesuffix(file.packing)).stem if str(source) != "-" else "stdin"
    kept = Path(rejects) if rejects is not None else Path.cwd() / f"{stem}.rejects.csv"
    if str(source) != "-" and kept.resolve() == file.path.resolve():
        raise DataError(f"{file.name}: the skipped rows cannot be written over the table itself.")
    reader: Reader
    if file.suffix in (".duckdb", ".db", ".sqlite", ".sqlite3") or query is not None:
        reader = Queried(file, query, max_chars)
    elif file.suffix in (".parquet", ".pq"):
        reader = Queried(file, None, max_chars)
    elif file.suffix in (".jsonl", ".ndjson") or (file.suffix == ".json" and delimiter is None):
        reader = JsonLines(file, encoding, max_chars)
    else:
        given, delimiter = delimiter, _delimiter(file, delimiter)
        if len(delimiter) != 1 or delimiter in '"\r\n\0' or ord(delimiter) > 127:
            raise DataError(
                f"{file.name}: a delimiter must be one plain character other than a quote or a "
                f"line end. Got '{shown(delimiter)}'."
            )
        reader = Delimited(
            file, Dialect(delimiter, *file.check_text(encoding), max_chars, header), given is None
        )
    return Table(file.name, reader, on_bad_rows, kept)


def _delimiter(file: Source, given: str | None) -> str:
    if given is not None:
        return "\t" if given in ("tab", "\\t") else given
    if file.suffix == ".csv" or str(file.path) == "-":
        return ","
    if file.suffix in (".tsv", ".tab"):
        return "\t"
    file.check_text("latin-1")  # names an Excel or ZIP file for what it is
    raise DataError(
        f"{file.name}: a table must end in .csv, .tsv, .jsonl (also .gz or .zst after that) or "
        f".parquet. Got '{shown(file.suffix)}'. Rename it, or add --delimiter ','."
    )
