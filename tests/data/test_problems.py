"""What reaches the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.data.problems import many, shown, without_controls
from gatewise.data.tables import open_table
from gatewise.errors import DataError


@given(st.text(max_size=200))
def test_nothing_unprintable_is_shown(text: str) -> None:
    safe = shown(text)
    assert safe.isprintable()
    safe.encode()


def test_escapes_and_cuts() -> None:
    assert shown("a\x1b[1m\u202eb\udce9\ud800\U000e0001\n") == (
        "a\\x1b[1m\\u202eb\\xe9\\ud800\\U000e0001\\n"
    )
    assert shown("x" * 81) == "x" * 80 + "…"
    assert shown("é 😀 ü") == "é 😀 ü"


def test_only_control_characters_are_escaped_for_programs() -> None:
    assert without_controls("a\tb\r\n\x1b[1m\x7f\x9b\udce9\ud800") == (
        "a\\tb\\r\\n\\x1b[1m\\x7f\\x9b\\xe9\\ud800"
    )
    kept = "é 😀 \u200d\u202e\u00a0|\\" + "x" * 500
    assert without_controls(kept) == kept


def test_many() -> None:
    assert [many(count, "row") for count in (0, 1, 12_000)] == ["0 rows", "1 row", "12,000 rows"]
    assert many(2, "row is", "rows are") == "2 rows are"


def test_a_file_of_another_encoding_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"text,label\n" + b"caf\xe9,a\n" * 30)
    with pytest.raises(DataError, match="Add --encoding cp1252") as caught:
        open_table(path).read(["text"])
    first, count = str(caught.value).split("\n")
    assert "line 2: the byte 0xE9 at column 4 is not utf-8" in first
    assert "29 more bad rows (30 in all: 30 encoding)" in count
