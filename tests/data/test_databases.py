"""Parquet files and SQL."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from gatewise.data.tables import open_table
from gatewise.errors import DataError

duckdb = pytest.importorskip("duckdb")


def parquet(folder: Path, select: str) -> Path:
    path = folder / "t.parquet"
    duckdb.execute(f"copy ({select}) to '{path}' (format parquet)")
    return path


def test_values_are_plain_texts(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        "select 'NA' as text, 1.0::double as f, 7 as i, true as b, 1.50::decimal(9,2) as d "
        "union all select null, 2.5, null, false, 3",
    )
    table = open_table(path)
    assert table.columns == ("text", "f", "i", "b", "d")
    assert table.read(table.columns) == {
        "text": ["NA", ""], "f": ["1.0", "2.5"], "i": ["7", ""], "b": ["true", "false"],
        "d": ["1.50", "3.00"],
    }  # fmt: skip
    assert [note.split(": ")[1] for note in table.notes] == [
        "1 null in the column 'text' became an empty text.",
        "1 null in the column 'i' became an empty text.",
    ]
    assert table.place_of(1) == f"{path}, row 2"


def test_nested_columns_are_refused_when_they_are_wanted(tmp_path: Path) -> None:
    table = open_table(parquet(tmp_path, "select 'a' as text, ['x'] as l, 'b'::blob as raw"))
    assert table.read(["text"]) == {"text": ["a"]}
    for column, kind in (("l", r"VARCHAR\[\]"), ("raw", "BLOB")):
        with pytest.raises(DataError, match=f"'{column}' holds {kind}"):
            table.read([column])


def test_rows_keep_their_order_over_batches(tmp_path: Path) -> None:
    path = parquet(tmp_path, "select i, 'text ' || i as text from range(300000) t(i)")
    assert open_table(path).read(["text"])["text"] == [f"text {row}" for row in range(300_000)]


def test_bad_parquet_files(tmp_path: Path) -> None:
    path = parquet(tmp_path, "select 'a' as text")
    with pytest.raises(DataError, match=r"no column 'label'\. It has: 'text'"):
        open_table(path).read(["label"])
    with pytest.raises(DataError, match="row 1: a text of 1 characters"):
        open_table(path, max_chars=0).read(["text"])
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="DuckDB refused"):
        open_table(path)
    path.write_text("text,label\n")
    with pytest.raises(DataError, match="not a Parquet file"):
        open_table(path)
    path.write_text("")
    with pytest.raises(DataError, match="empty"):
        open_table(path)
    empty = parquet(tmp_path, "select 'a' as text where false")
    with pytest.raises(DataError, match="no data rows"):
        open_table(empty).read(["text"])
    packed = tmp_path / "t.parquet.gz"
    packed.write_bytes(b"x")
    with pytest.raises(DataError, match="Unpack it first"):
        open_table(packed)


def test_a_name_with_quotes(tmp_path: Path) -> None:
    path = parquet(tmp_path, 'select 1 as "a""b"')
    odd = path.rename(tmp_path / "it's.parquet")
    assert open_table(odd).read(['a"b']) == {'a"b': ["1"]}


@pytest.fixture
def databases(tmp_path: Path) -> dict[str, Path]:
    paths = {"duckdb": tmp_path / "t.duckdb", "sqlite": tmp_path / "t.db"}
    statements = (
        "create table r (text varchar, label integer);"
        "insert into r values ('text 0', 0), ('text 1', 1), ('text 2', 2);"
    )
    with duckdb.connect(str(paths["duckdb"])) as connection:
        connection.execute(statements)
    lite = sqlite3.connect(paths["sqlite"])
    lite.executescript(statements)
    lite.close()
    return paths


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_queries(databases: dict[str, Path], kind: str) -> None:
    before = databases[kind].read_bytes()
    table = open_table(
        databases[kind], query='select text, label + 1 as "my label" from r order by label; '
    )
    assert table.columns == ("text", "my label")
    assert table.read(["my label", "text"]) == {
        "my label": ["1", "2", "3"], "text": ["text 0", "text 1", "text 2"]
    }  # fmt: skip
    assert databases[kind].read_bytes() == before


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
@pytest.mark.parametrize(
    "query",
    ["select nothing from r", "drop table r", "select 1; drop table r", "delete from r", "",
     "select * from read_csv('/etc/passwd')", "select 1) -- "],
)  # fmt: skip
def test_queries_that_are_refused(databases: dict[str, Path], kind: str, query: str) -> None:
    before = databases[kind].read_bytes()
    with pytest.raises(DataError, match="refused"):
        open_table(databases[kind], query=query).read(["a"])
    assert databases[kind].read_bytes() == before


def test_a_query_reads_its_database_only(databases: dict[str, Path], tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n3,4\n")
    query = f"select a from '{other}'"  # noqa: S608
    assert duckdb.sql(query).fetchall() == [(1,), (3,)]
    with pytest.raises(DataError, match="refused"):
        open_table(databases["duckdb"], query=query)


def test_databases_are_opened_to_read_only(
    databases: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[bool] = []
    to_duckdb, to_sqlite = duckdb.connect, sqlite3.connect

    def noted_duckdb(*what: Any, **how: Any) -> Any:
        opened.append(how["read_only"])
        return to_duckdb(*what, **how)

    def noted_sqlite(address: str, **how: Any) -> Any:
        opened.append(address.endswith("?mode=ro") and how["uri"])
        return to_sqlite(address, **how)

    monkeypatch.setattr(duckdb, "connect", noted_duckdb)
    monkeypatch.setattr(sqlite3, "connect", noted_sqlite)
    for path in databases.values():
        open_table(path, query="select text from r").read(["text"])
    assert opened == [True] * 4


def test_a_database_needs_a_query_and_a_query_a_database(
    databases: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="Add --query"):
        open_table(databases["duckdb"])
    other = tmp_path / "t.csv"
    other.write_text("text,label\na,b\n")
    with pytest.raises(DataError, match="neither"):
        open_table(other, query="select 1")


def test_without_duckdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet(tmp_path, "select 'a' as text")
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    with pytest.raises(ImportError, match=r"gatewise\[train\]"):
        open_table(path)


def test_no_extension_is_fetched(databases: dict[str, Path], monkeypatch: Any) -> None:
    query = "select * from sqlite_scan('x', 'y')"
    with pytest.raises(DataError, match="refused"):
        open_table(databases["duckdb"], query=query)
