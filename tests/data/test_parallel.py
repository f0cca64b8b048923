from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from gatewise.data.parallel import paired_lines, tabbed_pairs
from gatewise.errors import DataError


def test_tabbed_lines_are_pairs_and_quotes_are_letters(tmp_path: Path) -> None:
    text = '\ufeffa "b\tc\r\n"NA"\t\n\td, \u2028e\n'
    with gzip.open(tmp_path / "p.tsv.gz", "wt", encoding="utf-8", newline="") as file:
        file.write(text)
    (tmp_path / "p.tsv").write_text(text, "utf-8", newline="")
    for name in ("p.tsv", "p.tsv.gz"):
        assert tabbed_pairs(tmp_path / name) == (['a "b', '"NA"', ""], ["c", "", "d, \u2028e"])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"a\tb\nc\n", r"p\.tsv, line 2: 1 field, but a line must be a source, a tab and its"),
        (b"a\tb\nc\td\te\n", r"p\.tsv, line 2: 3 fields, but .* Got 'c\\td\\te'\.$"),
        (b"a\tb\n\n", r"p\.tsv, line 2: 1 field"),
        (b"a\tb\nc\xff\td\n", r"p\.tsv, line 2: the byte 0xFF at column 2 is not UTF-8"),
        (b"", r"p\.tsv.* empty"),
    ],
)
def test_lines_that_are_no_pairs_are_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "p.tsv").write_bytes(content)
    with pytest.raises(DataError, match=complaint):
        tabbed_pairs(tmp_path / "p.tsv")


def test_two_files_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "a.en").write_text("one\ntwo\tb\n\nfour", "utf-8")
    (tmp_path / "a.de").write_text("eins\nzwei\n\nvier\n", "utf-8")
    found = paired_lines(tmp_path / "a.en", tmp_path / "a.de")
    assert found == (["one", "two\tb", "", "four"], ["eins", "zwei", "", "vier"])


@pytest.mark.parametrize(("left", "right"), [(3, 2), (2, 5), (29_000, 28_999)])
def test_files_of_unequal_length_are_refused(tmp_path: Path, left: int, right: int) -> None:
    (tmp_path / "a.en").write_text("x\n" * left, "utf-8")
    (tmp_path / "a.de").write_text("x\n" * right, "utf-8")
    with pytest.raises(DataError) as caught:
        paired_lines(tmp_path / "a.en", tmp_path / "a.de")
    by = abs(left - right)
    more = f"the {'source' if left > right else 'target'} has {by} line{'s' * (by > 1)} more. "
    told = str(caught.value).replace(f"{tmp_path}/", "")
    assert told.startswith(f"a.en has {left:,} lines, and a.de has {right:,} lines: {more}")
