"""Packed files: whole, cut short, damaged, with more than one part."""

from __future__ import annotations

import gzip
import sys
import tracemalloc
from pathlib import Path

import pytest
import zstandard

from gatewise.data.sources import Source
from gatewise.data.tables import open_table
from gatewise.errors import DataError

DATA = b"text,label\n" + b"".join(b"number %d,%d\n" % (row, row % 2) for row in range(20_000))
PACK = {".gz": lambda data: gzip.compress(data, 1), ".zst": zstandard.compress}


def read(path: Path) -> int:
    return len(open_table(path).read(["text"])["text"])


@pytest.mark.parametrize("suffix", PACK)
def test_packed_files_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.csv{suffix}"
    path.write_bytes(PACK[suffix](DATA))
    assert read(path) == 20_000
    # Parts that were packed one by one and joined.
    path.write_bytes(PACK[suffix](DATA[:50]) + PACK[suffix](DATA[50:]))
    assert read(path) == 20_000
    table = open_table(path)
    assert table.line_of(19_999) == 20_001


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.999])
def test_archives_cut_short_are_refused(tmp_path: Path, suffix: str, kept: float) -> None:
    packed = PACK[suffix](DATA)
    path = tmp_path / f"t.csv{suffix}"
    path.write_bytes(packed[: int(len(packed) * kept)])
    with pytest.raises(DataError, match="damaged or cut short"):
        read(path)


@pytest.mark.parametrize("suffix", PACK)
def test_what_is_no_archive_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.csv{suffix}"
    path.write_bytes(DATA)
    with pytest.raises(DataError, match=f"no {suffix} archive"):
        read(path)
    packed = bytearray(PACK[suffix](DATA))
    packed[len(packed) // 2] ^= 0xFF
    path.write_bytes(packed)
    with pytest.raises(DataError, match=r"damaged|line"):
        read(path)
    path.write_bytes(PACK[suffix](b""))
    with pytest.raises(DataError, match="empty"):
        read(path)


@pytest.mark.parametrize("suffix", PACK)
def test_a_bomb_takes_bounded_memory(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.csv{suffix}"
    path.write_bytes(PACK[suffix](b"text,label\n" + bytes(50_000_000)))
    tracemalloc.start()
    with pytest.raises(DataError, match="line 2: a"):
        open_table(path, max_chars=10_000).read(["text"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000_000


def test_two_passes_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(DATA)
    table = open_table(path)
    for one, other in zip(table.rows(["text"]), table.rows(["text"]), strict=True):
        assert one == other


def test_the_suffix_is_read_without_case(tmp_path: Path) -> None:
    path = tmp_path / "A.B.CSV.GZ"
    path.write_bytes(gzip.compress(DATA))
    source = Source(path)
    assert (source.suffix, source.packing) == (".csv", ".gz")
    assert read(path) == 20_000


def test_without_the_package_for_zst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv.zst"
    path.write_bytes(zstandard.compress(DATA))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(ImportError, match=r"Reading \.zst files needs .* 'gatewise\[train\]'"):
        open_table(path)


@pytest.mark.parametrize("codec", ["gbk", "shift_jis", "koi8-r", "cp1251", "utf-8-sig", "utf-32"])
def test_other_encodings(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "t.csv"
    word = "中文" if codec in ("gbk", "shift_jis", "utf-32") else "текст"
    path.write_bytes(f'text,label\n"{word}\n{word}",a\n{word},{word}\n'.encode(codec))
    table = open_table(path, encoding=codec)
    assert table.read(["text"])["text"] == [f"{word}\n{word}", word]
    assert table.line_of(1) == 4


@pytest.mark.parametrize(
    "codec",
    [
        "utf-7",
        "idna",
        "punycode",
        "rot13",
        "base64",
        "unicode_escape",
        "cp037",
        "nonsense",
        "",
        "\0",
    ],
)
def test_what_is_no_encoding_of_tables(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(DATA)
    with pytest.raises(DataError, match=r"cannot be read\. Common ones are utf-8"):
        open_table(path, encoding=codec)


def test_damaged_utf_16(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("text,label\na,b\nc,d\n".encode("utf-16-le") + b"\x00\xd8\x00")
    with pytest.raises(DataError, match=r"after line \d: the bytes are not utf-16-le"):
        open_table(path, encoding="utf-16").read(["text"])
