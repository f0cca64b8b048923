"""Tables: texts and labels from CSV, TSV, JSON lines, Parquet and SQL; every field a text.

    table = open_table("reviews.csv.gz")
    for batch in table.rows(["text", "label"]):   # lists of tuples of str
        ...

"None", "NA", "null", "01", "1.0" and "True" stay what they are. Nothing is guessed in silence:
the delimiter follows the suffix or is given, quoting is RFC 4180, and a row that does not fit is
an error with its line.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Literal, Protocol

from gatewise.data.columns import (
    ColumnGuess,
    check_columns,
    check_delimiter,
    check_header,
    guess_columns,
    named,
)
from gatewise.data.databases import ParquetRows, QueryRows, SqliteRows
from gatewise.data.delimited import Dialect, read_rows
from gatewise.data.json_lines import pick, read_objects
from gatewise.data.problems import Problem, Problems, shown
from gatewise.data.sources import Source
from gatewise.data.writing import write_table
from gatewise.errors import DataError

__all__ = ["ColumnGuess", "Table", "guess_columns", "open_table", "write_table"]

_BATCH_ROWS = 4096
_BATCH_CHARS = 4_000_000
_SAMPLE_ROWS = 100


class _Reader(Protocol):
    """One format: its columns, and a pass over its rows with their lines."""

    columns: tuple[str, ...]
    unit: str
    sample: list[tuple[str, ...]]

    def read(
        self, columns: Sequence[str], problems: Problems
    ) -> Iterator[tuple[int, tuple[str, ...]]]: ...


class Table:
    """A table that can be read more than once, each time as a stream."""

    def __init__(
        self, name: str, reader: _Reader, on_bad_rows: Literal["error", "skip"], rejects: Path
    ) -> None:
        self.name = name
        self.notes: list[str] = []
        """What the last full pass left out or changed, one sentence each, for the user."""
        self._reader = reader
        self._on_bad_rows: Literal["error", "skip"] = on_bad_rows
        self._rejects = rejects

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, as in the header."""
        return self._reader.columns

    def rows(self, columns: Sequence[str]) -> Iterator[list[tuple[str, ...]]]:
        """All rows of the given columns, in batches of up to 4,096 rows or 4 M characters.

        Raises:
            DataError: at once for an unknown column; at the end of the pass for bad rows.
        """
        check_columns(self.name, self.columns, columns, self._reader.sample)
        return self._batches(tuple(columns))

    def _batches(self, columns: tuple[str, ...]) -> Iterator[list[tuple[str, ...]]]:
        problems = Problems(self.name, self._on_bad_rows, self._rejects)
        count = chars = 0
        batch: list[tuple[str, ...]] = []
        try:
            for _, row in self._reader.read(columns, problems):
                count += 1
                if problems.refusing:  # only to find the other problems
                    continue
                batch.append(row)
                chars += sum(map(len, row))
                if len(batch) == _BATCH_ROWS or chars > _BATCH_CHARS:
                    yield batch
                    batch, chars = [], 0
            self.notes = problems.finish(count)
            if count == 0:
                raise DataError(f"{self.name}: no usable rows are left.")
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

    def lines_of(self, rows: Iterable[int]) -> dict[int, int]:
        """The line (from 1) where each of the given rows (from 0) starts; one pass."""
        left = sorted(set(rows), reverse=True)
        lines: dict[int, int] = {}
        problems = Problems(self.name)
        for row, (line, _) in enumerate(self._reader.read(self.columns[:1], problems)):
            if not left:
                break
            if row == left[-1]:
                lines[left.pop()] = line
        if left:
            raise IndexError(f"{self.name} has no row {left[-1]}.")
        return lines

    def line_of(self, row: int) -> int:
        """The line (from 1) where row `row` (from 0, as `rows` gives them) starts; one pass."""
        return self.lines_of([row])[row]

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
        delimiter: one character; otherwise "," for .csv and tab for .tsv.
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
    reader: _Reader
    if file.suffix in (".duckdb", ".db", ".sqlite", ".sqlite3") or query is not None:
        reader = _Queried(file, query)
    elif file.suffix in (".parquet", ".pq"):
        reader = _Queried(file, None)
    elif file.suffix in (".jsonl", ".ndjson") or (file.suffix == ".json" and delimiter is None):
        reader = _JsonLines(file, encoding, max_chars)
    else:
        if delimiter is None:
            delimiter = _delimiter_of(file)
        if len(delimiter) != 1 or delimiter in '"\r\n\0' or ord(delimiter) > 127:
            raise DataError(
                f"{file.name}: a delimiter must be one plain character other than a quote or a "
                f"line end. Got '{shown(delimiter)}'."
            )
        reader = _Delimited(file, delimiter, encoding, header, max_chars)
    return Table(file.name, reader, on_bad_rows, kept)


def _delimiter_of(file: Source) -> str:
    if file.suffix == ".csv" or str(file.path) == "-":
        return ","
    if file.suffix in (".tsv", ".tab"):
        return "\t"
    file.check_text("latin-1")  # names an Excel or ZIP file for what it is
    raise DataError(
        f"{file.name}: a table must end in .csv, .tsv, .jsonl (also .gz or .zst after that) or "
        f".parquet. Got '{shown(file.suffix)}'. Rename it, or add --delimiter ','."
    )


class _Delimited:
    """CSV and TSV."""

    unit = "line"

    def __init__(
        self, source: Source, delimiter: str, encoding: str, header: bool, max_chars: int
    ) -> None:
        self._source = source
        self._dialect = Dialect(delimiter, *source.check_text(encoding), max_chars)
        self._header = header
        problems = Problems(source.name)
        rows = self._rows(problems)
        line, first = next(rows, (0, []))
        if problems.count or line == 0:
            rows.close()
            problems.finish(0)
            blank = f" ({problems.blank_lines} blank lines)" if problems.blank_lines else ""
            raise DataError(f"{source.name}: no data rows{blank}.")
        if header:
            check_header(source.name, first, delimiter, line)
            self.columns = tuple(first)
        else:
            self.columns = tuple(f"column{number}" for number in range(1, len(first) + 1))
        self.sample = [] if header else [tuple(first)]
        for _, fields in rows:
            self.sample.append(tuple(fields))
            if len(self.sample) == _SAMPLE_ROWS:
                break
        rows.close()
        if not self.sample and not problems.count:
            raise DataError(f"{source.name}: no data rows after the header {named(self.columns)}.")
        if not header and len(self.sample) > 1:
            check_delimiter(source.name, self.sample, delimiter)

    def _rows(self, problems: Problems) -> Generator[tuple[int, list[str]]]:
        return read_rows(self._source, self._dialect, problems)

    def read(
        self, columns: Sequence[str], problems: Problems
    ) -> Iterator[tuple[int, tuple[str, ...]]]:
        places = [self.columns.index(column) for column in columns]
        pick = itemgetter(*places) if len(places) > 1 else lambda row: (row[places[0]],)
        rows = self._rows(problems)
        if self._header:
            next(rows)
        for line, fields in rows:
            yield line, pick(fields)


class _JsonLines:
    """JSON lines; the columns are the keys of the first 100 lines."""

    unit = "line"

    def __init__(self, source: Source, encoding: str, max_chars: int) -> None:
        self._source = source
        self._codec, self._mark = source.check_text(encoding)
        self._max_chars = max_chars
        problems = Problems(source.name)
        keys: dict[str, None] = {}
        objects = read_objects(source, self._codec, self._mark, problems, max_chars)
        for number, (_, _, row, _) in enumerate(objects, start=1):
            keys.update(dict.fromkeys(row))
            if number == _SAMPLE_ROWS:
                break
        objects.close()
        self.columns = tuple(keys)
        self.sample: list[tuple[str, ...]] = []
        if not keys:
            problems.finish(0)
            raise DataError(f"{source.name}: no data rows.")

    def read(
        self, columns: Sequence[str], problems: Problems
    ) -> Iterator[tuple[int, tuple[str, ...]]]:
        objects = read_objects(self._source, self._codec, self._mark, problems, self._max_chars)
        for line, offset, row, raw in objects:
            texts, reason = pick(row, columns, problems, self._max_chars)
            if reason:
                problems.add(Problem(line, offset, "JSON", reason, raw))
            else:
                yield line, texts


class _Queried:
    """Parquet files and databases; a null is an empty text that is counted."""

    unit = "row"

    def __init__(self, source: Source, query: str | None) -> None:
        self._source = source
        self.sample: list[tuple[str, ...]] = []
        if source.packing:
            raise DataError(
                f"{source.name}: a Parquet file or database is not read from an archive. "
                "Unpack it first."
            )
        with source.reading() as file:
            magic = file.read(16)
        if not magic:
            raise DataError(f"{source.name}: the file is empty.")
        self._rows: ParquetRows | SqliteRows
        if source.suffix in (".parquet", ".pq"):
            if magic[:4] != b"PAR1":
                raise DataError(f"{source.name}: this is not a Parquet file. Check its name.")
            self._rows = ParquetRows(source.path, source.name)
        elif query is None:
            raise DataError(
                f"{source.name}: a database needs a query. Add --query 'select … from …'."  # noqa: S608
            )
        elif magic.startswith(b"SQLite format 3"):
            self._rows = SqliteRows(source.path, source.name, query)
        else:
            self._rows = QueryRows(source.path, source.name, query)
        self.columns = self._rows.columns

    def read(
        self, columns: Sequence[str], problems: Problems
    ) -> Iterator[tuple[int, tuple[str, ...]]]:
        for number, row in enumerate(self._rows.rows(columns), start=1):
            if None not in row:
                yield number, row  # type: ignore[misc]
                continue
            for column, value in zip(columns, row, strict=True):
                problems.nulls[column] += value is None
            yield number, tuple(value or "" for value in row)
        self._source.check_unchanged()
