"""Bad rows: headers, delimiters, quotes, line ends. Nothing silent, and the right line."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatewise.data.tables import open_table
from table_files import Write, complaint, many_rows, put, rows_of


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a file into a fresh working folder; its relative path."""
    monkeypatch.chdir(tmp_path)
    return put


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


def test_case_39_formulas_are_texts(write: Write) -> None:
    table = open_table(write("text,label\n=cmd|' /C calc'!A0,@x\n"))
    assert rows_of(table) == [("=cmd|' /C calc'!A0", "@x")]
