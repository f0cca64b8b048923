"""Bad files: missing, empty, binary, of other encodings. Nothing silent, and the right line."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from gatewise.data.tables import open_table
from gatewise.errors import DataError
from table_files import Write, complaint, many_rows, put, rows_of

XLSX = b"PK\x03\x04\x14\x00\x06\x00[Content_Types].xml" + bytes(300)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a file into a fresh working folder; its relative path."""
    monkeypatch.chdir(tmp_path)
    return put


def test_case_1_missing_folder_or_forbidden(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    assert complaint("nowhere.csv") == "nowhere.csv: there is no such file."
    Path("folder.csv").mkdir()
    assert complaint("folder.csv") == "folder.csv is a folder. Name a file in it."
    assert "no file name" in complaint("a\0b.csv")
    path = write("text,label\na,b\n")

    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert complaint(path) == "reviews.csv cannot be read: Permission denied."


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "reviews.csv: the file is empty."),  # case 2
        ("text,label\n", "no data rows after the header 'text', 'label'"),  # case 3
        ("text,label", "no data rows after the header"),
        ("\n\r\n\n", "no data rows (3 blank lines)"),  # case 4
        (b"\xef\xbb\xbf", "no data rows"),
    ],
)
def test_cases_2_to_4_nothing_to_read(write: Write, data: bytes | str, words: str) -> None:
    assert words in complaint(write(data))


@pytest.mark.parametrize("header", ["text,label", '"text","label"'])
def test_case_5_byte_order_mark(write: Write, header: str) -> None:
    table = open_table(write("\ufeff" + header + "\ngood,1\n\ufeffbad,0\n"))
    assert table.columns == ("text", "label")
    assert rows_of(table) == [("good", "1"), ("\ufeffbad", "0")]
    assert table.line_of(1) == 3


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_cases_6_and_7_utf_16(write: Write, codec: str) -> None:
    text = "text,label\nschön 😀,1\nbad,0,2\n"
    marked = write(("\ufeff" + text).encode(codec))
    assert "the file is UTF-16, not UTF-8. Add --encoding utf-16" in complaint(marked)
    told = complaint(marked, encoding="utf-16")
    assert told == "reviews.csv, line 3: 3 fields, but the header has 2. Quote the text."
    bare = write(text.encode(codec))
    told = complaint(bare)
    assert f"looks like UTF-16 without a byte order mark. Add --encoding {codec}" in told
    table = open_table(
        write(("\ufeff" + text.replace(",0,2", ",0")).encode(codec)), encoding="utf-16"
    )
    assert rows_of(table) == [("schön 😀", "1"), ("bad", "0")]


def test_case_8_another_encoding(write: Write) -> None:
    head = "text,label\n" + many_rows(810)
    path = write(head.encode() + b"un caf\xe9,a\n" + many_rows(5).encode())
    told = complaint(path)
    assert told.startswith("reviews.csv, line 812: the byte 0xE9 at column 7 is not utf-8")
    assert "--encoding cp1252" in told
    assert open_table(path, encoding="cp1252").read(["text"])["text"][810] == "un café"
    told = complaint(write(b"text,label\nx\x81y,a\n"), encoding="cp1252")
    assert "line 2: the byte 0x81 at column 2 is not cp1252" in told
    assert "cannot be read" in complaint(path, encoding="utf-99")


def test_case_9_mixed_encodings(write: Write) -> None:
    path = write("text,label\nschön,a\nplain,b\n".encode() + b'"two\nlines \xe9",a\n' * 30)
    told = complaint(path)
    assert told.startswith("reviews.csv, line 5: the byte 0xE9 at column 7")
    assert "… and 10 more bad rows (30 in all: 30 encoding)" in told
    assert "mixes encodings: 30 rows are not utf-8" in told
    assert len(told.splitlines()) == 20 + 3


def test_case_10_nul_bytes(write: Write) -> None:
    path = write("text,label\n" + many_rows(15) + '"a\nb\0c",a\n')
    assert complaint(path).startswith("reviews.csv, line 18: a NUL byte.")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (XLSX, "Excel"),
        (b"PK\x03\x04" + bytes(200), "a ZIP archive"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a PNG image"),
        (b"\x1f\x8b\x08" + bytes(50), "name it .gz"),
        (b"\x28\xb5\x2f\xfd" + bytes(50), "name it .zst"),
        (b"PAR1\x15\x00\x15" + bytes(50), "name it .parquet"),
        (b"\xd0\xcf\x11\xe0" + bytes(50), "old Excel"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"SQLite format 3\0" + bytes(50), "give a query"),
    ],
)
def test_case_11_no_text_at_all(write: Write, data: bytes, words: str) -> None:
    told = complaint(write(data))
    assert words in told
    assert "this is a" in told
    assert words in complaint(write(data, "reviews.xlsx"))


def test_case_11_a_header_that_begins_like_a_binary_file(write: Write) -> None:
    assert rows_of(open_table(write("ORCID,text\n1,a\n"))) == [("1", "a")]


def test_case_37_control_characters_are_kept_and_shown_escaped(write: Write) -> None:
    text = "a\x1b[31mred\u202egnp.exe\u200b\u2028end\x07"
    table = open_table(write(f"text,label\n{text},x\n"))
    assert rows_of(table) == [(text, "x")]
    told = complaint(write(f"{text},label\na,b\n"), ("text",))
    assert "\\x1b[31mred\\u202egnp.exe\\u200b\\u2028end\\x07" in told
    assert told.isprintable()


def test_case_38_lone_surrogates(write: Write) -> None:
    told = complaint(write(b"text,label\na,b\n\xed\xa0\x80,c\n"))
    assert told.startswith("reviews.csv, line 3: invalid UTF-8: half of a surrogate pair.")


def test_case_43_the_file_changes_while_it_is_read(write: Write) -> None:
    path = write("text,label\n" + many_rows(20_000))
    batches = open_table(path).rows(["text"])
    next(batches)
    with path.open("a") as file:
        file.write("more,a\n")
    with pytest.raises(DataError, match="was changed while it was being read"):
        list(batches)
    batches = open_table(path).rows(["text"])
    next(batches)
    path.unlink()
    with pytest.raises(DataError, match="was changed while it was being read"):
        list(batches)


def test_case_43_pipes_and_standard_input(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo("pipe.csv")
    writer = threading.Thread(target=lambda: Path("pipe.csv").write_text("text,label\na,b\nc,d\n"))
    writer.start()
    table = open_table("pipe.csv")
    writer.join()
    assert rows_of(table) == rows_of(table) == [("a", "b"), ("c", "d")]
    assert table.line_of(1) == 3
    piped = io.TextIOWrapper(io.BytesIO(b"text,label\na,b\nc\n"))
    monkeypatch.setattr("sys.stdin", piped)
    assert complaint("-").startswith("standard input, line 3: 1 field")
