from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import pytest

from gatewise.data.lines import Column, Lines
from gatewise.data.tables import open_table
from gatewise.errors import DataError


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\ntwo", ["one", "two"]),
        (b"one\r\n\r\ntwo\r\n", ["one", "", "two"]),
        (b"\xef\xbb\xbfone\n", ["one"]),
        (b"\n", [""]),
        ("a\u2028b\x0bc\x85d\re\n".encode(), ["a\u2028b\x0bc\x85d\re"]),
        ("é👍\n".encode() * 9000, ["é👍"] * 9000),
    ],
)
def test_lines_are_those_between_line_feeds(
    content: bytes, found: list[str], tmp_path: Path
) -> None:
    (tmp_path / "t.txt").write_bytes(content)
    with gzip.open(tmp_path / "t.txt.gz", "wb") as file:
        file.write(content)
    for name in ("t.txt", "t.txt.gz"):
        lines = Lines(tmp_path / name)
        assert list(lines) == list(lines) == found
        assert lines.name == str(tmp_path / name)


def test_lines_may_be_read_twice_at_once(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("a\nb\n", "utf-8")
    lines = Lines(str(tmp_path / "t.txt"))
    assert list(zip(lines, lines, strict=True)) == [("a", "a"), ("b", "b")]
    first = iter(lines)
    assert next(first) == "a"  # and is left alone


def test_standard_input_is_read_as_often_as_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(b"a\nb\n")

    monkeypatch.setattr("sys.stdin", Stdin())
    lines = Lines("-")
    assert list(lines) == list(lines) == ["a", "b"]
    assert lines.name == "standard input"


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "cp1252", "utf-8-sig"])
def test_other_encodings(codec: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes("café\n\nnoir\n".encode(codec))
    assert list(Lines(tmp_path / "t.txt", codec)) == ["café", "", "noir"]


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (b"", "utf-8", "the file is empty."),
        (b"ok\ncaf\xe9\n", "utf-8", "t.txt, line 2: the byte 0xE9 at column 4 is not UTF-8."),
        (b"a\n" * 9999 + b"\xff", "utf-8", "line 10000: the byte 0xFF at column 1"),
        ("a\nb\n".encode("utf-16"), "utf-8", "the file is UTF-16, not UTF-8. Add --encoding"),
        (b"\x89PNG\r\n", "utf-8", "this is a PNG image."),
        (b"a\n\x81\n", "cp1252", "after line 0: the bytes are not cp1252 ("),
        (b"a\n", "no-such", "The encoding 'no-such' cannot be read."),
    ],
)
def test_what_is_no_text(content: bytes, encoding: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(content)
    with pytest.raises(DataError) as problem:
        list(Lines(tmp_path / "t.txt", encoding))
    assert message in str(problem.value)


def test_files_that_are_not_there_or_change(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "no.txt", "no such file"), (tmp_path, "is a folder")):
        with pytest.raises(DataError, match=message):
            Lines(path)
    (tmp_path / "t.txt").write_text("a\n", "utf-8")
    lines = Lines(tmp_path / "t.txt")
    (tmp_path / "t.txt").write_text("other\n", "utf-8")
    with pytest.raises(DataError, match="was changed while it was being read"):
        list(lines)


def test_a_column_is_read_in_blocks_and_as_often_as_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [f"text {number}\nof two lines" for number in range(5000)]
    rows = "".join(f'{number},"{cell}"\n' for number, cell in enumerate(cells))
    (tmp_path / "t.csv").write_text("n,text\n" + rows, "utf-8")
    table = open_table(tmp_path / "t.csv")
    column = Column(table, "text")
    assert list(column) == list(column) == cells
    assert (column.table, column.name) == (table, "text")

    def refused(*_: Any) -> None:
        raise AssertionError("all rows at once")

    monkeypatch.setattr(type(table), "read", refused)
    first = iter(column)
    assert next(first) == cells[0]


def test_a_column_that_is_not_there_or_has_bad_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("n,text\n1,a\n2\n", "utf-8")
    table = open_table(tmp_path / "t.csv")
    with pytest.raises(DataError, match="Did you mean 'text'"):
        Column(table, "txt")
    with pytest.raises(DataError, match=r"t\.csv, line 3: 1 field, but the header has 2"):
        list(Column(table, "text"))
