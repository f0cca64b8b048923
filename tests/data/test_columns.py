"""Guesses of columns, by name and by content."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gatewise.data.columns import guess_columns, guess_label, guess_text
from gatewise.data.tables import Table, open_table
from gatewise.errors import DataError

WORDS = ["the", "film", "was", "good", "bad", "long", "dull", "bright", "and", "loud"]


def table_of(folder: Path, header: str, rows: list[str]) -> Table:
    path = folder / "t.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return open_table(path)


def sentence(number: int, length: int = 9) -> str:
    return " ".join(random.Random(number).choices(WORDS, k=length))  # noqa: S311


@pytest.mark.parametrize(
    ("header", "text", "label"),
    [
        ("text,label", "text", "label"),
        ("label,text,rating,id", "text", "label"),
        ("text,labels", "text", "labels"),
        ("id,Review ,SENTIMENT", "Review ", "SENTIMENT"),
        ("class,message", "message", "class"),
        ("title,description,text,label", "text", "label"),
        ("sentence,target", "sentence", "target"),
        ("tweet,category,body", "body", "category"),
    ],
)
def test_by_name(tmp_path: Path, header: str, text: str, label: str) -> None:
    table = table_of(tmp_path, header, [",".join("a" * (header.count(",") + 1))])
    assert guess_columns(table) == (text, label, "by their names")
    assert guess_text(table) == (text, "by its name")


def test_by_content(tmp_path: Path) -> None:
    rows = [f"{row},{'xyz'[row % 3]},{sentence(row)}" for row in range(60)]
    guess = guess_columns(table_of(tmp_path, "number,mood,says", rows))
    assert guess[:2] == ("says", "mood")
    assert guess.why == "'says' has the longest texts and 'mood' has 3 different values"
    # Labels that come sorted, as many sets have them.
    rows = [f"{sentence(row)},{row // 400}" for row in range(800)]
    assert guess_columns(table_of(tmp_path, "text,mood", rows))[:2] == ("text", "mood")
    assert guess_text(table_of(tmp_path, "says", rows=["a", "b"])) == ("says", "the only column")
    rows = [f"{row},{sentence(row)}" for row in range(60)]
    found = guess_text(table_of(tmp_path, "number,says", rows))
    assert found == ("says", "'says' has the longest texts")


@pytest.mark.parametrize(
    ("header", "row", "what"),
    [
        ("number,one,two", "{n},{s},{t}", "text"),  # two columns of free text
        ("says,one,two", "{s},{m},{m}", "label"),  # two columns of few values
        ("says,number", "{s},{n}", "label"),  # as many values as rows
        ("one,two", "{m},{m}", "text"),  # no free text
    ],
)
def test_what_is_not_clear_is_asked(tmp_path: Path, header: str, row: str, what: str) -> None:
    rows = [row.format(n=n, s=sentence(n), t=sentence(n + 99), m="xy"[n % 2]) for n in range(60)]
    with pytest.raises(DataError, match=f"not clear which column holds the {what}") as caught:
        guess_columns(table_of(tmp_path, header, rows))
    assert f"Name it with --{what}." in str(caught.value)
    for name in header.split(","):
        assert f"'{name}' (" in str(caught.value)


def test_the_other_column_is_guessed_where_one_is_known(tmp_path: Path) -> None:
    table = table_of(tmp_path, "note,priority", ["a,b", "c,d"])
    assert guess_text(table, ["priority"]) == ("note", "'note' is the only other column")
    rows = [f"{sentence(n)},{'xy'[n % 2]},{'pq'[n // 2 % 2]},{n}" for n in range(60)]
    table = table_of(tmp_path, "label,mood,tone,number", rows)
    assert guess_label(table, "mood") == ("label", "by its name")
    assert guess_text(table, ["mood", "tone"]) == ("label", "'label' has the longest texts")
    table = table_of(
        tmp_path, "says,mood,number", [",".join(r.split(",")[::2]) + ",z" for r in rows]
    )
    assert guess_label(table, "says") == ("mood", "'mood' has 2 different values")
    rows = [f"{n},{'xy'[n % 2]},{'pq'[n // 2 % 2]}" for n in range(60)]
    with pytest.raises(DataError, match="Name it with --text"):
        guess_text(table_of(tmp_path, "number,mood,tone", rows), ["mood"])
    with pytest.raises(DataError, match="Name it with --label"):
        guess_label(table_of(tmp_path, "number,mood,tone", rows), "number")
    for guess in (lambda only: guess_text(only, ["text"]), lambda only: guess_label(only, "text")):
        with pytest.raises(DataError, match="a text and a label column are needed"):
            guess(table_of(tmp_path, "text", ["a"]))


def test_one_column_is_not_enough(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a text and a label column are needed\. It has only"):
        guess_columns(table_of(tmp_path, "text", ["a"]))
