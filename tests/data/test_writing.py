"""Tables out: whole or not at all, and read back the same."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data.tables import open_table
from gatewise.data.writing import write_table
from gatewise.errors import DataError

COLUMNS = ("text", "label")
NASTY = [
    "plain", 'a "b" c', "a,b", "a\tb", "a\nb", "a\r\nb", "a\rb", "", " a ", '"', "=1+1", "NA",
    "é😀", "\u2028", "\x1b[0m", "\ufeff",
]  # fmt: skip
ROWS = [(one, other) for one in NASTY for other in ("x", '"', "")]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".csv.gz", ".tsv.zst", ".jsonl.gz"])
def test_round_trip(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    write_table(path, COLUMNS, iter(ROWS))
    rows = [row for batch in open_table(path).rows(COLUMNS) for row in batch]
    assert rows == ROWS
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.text(st.characters(codec="utf-8"), max_size=9), min_size=2, max_size=2)
    )
)
def test_csv_reads_what_was_written(
    rows: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "h.csv"
    write_table(path, COLUMNS, rows)
    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file, strict=True)) == [list(COLUMNS), *rows]


def test_spaces_at_the_ends_are_quoted(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_table(path, COLUMNS, [(" a", "b"), ("a b", "c ")])
    assert path.read_text() == 'text,label\n" a",b\na b,"c "\n'


def test_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    write_table(path, ("text", "score"), [("a", 0.25), ("b", 1)])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [{"text": "a", "score": 0.25}, {"text": "b", "score": 1}]
    with pytest.raises(DataError, match=r"row 1: JSON has no NaN"):
        write_table(path, ("score",), [(float("nan"),)])


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_table(path, COLUMNS, [("old", "x")])

    def broken() -> Iterator[tuple[str, str]]:
        yield "new", "x"
        raise RuntimeError("the model fell over")

    with pytest.raises(RuntimeError):
        write_table(path, COLUMNS, broken())
    with pytest.raises(DataError, match=r"row 2: a row to write must have 2 fields\. Got 1\."):
        write_table(path, COLUMNS, [("new", "x"), ("y",)])
    assert path.read_text() == "text,label\nold,x\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.csv"]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    for name in ("t.txt", "t", "t.parquet", "t.gz"):
        with pytest.raises(DataError, match=r"must end in \.csv, \.tsv or \.jsonl"):
            write_table(tmp_path / name, COLUMNS, [])
    with pytest.raises(DataError, match="cannot be written: No such file"):
        write_table(tmp_path / "nowhere" / "t.csv", COLUMNS, [])
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match="cannot be written: Is a directory"):
        write_table(tmp_path / "folder.csv", COLUMNS, [])
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder.csv"]


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="No space left on device"):
        write_table(tmp_path / "t.csv", COLUMNS, ROWS)
    assert list(tmp_path.iterdir()) == []


def test_the_order_that_survives_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flushed to the disk, renamed, and then the folder flushed."""
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(handle: int) -> None:
        steps.append("fsync")
        fsync(handle)

    def noted_replace(self: Path, target: Path) -> Path:
        steps.append("replace")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    write_table(tmp_path / "t.csv.gz", COLUMNS, ROWS)
    assert steps == ["fsync", "replace", "fsync"]
