"""The strict reader against Python's csv module, and against hostile files."""

from __future__ import annotations

import csv
import io
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatewise.data.tables import Table, open_table
from gatewise.errors import DataError

FIELDS = st.text(
    st.one_of(
        st.sampled_from('",;\t\r\n =\u2028\x85\x0b\x0c\x1c\ufeff'),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=12,
)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(FIELDS, min_size=width, max_size=width), min_size=1, max_size=8)
)


@contextmanager
def opened(data: bytes, **how: object) -> Iterator[Table]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(data)
        how.setdefault("delimiter", ",")
        how.setdefault("rejects", Path(folder) / "rejects.csv")
        yield open_table(path, **how)  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(TABLES, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.booleans())
def test_fields_are_those_of_csv(
    rows: list[list[str]], end: str, quoted: bool, last_end: bool
) -> None:
    """Every table that Python writes reads back the same, from the lines that it stands in."""
    # Python 3.11 leaves bare carriage returns unquoted when they are not the end of a line.
    quoted = quoted or any("\r" in field or "\n" in field for row in rows for field in row)
    text = io.StringIO()
    writer = csv.writer(
        text, lineterminator=end, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    )
    writer.writerows(rows)
    data = text.getvalue() if last_end else text.getvalue().removesuffix(end)
    expected = list(csv.reader(io.StringIO(data, newline=""), strict=True))
    assert expected == rows
    with opened(data.encode(), header=False) as table:
        values = [row for batch in table.rows(table.columns) for row in batch]
        lines = [table.line_of(row) for row in range(len(rows))]
    if data.startswith("\ufeff"):  # a byte order mark by chance, and no part of the text
        rows[0][0] = rows[0][0].removeprefix("\ufeff")
    assert [list(row) for row in values] == rows
    starts = [1]
    for row in rows:
        inside = "".join(field + " " for field in row).replace("\r\n", "\n")
        ends = inside.count("\n") + (inside.count("\r") if end == "\r" else 0)
        starts.append(starts[-1] + ends + 1)
    assert lines == starts[:-1]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(['"', ",", "\n", "\r", "a", " ", "\0", "é", "\udcff"]), max_size=40)
)
@example(list('a,b\n"x\n'))
@example(list('a,b\n"x"y,"\n'))
@example(list('a\n"\n'))
def test_strict_files_are_taken_and_others_are_refused(pieces: list[str]) -> None:
    """Read whole and exactly as csv reads it, or refused with a line; never anything else."""
    data = "".join(pieces)
    expected: list[list[str]] | None
    values, refusal = [], ""
    try:
        expected = [row for row in csv.reader(io.StringIO(data, newline=""), strict=True) if row]
    except csv.Error:
        expected = None
    try:
        with opened(data.encode("utf-8", "surrogateescape"), header=False) as table:
            values = [list(row) for batch in table.rows(table.columns) for row in batch]
    except DataError as error:
        refusal = str(error)
    if not refusal:
        assert values == expected
        return
    bare_returns = "\r" in data.replace("\r\n", "")
    uneven = expected is not None and len({len(row) for row in expected}) > 1
    damaged = "\0" in data or "\udcff" in data
    assert not expected or bare_returns or uneven or damaged, refusal
    assert any(word in refusal for word in ("line ", "no data rows", "is empty", "UTF-16"))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_skipping_loses_bad_rows_only(data: st.DataObject) -> None:
    """Every good row around bad ones survives, whatever the bad ones are."""
    bad = [
        '"x"y,1\n',
        "a,b,c\n",
        "a\n",
        '"never closed,1\n',
        b"\xff,1\n".decode("latin-1"),
        "\0,1\n",
    ]
    good = [f"row {number},ok\n" for number in range(600)]
    places = data.draw(st.lists(st.integers(0, 600), min_size=1, max_size=5, unique=True))
    for place in sorted(places, reverse=True):
        good.insert(place, data.draw(st.sampled_from(bad)))
    with opened(("text,label\n" + "".join(good)).encode("latin-1"), on_bad_rows="skip") as table:
        values = table.read(["text"])["text"]
        assert f"{len(places)} of {600 + len(places)} rows" in table.notes[0]
    assert values == [f"row {number}" for number in range(600)]


def test_what_is_left_of_a_long_row_is_no_row() -> None:
    # Beyond the lines that may be read again, a row that is too long still ends at a line end.
    long = '"open\n' + "x" * 80_000 + ",y\n"
    rows = "".join(f"good {number},z\n" for number in range(6000))
    with opened(("a,b\n" + long * 30 + rows).encode(), max_chars=1000, on_bad_rows="skip") as table:
        values = table.read(["a", "b"])
        assert "45 of 6,045 rows" in table.notes[0]
    assert values == {"a": [f"good {number}" for number in range(6000)], "b": ["z"] * 6000}


def test_rows_that_never_end_take_linear_time() -> None:
    # Every line opens a quote when it begins a row, and leaves it open when it is within one.
    line = 'a",b"c,"d\n'
    start = time.perf_counter()
    with (
        opened(b"x,y,z\n" + line.encode() * 100_000, max_chars=20_000) as table,
        pytest.raises(DataError, match="a quote opened here"),
    ):
        table.read(["x"])
    assert time.perf_counter() - start < 10
