"""Columns read as texts, labels and weights, in one pass, every fault with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gatewise.cli.columns import Columns, Examples
from gatewise.cli.flags import Reading, ReadingFlags
from gatewise.data.tables import open_table
from gatewise.errors import DataError, GatewiseError, OptionError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(
    content: str,
    columns: Columns,
    weight: str | None = None,
    name: str = "t.csv",
    **how: Any,
) -> Examples:
    Path(name).write_text(content, "utf-8")
    return columns.read(open_table(name, **how), weight)


def complaint(content: str, columns: Columns, weight: str | None = None) -> str:
    with pytest.raises(GatewiseError) as caught:
        read(content, columns, weight)
    return str(caught.value)


def test_weights_stay_with_their_rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f'{{"text": "text {row}", "label": "{row % 2}", "w": {row}}}' for row in range(300)]
    lines[7] = '{"text": "text 7", "label": "1"}'
    lines[9] = '{"text": "text 9", "w": 9}'
    rows = read(
        "\n".join(lines), Columns("text", ("label",)), "w", name="t.jsonl", on_bad_rows="skip"
    )
    assert rows.weights == [float(row) for row in range(300) if row not in (7, 9)]
    assert rows.texts == [f"text {row:.0f}" for row in rows.weights]
    assert rows.labels == [f"{row % 2:.0f}" for row in rows.weights]
    assert rows.table.place_of(8) == "t.jsonl, line 11"
    rejects = Path("t.rejects.csv").read_text("utf-8").splitlines()
    assert [line.partition(",")[0] for line in rejects] == ["line", "8", "10"]
    assert "2 of 300 rows" in capsys.readouterr().err


def test_a_column_can_be_label_and_weight(folder: Path) -> None:
    rows = read("text,stars\na,1\nb,2\n", Columns("text", ("stars",)), "stars")
    assert (rows.texts, rows.labels, rows.weights) == (["a", "b"], ["1", "2"], [1.0, 2.0])


def test_probabilities_are_numbers_that_sum_to_one(folder: Path) -> None:
    columns = Columns("text", ("no", "yes"))
    rows = read("yes,text,no\n0.9,a,0.1\n1,b,0\n", columns)
    assert rows.labels.round(3).tolist() == [
        pytest.approx([0.1, 0.9], abs=1e-6),
        pytest.approx([0.0, 1.0], abs=1e-6),
    ]
    assert rows.names() == ([], [])
    told = complaint("text,no,yes\na,1,0\nb,0.9,0.9\n", columns)
    assert told == "t.csv, line 3: the probabilities of the labels must sum to 1. Got 1.8."


@pytest.mark.parametrize("cell", ["x", "", "nan", "inf", "-1", "\x1b[2J"])
def test_what_is_no_number_from_0(folder: Path, cell: str) -> None:
    told = complaint(f'text,label,w\na,b,1\n"a\nb",c,{cell}\n', Columns("text", ("label",)), "w")
    assert told.startswith("t.csv, line 3: the column 'w' must hold numbers from 0. Got '")
    assert "\x1b" not in told


def test_labels_that_are_missing_or_unknown_are_told_with_their_line(folder: Path) -> None:
    told = complaint('text,label\n"a\nb",x\nc, \n', Columns("text", ("label",)))
    assert told.startswith("t.csv, line 4: an empty label (1 of 2 labels (50.0%) is empty)")
    rows = read('text,label\n"a\nb",x\nc,z\nd,z\n', Columns("text", ("label",)))
    with pytest.raises(DataError, match=r"^t\.csv, line 4: the label 'z' is none of .*2 rows"):
        rows.refuse_unknown(["x", "y"], of="those in train")
    several = read("text,label\na,x|y\nb,\nc,y|z\n", Columns("text", ("label",), "|"))
    assert several.names() == (["x", "y", "y", "z"], [0, 0, 2, 2])
    with pytest.raises(DataError, match=r"^t\.csv, line 4: the label 'z' is none of"):
        several.refuse_unknown(["x", "y"], of="those in train")
    assert "1 row of 3 has no label" in several.notes[0]


def test_labels_get_the_names_that_a_model_has(folder: Path) -> None:
    names = {"0": 0, "1": 1}
    rows = read("text,label\na,1\nb,0\n", Columns("text", ("label",)))
    assert rows.renamed(names).labels == [1, 0]
    rows = read("text,label\na,1|0\nb,\n", Columns("text", ("label",), "|"))
    assert rows.renamed(names).labels == [(1, 0), ()]
    rows = read("text,0,1\na,0.5,0.5\n", Columns("text", ("0", "1")))
    assert rows.renamed(names).labels is rows.labels


@pytest.mark.parametrize(
    ("text", "label", "separator", "message"),
    [
        ("a", "a", None, "cannot both be in 'a'"),
        ("b", "a,b", None, "cannot both be in 'b'"),
        ("a", "b,b", None, "names a column twice"),
        ("a", "b", "", "Got an empty text"),
        ("a", "b,c", "|", "--label names several columns"),
    ],
)
def test_columns_that_cannot_be_meant(
    folder: Path, text: str, label: str, separator: str | None, message: str
) -> None:
    Path("t.csv").write_text("a,b,c\n1,2,3\n", "utf-8")
    with pytest.raises(GatewiseError, match=message):
        Columns.choose(open_table("t.csv"), text, label, separator)


def test_a_guess_is_printed_escaped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"a text of many words {row},{'xy'[row % 2]}\n" for row in range(20))
    Path("t.csv").write_text("\x1b[31mred,kind\n" + rows, "utf-8")
    chosen = Columns.choose(open_table("t.csv"), None, None, None)
    assert chosen == Columns("\x1b[31mred", ("kind",))
    told = capsys.readouterr().err
    assert told.startswith("columns: texts in '\\x1b[31mred', labels in 'kind' (")
    assert "\x1b" not in told


def test_what_is_left_out_is_guessed_and_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("t.csv").write_text("note,priority\nleak,high\nnoise,low\n", "utf-8")
    chosen = Columns.choose(open_table("t.csv"), None, "priority", None)
    assert chosen == Columns("note", ("priority",))
    told = "columns: texts in 'note', labels in 'priority' ('note' is the only other column)\n"
    assert capsys.readouterr().err == told
    with pytest.raises(DataError, match="Did you mean 'priority'"):
        Columns.choose(open_table("t.csv"), None, "priorty", None)
    Path("t.csv").write_text("yes,text,no\n1,a,0\n", "utf-8")
    chosen = Columns.choose(open_table("t.csv"), None, "no,yes", None)
    assert chosen == Columns("text", ("no", "yes"))
    assert "labels in 'no,yes' ('text' is the only other column)" in capsys.readouterr().err
    Columns.choose(open_table("t.csv"), "text", "yes", None)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("reading", [Reading, ReadingFlags])
def test_options_of_reading_are_checked(reading: type[Reading]) -> None:
    assert reading().max_chars == 1_000_000
    with pytest.raises(OptionError, match=r"'max_chars' option of Reading must be .* at least 1"):
        reading(max_chars=0)
    with pytest.raises(OptionError, match="'on_bad_rows' option of Reading must be one of"):
        reading(on_bad_rows="pass")  # type: ignore[arg-type]
