"""Parquet files and SQL queries: through DuckDB, and SQLite files through Python's own sqlite3.

No network, no extensions fetched or loaded, databases opened to read only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from gatewise.data.problems import shown
from gatewise.errors import DataError, need

_BATCH = 1024
_CLOSED = {
    "threads": 1,  # so that a query gives its rows in the same order again
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_PLAIN = [
    "VARCHAR",
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
    "ENUM",
    "UUID",
    "DATE",
    "TIME",
    "TIMESTAMP",
]


def sql_name(name: str) -> str:
    """A column name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


class ParquetRows:
    """The rows of a Parquet file."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._from = "read_parquet('" + str(path).replace("'", "''") + "')"
        self.types = dict(self._described())

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.types)

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        with _duckdb(self.name, ":memory:", _CLOSED) as connection:
            yield connection

    def _described(self) -> list[tuple[str, str]]:
        with self._connected() as connection:
            connection.execute(f"select * from {self._from} limit 0")  # noqa: S608
            return [(column[0], str(column[1])) for column in connection.description]

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[str | None, ...]]:
        """The wanted columns of every row as plain texts; a null is None.

        Raises:
            DataError: a wanted column holds no plain values.
        """
        for column in columns:
            kind = self.types[column].upper().split("(")[0].split(" ")[0]
            if not kind.startswith(tuple(_PLAIN)) or self.types[column].endswith("]"):
                raise DataError(
                    f"{self.name}: the column '{shown(column)}' holds {self.types[column]}. "
                    "A column to read must hold plain texts, numbers or truth values."
                )
        wanted = ", ".join(f"cast({sql_name(column)} as varchar)" for column in columns)
        with self._connected() as connection:
            result = connection.execute(f"select {wanted} from {self._from}")  # noqa: S608
            while batch := result.fetchmany(_BATCH):
                yield from batch


class QueryRows(ParquetRows):
    """The rows of a SQL query over a DuckDB file."""

    def __init__(self, path: Path, name: str, query: str) -> None:
        self._path = path
        self.name = name
        self._from = f"(\n{query.strip().rstrip(';')}\n)"
        self.types = dict(self._described())

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        config = {**_CLOSED, "enable_external_access": "false"}
        with _duckdb(self.name, str(self._path), config, read_only=True) as connection:
            yield connection


class SqliteRows:
    """The rows of a SQL query over a SQLite file."""

    def __init__(self, path: Path, name: str, query: str) -> None:
        self.name = name
        self._address = path.absolute().as_uri() + "?mode=ro"
        self._from = f"(\n{query.strip().rstrip(';')}\n)"
        with self._connected() as connection:
            cursor = connection.execute(f"select * from {self._from} limit 0")  # noqa: S608
            self.columns = tuple(column[0] for column in cursor.description)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._address, uri=True)) as connection:
                yield connection
        except sqlite3.Error as error:
            raise DataError(f"{self.name}: SQLite refused: {shown(str(error), 300)}.") from error

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[str | None, ...]]:
        """The wanted columns of every row as plain texts; a null is None."""
        wanted = ", ".join(f"cast({sql_name(column)} as text)" for column in columns)
        with self._connected() as connection:
            cursor = connection.execute(f"select {wanted} from {self._from}")  # noqa: S608
            while batch := cursor.fetchmany(_BATCH):
                yield from batch


@contextmanager
def _duckdb(name: str, database: str, config: Any, read_only: bool = False) -> Iterator[Any]:
    need("Reading Parquet files and databases", "train", "duckdb")
    import duckdb  # noqa: PLC0415

    try:
        with duckdb.connect(database, read_only=read_only, config=config) as connection:
            yield connection
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise DataError(f"{name}: DuckDB refused: {shown(first, 300)}") from error
