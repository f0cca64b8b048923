"""The formats of tables: what their columns are called, and one pass over their rows."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import Literal, Protocol

from gatewise.data.columns import check_delimiter, check_header, check_names, named
from gatewise.data.databases import ParquetRows, QueryRows, SqliteRows
from gatewise.data.delimited import Dialect, read_rows
from gatewise.data.json_lines import as_text, pick, read_objects
from gatewise.data.problems import Problem, Problems, many, too_long
from gatewise.data.sources import Source
from gatewise.errors import DataError

_SAMPLE_ROWS = 100
_SAMPLE_CHARS = 200


class Reader(Protocol):
    """One format: its columns, and a pass over its rows with their lines."""

    columns: tuple[str, ...]
    unit: Literal["line", "row"]
    sample: list[tuple[str, ...]]

    def read(
        self, columns: Sequence[str], problems: Problems
    ) -> Iterator[tuple[int, tuple[str, ...]]]:
        """The line (or row number, from 1) and the wanted fields of every good row."""
        ...


class Delimited:
    """CSV and TSV."""

    unit: Literal["line", "row"] = "line"

    def __init__(self, source: Source, dialect: Dialect, check: bool) -> None:
        """`check` whether the delimiter seems right, which one that was given is taken to be."""
        self._source = source
        self._dialect = dialect
        header = dialect.header
        problems = Problems(source.name)
        rows = self._rows(problems)
        line, first = next(rows, (0, []))
        if problems.count or line == 0:
            rows.close()
            problems.finish(0)
            blank = f" ({many(problems.blank_lines, 'blank line')})" if problems.blank_lines else ""
            raise DataError(f"{source.name}: no data rows{blank}.")
        if header:
            check_header(source.name, first, line)
            if check:
                check_delimiter(source.name, [first], dialect.delimiter)
            self.columns = tuple(first)
        else:
            self.columns = tuple(f"column{number}" for number in range(1, len(first) + 1))
        self.sample = [] if header else [tuple(first)]
        for _, fields in islice(rows, _SAMPLE_ROWS):
            self.sample.append(tuple(field[:_SAMPLE_CHARS] for field in fields))
        rows.close()
        if not self.sample and not problems.count:
            raise DataError(f"{source.name}: no data rows after the header {named(self.columns)}.")
        if not header and check and len(self.sample) > 1:
            check_delimiter(source.name, self.sample, dialect.delimiter)

    def _rows(self, problems: Problems) -> Generator[tuple[int, list[str]]]:
        return read_rows(self._source, self._dialect, problems)

    def read(
        self, columns: Sequence[str], problems: Problems
    ) -> Iterator[tuple[int, tuple[str, ...]]]:
        """The line (or row number, from 1) and the wanted fields of every good row."""
        places = [self.columns.index(column) for column in columns]
        pick = itemgetter(*places) if len(places) > 1 else lambda row: (row[places[0]],)
        rows = self._rows(problems)
        if self._dialect.header:
            next(rows, None)
        for line, fields in rows:
            yield line, pick(fields)


class JsonLines:
    """JSON lines; the columns are the keys of the first 100 lines."""

    unit: Literal["line", "row"] = "line"

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
        """The line (or row number, from 1) and the wanted fields of every good row."""
        objects = read_objects(self._source, self._codec, self._mark, problems, self._max_chars)
        for line, offset, row, raw in objects:
            texts, reason = pick(row, columns, problems, self._max_chars)
            if reason:
                problems.add(Problem(line, offset, "JSON", reason, as_text(raw)))
            else:
                yield line, texts


class Queried:
    """Parquet files and databases; a null is an empty text that is counted."""

    unit: Literal["line", "row"] = "row"

    def __init__(self, source: Source, query: str | None, max_chars: int) -> None:
        self._source = source
        self._max_chars = max_chars
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
        if query is None and source.suffix in (".parquet", ".pq"):
            if magic[:4] != b"PAR1":
                raise DataError(f"{source.name}: this is not a Parquet file. Check its name.")
            self._rows = ParquetRows(source.readable, source.name)
        elif query is None:
            raise DataError(f"{source.name}: a database needs a query. Add --query 'select …'.")
        elif magic.startswith(b"SQLite format 3"):
            self._rows = SqliteRows(source.readable, source.name, query)
        elif magic[8:12] == b"DUCK":
            self._rows = QueryRows(source.readable, source.name, query)
        else:
            raise DataError(
                f"{source.name}: a query needs a DuckDB or SQLite database, and this is neither."
            )
        self.columns = self._rows.columns
        check_names(source.name, self.columns)

    def read(
        self, columns: Sequence[str], problems: Problems
    ) -> Iterator[tuple[int, tuple[str, ...]]]:
        """The line (or row number, from 1) and the wanted fields of every good row."""
        for number, row in enumerate(self._rows.rows(columns), start=1):
            texts = tuple(value or "" for value in row)
            if None in row:
                for column, value in zip(columns, row, strict=True):
                    problems.nulls[column] += value is None
            longest = max(map(len, texts))
            if longest > self._max_chars:
                reason = too_long(longest, self._max_chars)
                problems.add(Problem(number, 0, "too long", reason, ""))
            else:
                yield number, texts
        self._source.check_unchanged()
