from __future__ import annotations

import gzip
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from gatewise.errors import DataError
from gatewise.text.vectors import first_tokens, read_vectors, vector_size

VOCABULARY = ["<unk>", "good", "Paris", "new york", "missing", "film", "."]
LINES = [
    "good 1 2.5 -3e-1",
    "film 4 5 6",
    "new york 7 8 9",
    ". . . 1 1 1",
    ". 10 11 12",
    "cat 0 0 0",
]


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_vectors_are_cut_to_the_vocabulary(tmp_path: Path) -> None:
    matrix, found = read_vectors(write(tmp_path / "glove.txt", LINES), VOCABULARY)
    assert matrix.dtype == np.float32
    expected = np.zeros((7, 3), np.float32)
    rows = [[1, 2.5, -0.3], [7.0, 8.0, 9.0], [4.0, 5.0, 6.0], [10.0, 11.0, 12.0]]
    expected[[1, 3, 5, 6]] = np.array(rows, np.float32)
    assert matrix.tolist() == expected.tolist()
    assert found.tolist() == [False, True, False, True, False, True, True]


@pytest.mark.parametrize("header", ["6 3", "2000000 3"])
@pytest.mark.parametrize("end", ["", " "])
def test_a_header_and_spaces_at_line_ends_are_understood(
    tmp_path: Path, header: str, end: str
) -> None:
    plain = read_vectors(write(tmp_path / "a.txt", LINES), VOCABULARY)
    headed = write(tmp_path / "b.vec", [header, *(line + end for line in LINES)])
    for one, two in zip(plain, read_vectors(headed, VOCABULARY), strict=True):
        assert one.tolist() == two.tolist()


def test_compressed_files_are_read(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    content = "\n".join(LINES).encode()
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(content))
    (tmp_path / "a.txt.zst").write_bytes(zstandard.compress(content))
    expected = read_vectors(write(tmp_path / "a.txt", LINES), VOCABULARY)
    for name in ("a.txt.gz", "a.txt.zst"):
        for one, two in zip(expected, read_vectors(tmp_path / name, VOCABULARY), strict=True):
            assert one.tolist() == two.tolist()


def test_zst_without_its_package_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    (tmp_path / "a.zst").write_bytes(b"x")
    with pytest.raises(DataError, match="Install it with: pip install zstandard"):
        read_vectors(tmp_path / "a.zst", VOCABULARY)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Paris 1", "PARIS 2", "paris 3"], 1),  # itself
        (["PARIS 2", "paris 3"], 3),  # its lower case, wherever it stands
        (["PARIS 2", "pAris 4"], 2),  # the first of the others
        (["paris 3", "paris 5"], 3),  # the first of two
    ],
)
def test_the_nearest_spelling_wins(tmp_path: Path, lines: list[str], expected: float) -> None:
    matrix, found = read_vectors(write(tmp_path / "a.txt", ["x 0", *lines]), ["Paris"])
    assert matrix.tolist() == [[expected]]
    assert found.tolist() == [True]


FULL = " ".join(["0.5"] * 300)
WRONG = {
    "299 numbers": (["the " + FULL, "of " + FULL[4:]], "299 numbers, but the lines before have"),
    "301 numbers": (["the " + FULL, "of 1 " + FULL], "301 numbers, but the lines before have"),
    "a word": (["the 1 2", "good 1 x"], "line 2: 'x' is not a number."),
    "a word first": (["the film"], "line 1: a token and its numbers were expected"),
    "a word alone": (["the"], "line 1: a token and its numbers were expected"),
    "NaN": (["the 1 2", "good 1 nan"], "line 2: a number is NaN or infinite."),
    "too large": (["good 1 1e99"], "line 1: a number is NaN or infinite."),
    "nothing": ([], "holds no vectors."),
    "a header alone": (["5 3"], "holds no vectors."),
    "size 0": (["5 0", "the 1"], "line 1: vectors of 1 to 10000 numbers were expected. Got 0."),
    "an enormous size": (["5 99999999999"], "Got 99999999999."),
    "empty lines are counted": (["the 1 2", "", "of 1"], "line 3: 1 numbers, but the lines before"),
    "a header of other size": (["2 3", "the 1 2"], "line 2: 2 numbers, but"),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_lines_are_named(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_vectors(write(tmp_path / "glove.txt", lines), VOCABULARY)
    assert message in str(caught.value)
    assert "glove.txt" in str(caught.value)


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\x00\xff" * 600_000)
    with pytest.raises(DataError, match="line 1: longer than 1,048,576 bytes"):
        read_vectors(tmp_path / "a.txt", VOCABULARY)
    whole = gzip.compress("\n".join(LINES * 100).encode())
    for content in (b"no gzip", whole[:-20], whole[:30] + b"\xff" * 9 + whole[39:]):
        (tmp_path / "a.gz").write_bytes(content)
        with pytest.raises(DataError, match=r"a\.gz cannot be read: "):
            read_vectors(tmp_path / "a.gz", VOCABULARY)
    (tmp_path / "a.zst").write_bytes(b"no zstd")
    with pytest.raises(DataError, match=r"a\.zst"):
        read_vectors(tmp_path / "a.zst", VOCABULARY)
    for path in (tmp_path / "missing.txt", tmp_path):
        with pytest.raises(DataError, match="cannot be read: "):
            read_vectors(path, VOCABULARY)


def test_tokens_that_are_not_utf8_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe 1 2\ngood 3 4\n\x85 5 6\n\xc2\xa0 7 8\n")
    matrix, found = read_vectors(tmp_path / "a.txt", ["good", "x"])
    assert matrix.tolist() == [[3, 4], [0, 0]]
    assert found.tolist() == [True, False]


def test_a_large_file_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", [f"w{number} " + FULL for number in range(3000)])
    tracemalloc.start()
    try:
        matrix, _ = read_vectors(tmp_path / "a.txt", ["w7", "w2999"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (matrix == 0.5).all()
    assert peak < (tmp_path / "a.txt").stat().st_size / 4


def test_first_tokens_and_the_size_of_vectors(tmp_path: Path) -> None:
    path = write(tmp_path / "v.txt", LINES)
    assert (first_tokens(path, 4), vector_size(path)) == (["good", "film", "new york", ". . ."], 3)
    path = write(tmp_path / "w.txt", ["6 3", *LINES])  # the first line of word2vec
    assert (first_tokens(path, 2), vector_size(path)) == (["good", "film"], 3)
    assert len(first_tokens(path, 99)) == 6
    (tmp_path / "empty.txt").write_text("", "utf-8")
    with pytest.raises(DataError, match=r"empty\.txt holds no vectors"):
        vector_size(tmp_path / "empty.txt")
