"""Case 40: cells of several labels."""

from __future__ import annotations

import pytest

from gatewise.data.multi_label import split_labels
from gatewise.errors import DataError


def test_cells_are_split() -> None:
    assert split_labels(["a|b", "b", " c | a "]) == ([("a", "b"), ("b",), ("c", "a")], [])
    assert split_labels(["a;b", "b|c"], ";")[0] == [("a", "b"), ("b|c",)]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("a|a", "the label 'a' stands twice in 'a|a'"),
        ("a| a", "the label 'a' stands twice"),
        ("a||b", "an empty label in 'a||b'"),
        ("a|", "an empty label in 'a|'"),
        ("|", "an empty label"),
        ("a,b", "'a,b' is split by ',', but the separator is '|'"),
        ("c|a;b", "'a;b' is split by ';'"),
        ("a\x1b|a\x1b", "'a\\x1b' stands twice"),
    ],
)
def test_cells_that_are_refused(cell: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        split_labels(["a|b", "c", cell])
    assert str(caught.value).startswith("row 3: ")
    assert words in str(caught.value)
    with pytest.raises(DataError, match=r"^t\.csv, line 5: "):
        split_labels(["a|b", "c", cell], place=lambda row: f"t.csv, line {row + 3}")


def test_a_comma_within_a_name_is_no_separator() -> None:
    rows, told = split_labels(["Paris, France|Rome, Italy", "Rome, Italy", "Oslo"])
    assert rows[0] == ("Paris, France", "Rome, Italy")
    assert told == []


def test_rows_without_labels_are_counted() -> None:
    rows, told = split_labels(["a", "", " ", "b|a"])
    assert rows == [("a",), (), (), ("b", "a")]
    assert told[0].startswith("2 rows of 4 have no label at all")
    with pytest.raises(DataError, match="No row has a label"):
        split_labels(["", ""])
