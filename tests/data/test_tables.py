"""Rows in batches, and what happens to those that are bad."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gatewise.data.tables import guess_columns, open_table
from gatewise.errors import DataError
from table_files import Write, complaint, many_rows, names_here, put, rows_of


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a file into a fresh working folder; its relative path."""
    monkeypatch.chdir(tmp_path)
    return put


def test_skipped_rows_are_kept_and_counted(write: Write) -> None:
    bad = '"hi"there,a\n'
    data = "text,label\nschön,a\n" + many_rows(300) + bad + many_rows(200)
    table = open_table(write(data), on_bad_rows="skip")
    assert len(rows_of(table)) == 501
    (note,) = table.notes
    assert "1 of 502 rows (0.20%) skipped as bad" in note
    with Path("reviews.rejects.csv").open(newline="") as file:
        header, row = csv.reader(file, strict=True)
    assert header == ["line", "byte_offset", "reason", "text"]
    assert row[0] == "303"
    assert int(row[1]) == data.encode().index(bad.encode())
    assert "unexpected 't'" in row[2]
    assert row[3] == bad.strip()
    assert table.line_of(301) == 304
    assert names_here() == ["reviews.csv", "reviews.rejects.csv"]


def test_skipped_rows_never_overwrite_the_table(write: Write) -> None:
    path = write("text,label\na\n" + many_rows(300))
    told = complaint(path, on_bad_rows="skip", rejects=Path.cwd() / "reviews.csv")
    assert "cannot be written over the table itself" in told


def test_too_many_bad_rows_are_not_skipped(write: Write) -> None:
    path = write("text,label\n" + many_rows(98) + "a\nb\n")
    told = complaint(path, on_bad_rows="skip", rejects="bad.csv")
    assert "2 of 100 rows (2.00%) are bad, and at most 1% may be skipped" in told
    assert "line 100: 1 field" in told
    assert len(Path("bad.csv").read_text().splitlines()) == 3


def test_looking_for_columns_writes_no_rejects(write: Write) -> None:
    lines = [f'{{"words": "one two {row}", "kind": "{row % 2}", "id": 1}}\n' for row in range(300)]
    lines[200] = '{"words": "one two three", "kind": "1"}\n'
    table = open_table(write("".join(lines), "reviews.jsonl"), on_bad_rows="skip")
    assert table.rejects == Path.cwd() / "reviews.rejects.csv"
    assert guess_columns(table)[:2] == ("words", "kind")
    assert len(table.read(["words", "kind"])["kind"]) == 300
    assert (table.notes, names_here()) == ([], ["reviews.jsonl"])
    table = open_table(write("".join(lines[190:210]), "few.jsonl"), on_bad_rows="skip")
    with pytest.raises(DataError, match=r"1 of 20 rows \(5\.00%\) are bad, .* skipped\. Mend the"):
        guess_columns(table)
    assert names_here() == ["few.jsonl", "reviews.jsonl"]
    assert open_table("few.jsonl").rejects is None


def test_a_reading_that_is_given_up_leaves_no_rejects(write: Write) -> None:
    batches = open_table(write("text,label\na\n" + many_rows(9000)), on_bad_rows="skip").rows(
        ["text"]
    )
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert names_here() == ["reviews.csv"]


def test_a_bad_header_is_never_skipped(write: Write) -> None:
    path = write(b"t\xe9xt,label\n" + many_rows(300).encode())
    told = complaint(path, on_bad_rows="skip")
    assert told.startswith("reviews.csv, line 1: the byte 0xE9")


def test_no_rows_are_given_once_one_was_bad(write: Write) -> None:
    batches = open_table(write("text,label\na\n" + many_rows(9000))).rows(["text"])
    with pytest.raises(DataError, match="line 2"):
        next(batches)


def test_all_problems_are_counted(write: Write) -> None:
    told = complaint(write("text,label\n" + "a\n" * 30 + '"x"y,b\n' * 7)).splitlines()
    assert [line.split(":")[0] for line in told[:20]] == [
        f"reviews.csv, line {line}" for line in range(2, 22)
    ]
    assert told[20].startswith("reviews.csv: … and 17 more bad rows (37 in all: 30 number of")
    assert "7 quoting" in told[20]


def test_names_and_suffixes(write: Write) -> None:
    assert "must end in .csv" in complaint(write("text,label\na,b\n", "reviews.txt"))
    assert rows_of(open_table("reviews.txt", delimiter=",")) == [("a", "b")]
    assert "Got ';;'" in complaint("reviews.txt", delimiter=";;")
    assert rows_of(open_table(write("text\tlabel\na,b\tc\n", "R.TSV"))) == [("a,b", "c")]


def test_batches_are_bounded(write: Write) -> None:
    sizes = [
        len(batch) for batch in open_table(write("text,label\n" + many_rows(9000))).rows(["text"])
    ]
    assert sizes == [4096, 4096, 808]
    long = "x" * 1_500_000
    path = write("text\n" + f"{long}\n" * 5)
    assert [len(batch) for batch in open_table(path, max_chars=2_000_000).rows(["text"])] == [3, 2]


def test_columns_come_in_the_order_that_was_asked_for(write: Write) -> None:
    table = open_table(write("a,b,c\n1,2,3\n"))
    assert rows_of(table, "c", "a") == [("3", "1")]
