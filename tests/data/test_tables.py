"""The bad files of the programme, one test each: nothing silent, and the right line."""

from __future__ import annotations

import csv
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatewise.data.tables import Table, guess_columns, open_table
from gatewise.errors import DataError

Write = Callable[..., Path]

XLSX = b"PK\x03\x04\x14\x00\x06\x00[Content_Types].xml" + bytes(300)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a file into a fresh working folder; its relative path."""
    monkeypatch.chdir(tmp_path)

    def put(data: bytes | str, name: str = "reviews.csv") -> Path:
        Path(name).write_bytes(data.encode() if isinstance(data, str) else data)
        return Path(name)

    return put


def complaint(path: str | Path, columns: tuple[str, ...] = ("text", "label"), **how: Any) -> str:
    """The message that opening and reading a table ends in."""
    with pytest.raises(DataError) as caught:
        open_table(path, **how).read(columns)
    return str(caught.value)


def rows_of(table: Table, *columns: str) -> list[tuple[str, ...]]:
    return [row for batch in table.rows(columns or table.columns) for row in batch]


def names_here() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def many_rows(count: int, start: int = 0) -> str:
    return "".join(f"text number {row},{'ab'[row % 2]}\n" for row in range(start, start + count))


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


@pytest.mark.parametrize(
    ("data", "remedy"),
    [
        ("sep=;\ntext;label\na;b\n", "Delete this line and add --delimiter ';'."),
        ("sep=,\ntext,label\na,b\n", "Delete this line."),
    ],
)
def test_case_12_a_note_for_excel(write: Write, data: str, remedy: str) -> None:
    told = complaint(write(data))
    assert told.startswith("reviews.csv, line 1: 'sep=' is a note for Excel")
    assert told.endswith(remedy)


@pytest.mark.parametrize(
    ("data", "flag"),
    [
        ("text;label\na;b\n", "--delimiter ';'"),
        ("text\tlabel\na, b\tc\n", "--delimiter tab"),
        ("text|label\na|b\n", "--delimiter '|'"),
        ("text;score\ngood;1,5\n", "--delimiter ';'"),  # case 14
    ],
)
def test_cases_13_and_14_another_delimiter(write: Write, data: str, flag: str) -> None:
    path = write(data)
    told = complaint(path)
    assert "only one column was found, and the delimiter looks like" in told
    assert told.endswith(f"Add {flag}.")
    assert len(open_table(path, delimiter=flag.split()[1].strip("'")).columns) == 2


def test_case_13_without_header_and_in_tsv(write: Write) -> None:
    assert "--delimiter ';'" in complaint(write("a;b\nc;d\n"), ("column1",), header=False)
    assert "--delimiter ','" in complaint(write("text,label\na,b\n", "reviews.tsv"))
    # Texts with semicolons here and there are one column of texts.
    path = write("good; really\nbad\nso so; or; not\n")
    assert len(rows_of(open_table(path, header=False))) == 3
    # Whoever gives the delimiter is not asked again.
    assert open_table(write("a;b\na;b\n"), delimiter=",").columns == ("a;b",)


def test_case_15_a_quote_that_is_never_closed(write: Write) -> None:
    head, tail = "text,label\n" + many_rows(4998), many_rows(5000)
    told = complaint(write(head + '"never closed,a\n' + tail))
    assert told.startswith("reviews.csv, line 5000: a quote opened here is never closed.")
    assert len(told.splitlines()) == 1
    # The quote of a later row closes it by accident.
    told = complaint(write(head + '"never closed,a\nx,b\n"quoted, text",a\n' + tail))
    assert told.startswith("reviews.csv, line 5000: a quote opened here runs to line 5002")
    assert len(told.splitlines()) == 1


def test_case_15_takes_bounded_memory(write: Write) -> None:
    told = complaint(write('text,label\na,b\n"x\n' + many_rows(9000)), max_chars=1000)
    assert told.startswith("reviews.csv, line 3: a quote opened here is not closed within 1,000")
    assert len(told.splitlines()) == 1


def test_case_16_text_after_a_closing_quote(write: Write) -> None:
    path = write("text,label\n" + many_rows(7) + '"hi"there,a\n' + many_rows(3))
    told = complaint(path)
    assert told.startswith("reviews.csv, line 9: unexpected 't' after a closing quote at column 5")
    told = complaint(write('text,label\n"a" ,b\n'))
    assert "line 2: unexpected ' ' after a closing quote" in told


def test_cases_17_and_18_number_of_fields(write: Write) -> None:
    path = write("text,label\n" + many_rows(42) + "one, two, three,a\nalone\n" + many_rows(3))
    told = complaint(path).splitlines()
    assert told[0] == "reviews.csv, line 44: 4 fields, but the header has 2. Quote the text."
    assert told[1] == "reviews.csv, line 45: 1 field, but the header has 2. Add what is missing."
    assert "--on-bad-rows skip" in told[2]
    told_so = complaint(write("a,b\nc\n"), ("column1",), header=False)
    assert "but the first row has 2" in told_so
    told_so = complaint(write('text,label\n"a\nb",c,d\n'))
    assert "line 2: 3 fields" in told_so
    assert "A quote opened here runs to line 3" in told_so


def test_case_19_line_ends_in_quoted_texts(write: Write) -> None:
    path = write('text,label\n"a\n\nb\r\nc",1\nd,2\n"e\n",3\nf,4\ng\n')
    told = complaint(path)
    assert told == "reviews.csv, line 10: 1 field, but the header has 2. Add what is missing."
    table = open_table(write('text,label\n"a\n\nb\r\nc",1\nd,2\n"e\n",3\nf,4\n'))
    assert table.read(["text"])["text"] == ["a\n\nb\r\nc", "d", "e\n", "f"]
    assert [table.line_of(row) for row in range(4)] == [2, 6, 7, 9]
    assert table.place_of(3) == "reviews.csv, line 9"
    with pytest.raises(IndexError, match="no row 4"):
        table.line_of(4)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_case_20_ends_of_lines(write: Write, end: str) -> None:
    lines = ["text,label", "a,1", '"b' + end + 'c",2', "d,3"]
    table = open_table(write(end.join(lines)))
    assert rows_of(table) == [("a", "1"), (f"b{end}c", "2"), ("d", "3")]
    assert [table.line_of(row) for row in range(3)] == [2, 3, 5]


def test_case_20_mixed_ends_and_bare_returns(write: Write) -> None:
    table = open_table(write("text,label\r\na,1\nb,2\r\n\nc,3"))
    assert rows_of(table) == [("a", "1"), ("b", "2"), ("c", "3")]
    assert table.notes == ["reviews.csv: 1 blank line left out."]
    told = complaint(write("text,label\na\rb,1\n" + many_rows(2) + "c,d\re,f\n"))
    assert "reviews.csv, line 2: a bare carriage return outside quotes" in told
    assert "reviews.csv, line 5: a bare carriage return outside quotes" in told
    table = open_table(write('"a\rb",c\n"d\re",1\nf,2\n'))
    assert [table.line_of(row) for row in range(2)] == [2, 3]
    table = open_table(write('text,label\n"a\rb",1\nc,2\n'))
    assert rows_of(table)[0] == ("a\rb", "1")
    assert table.line_of(1) == 3


def test_case_21_long_texts(write: Write) -> None:
    long = "x" * 200_000  # beyond the limit of Python's csv module
    assert open_table(write(f"text,label\n{long},a\n")).read(["text"])["text"] == [long]
    told = complaint(write(f"text,label\n{long},a\n"), max_chars=199_999)
    assert told == (
        "reviews.csv, line 2: a text of 200,000 characters, and --max-chars allows 199,999. "
        "Raise it or cut the text."
    )
    path = write("text,label\n" + many_rows(5) + "x" * 5_000_000 + ",a\nb\n")
    told = complaint(path)
    assert "line 7: a row of 5,000,003 characters, and --max-chars allows 1,000,000" in told
    assert "line 8: 1 field" in told
    assert complaint(path, max_chars=5_000_000).startswith("reviews.csv, line 8: 1 field")


def test_case_23_no_header(write: Write) -> None:
    path = write("I loved it very much,pos\nnot so good,neg\nawful,neg\n")
    told = complaint(path)
    assert "no columns 'text', 'label'" in told
    assert "seems to have no header. Add --no-header" in told
    table = open_table(path, header=False)
    assert table.columns == ("column1", "column2")
    assert len(rows_of(table)) == 3
    assert "--no-header" in complaint(write("fine,pos\nbad,neg\nok,pos\n"))
    assert "--no-header" not in complaint(write("title,stars\nbad,1\nok,5\n"))


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("text,label,text", "2 columns have the name 'text'"),
        ("text,,label", "column 2 of 3 has no name"),
        ("text,label,", "column 3 of 3 has no name. Name it. Is there a delimiter at the end"),
        (",text,label", "index=False"),
        ("text, ,label", "column 2 of 3 has no name"),
    ],
)
def test_case_24_names_of_columns(write: Write, header: str, words: str) -> None:
    told = complaint(write(header + "\na,b,c\n"))
    assert told.startswith("reviews.csv, line 1: ")
    assert words in told


@pytest.mark.parametrize(
    ("header", "meant"),
    [("text,lable", "lable"), ("text,Label ", "Label "), ("text,LABEL", "LABEL")],
)
def test_case_25_a_slip_in_a_name(write: Write, header: str, meant: str) -> None:
    told = complaint(write(header + "\na,b\n"))
    assert told == f"reviews.csv: no column 'label'. Did you mean '{meant}'?"


def test_case_25_no_name_is_near(write: Write) -> None:
    told = complaint(write("title,stars\na,b\n"), ("text",))
    assert told == "reviews.csv: no column 'text'. It has: 'title', 'stars'."
    assert "at least one column" in complaint(write("a,b\nc,d\n"), ())


def test_case_29_every_field_is_a_text(write: Write) -> None:
    words = ["NA", "None", "nan", "null", "", "0", "01", "1.0", "True", " ", "\\N", "#N/A", "1e5"]
    table = open_table(write("text,label\n" + "".join(f"{word},{word}\n" for word in words)))
    assert table.read(["label"])["label"] == words
    assert table.line_of(4) == 6


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


def test_case_39_formulas_are_texts(write: Write) -> None:
    table = open_table(write("text,label\n=cmd|' /C calc'!A0,@x\n"))
    assert rows_of(table) == [("=cmd|' /C calc'!A0", "@x")]


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
