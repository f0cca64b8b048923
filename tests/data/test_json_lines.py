"""JSON lines: case 44 and what Python's decoder or DuckDB would take without a word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gatewise.data.tables import open_table
from gatewise.errors import DataError

GOOD = '{"text": "a", "label": "x"}\n'


def table_of(folder: Path, text: str | bytes, **how: object):  # type: ignore[no-untyped-def]
    path = folder / "t.jsonl"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return open_table(path, **how)  # type: ignore[arg-type]


def complaint(folder: Path, text: str | bytes, **how: object) -> str:
    with pytest.raises(DataError) as caught:
        table_of(folder, text, **how).read(["text", "label"])
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"text": "a", "label": "x",}', "no JSON object at column"),
        ('{"text": NaN, "label": "x"}', "NaN is no JSON"),
        ('{"text": Infinity, "label": "x"}', "Infinity is no JSON"),
        ('{"text": {"en": "a"}, "label": "x"}', "'text' holds a nested object"),
        ('{"text": "a", "label": ["x"]}', "'label' holds a nested array"),
        ('{"text": "a", "lable": "x"}', "no key 'label'. The line has: 'text', 'lable'"),
        ("{}", "The line has: nothing"),
        ('["a", "x"]', "a JSON array, not an object"),
        ('"a"', "a JSON single value, not an object"),
        ('{"text": "a", "text": "b", "label": "x"}', "'text' stands twice"),
        ('{"text": "\\ud800", "label": "x"}', "half of a surrogate pair"),
        ('{"text": "a"} {"text": "b"}', "extra data"),
        ('{"text": "a", "label": "x"', "no JSON object"),
        ("[" * 100_000, "nested too deep"),
        ('{"text": "a\x1bb", "label": "x"}', "no JSON object at column"),
        ("text,label", "no JSON object at column 1"),
        ("{'text': 'a'}", "no JSON object at column 2"),
    ],
)
def test_case_44_bad_lines(tmp_path: Path, line: str, words: str) -> None:
    told = complaint(tmp_path, GOOD * 6 + line + "\n" + GOOD)
    assert told.startswith("t.jsonl, line 7: ")
    assert words in told
    assert "\x1b" not in told


def test_case_44_one_array(tmp_path: Path) -> None:
    told = complaint(tmp_path, json.dumps([{"text": "a", "label": "x"}], indent=1))
    assert (
        told == "t.jsonl, line 1: a JSON array begins here. Write one object a line (JSON lines)."
    )


def test_bytes_that_are_not_utf_8(tmp_path: Path) -> None:
    told = complaint(tmp_path, GOOD.encode() + b'{"text": "caf\xe9", "label": "x"}\n')
    assert told.startswith("t.jsonl, line 2: the byte 0xE9 is not UTF-8")
    assert "always UTF-8" in complaint(tmp_path, GOOD, encoding="cp1252")


def test_values_are_the_text_that_stands_there(tmp_path: Path) -> None:
    values = ["1.0", "01e5"[1:], "1e999", "123456789012345678901234567890", "-0", "true", "false"]
    lines = "".join(f'{{"text": {value}, "label": "{value}"}}\n' for value in values)
    table = table_of(tmp_path, "\ufeff" + lines)
    assert table.read(["text"])["text"] == values
    assert table.read(["label"])["label"] == values


def test_nulls_are_counted(tmp_path: Path) -> None:
    table = table_of(tmp_path, GOOD + '{"text": null, "label": "null"}\n\n' + GOOD)
    assert table.read(["label", "text"]) == {"label": ["x", "null", "x"], "text": ["a", "", "a"]}
    assert [note.split("t.jsonl: ")[1] for note in table.notes] == [
        "1 blank line left out.",
        "1 null in the column 'text' became an empty text.",
    ]
    assert table.line_of(2) == 4


def test_long_lines(tmp_path: Path) -> None:
    long = json.dumps({"text": "x" * 300_000, "label": "y"}) + "\n"
    told = complaint(tmp_path, GOOD + long + '{"text": "a"}\n', max_chars=1000)
    assert f"line 2: a line of {len(long):,} bytes" in told
    assert "line 3: no key 'label'" in told
    told = complaint(tmp_path, GOOD + long, max_chars=299_999)
    assert "line 2: a text of 300,000 characters, and --max-chars allows 299,999" in told


def test_rows_are_counted_as_they_were_given(tmp_path: Path) -> None:
    text = GOOD + '{"text": "no label"}\n' + GOOD * 150
    table = table_of(tmp_path, text, on_bad_rows="skip", rejects=tmp_path / "bad.csv")
    table.read(["label"])
    assert table.line_of(1) == 3
    table.read(["text"])
    assert table.line_of(1) == 2


def test_nothing_to_read(tmp_path: Path) -> None:
    assert "the file is empty" in complaint(tmp_path, "")
    assert "no data rows" in complaint(tmp_path, "\n\n")
    told = complaint(tmp_path, '{"review": "a"}\n')
    assert "no columns 'text', 'label'. It has: 'review'." in told


def test_line_ends_and_skipping(tmp_path: Path) -> None:
    rejects = tmp_path / "bad.csv"
    text = GOOD.replace("\n", "\r\n") * 150 + "{\r\n" + GOOD.strip()
    table = table_of(tmp_path, text, on_bad_rows="skip", rejects=rejects)
    assert len(table.read(["text"])["text"]) == 151
    offset = len(GOOD.replace("\n", "\r\n") * 150)
    row = rejects.read_text().splitlines()[1]
    assert row.startswith(f"151,{offset},")
    assert row.endswith(",{")
    assert table.line_of(150) == 152
