"""Where the bytes of a table come from: files, packed files, pipes; and whether they are text.

A pipe or standard input (`-`) is first copied to a temporary file, since a table is read more
than once. Everything else streams.
"""

from __future__ import annotations

import codecs
import gzip
import io
import os
import shutil
import stat
import sys
import tempfile
import warnings
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from gatewise.data.problems import shown
from gatewise.errors import DataError, need

_HEAD = 4096

# First bytes of files that are no text, and what they are.
_MAGIC = {
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive; name it .gz",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive; name it .zst",
    b"PAR1": "a Parquet file; name it .parquet",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word document; save it as CSV UTF-8",
    b"BZh": "a bzip2 archive; unpack it first",
    b"\xfd7zXZ\x00": "an xz archive; unpack it first",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"SQLite format 3\x00": "a SQLite database; name it .sqlite and give a query",
    b"\x7fELF": "a program",
    b"ARROW1": "an Arrow file; save it as Parquet",
    b"ORC": "an ORC file; save it as Parquet",
}

_WIDE = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


class Source:
    """A file to read: its `name` for messages, its suffixes, its bytes (unpacked).

    Raises:
        DataError: the file is missing, a folder, unreadable, empty or no text.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.name = "standard input" if str(path) == "-" else shown(str(path), 300)
        self.readable = self.path
        if "\0" in str(path):
            raise DataError(f"{self.name} is no file name.")
        suffixes = [suffix.lower() for suffix in self.path.suffixes]
        self.packing = suffixes.pop() if suffixes and suffixes[-1] in (".gz", ".zst") else ""
        self.suffix = suffixes[-1] if suffixes else ""
        try:
            if str(path) == "-":
                self._spool(sys.stdin.buffer)
            else:
                self._open_once()
            facts = self.readable.stat()
            self._size_and_time = (facts.st_size, facts.st_mtime_ns)
        except FileNotFoundError:
            raise DataError(f"{self.name}: there is no such file.") from None
        except OSError as error:
            raise DataError(f"{self.name} cannot be read: {error.strerror}.") from error

    def _open_once(self) -> None:
        kind = self.path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise DataError(f"{self.name} is a folder. Name a file in it.")
        with self.path.open("rb") as file:
            if not stat.S_ISREG(kind):
                self._spool(file)

    def _spool(self, file: IO[bytes]) -> None:
        handle, name = tempfile.mkstemp(prefix="gatewise-")
        weakref.finalize(self, Path(name).unlink, missing_ok=True)
        with os.fdopen(handle, "wb") as copy:
            shutil.copyfileobj(file, copy)
        self.readable = Path(name)

    @contextmanager
    def reading(self) -> Iterator[IO[bytes]]:
        """The unpacked bytes from the start, for the length of a `with` block.

        Raises:
            DataError: the archive is damaged, or the file was changed while it was read.
        """
        try:
            with self.readable.open("rb", buffering=1 << 18) as file:
                yield _unpacked(file, self.packing)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"{self.name}: this is no {self.packing} archive, or it is damaged or cut short. "
                "Fetch it again."
            ) from error
        except OSError as error:
            raise DataError(f"{self.name} cannot be read: {error.strerror or error}.") from error
        self.check_unchanged()

    def check_unchanged(self) -> None:
        """Raise a DataError when the file is no longer the one that was opened."""
        try:
            facts = self.readable.stat()
            same = (facts.st_size, facts.st_mtime_ns) == self._size_and_time
        except OSError:
            same = False
        if not same:
            raise DataError(
                f"{self.name} was changed while it was being read. Start again once it is whole."
            )

    def check_text(self, encoding: str) -> tuple[str, int]:
        """The exact codec for `encoding` and how many bytes its byte order mark takes.

        Raises:
            DataError: the file is empty or no text, or is UTF-16 and `encoding` is not.
        """
        wanted = _codec(encoding)
        with self.reading() as file:
            head = file.read(_HEAD)
        if not head:
            raise DataError(f"{self.name}: the file is empty.")
        for magic, what in _MAGIC.items():
            # Letters alone may begin a text too ("ORCID,text"); binary files hold NUL bytes.
            if head.startswith(magic) and (not magic.isalnum() or b"\0" in head):
                if magic[:2] == b"PK" and (b"[Content_Types]" in head or b"xl/" in head):
                    what = "an Excel or Word document (a ZIP archive); save it as CSV UTF-8"  # noqa: PLW2901
                raise DataError(f"{self.name}: this is {what}. It is not a text table.")
        if wanted in ("utf-8", "utf-8-sig"):
            self._refuse_wide(head)
            return "utf-8", 3 if head.startswith(codecs.BOM_UTF8) else 0
        for mark, name in _WIDE.items():
            if name.startswith(wanted) and head.startswith(mark):
                return name, len(mark)
        return wanted + ("-le" if wanted in ("utf-16", "utf-32") else ""), 0

    def _refuse_wide(self, head: bytes) -> None:
        for mark, name in _WIDE.items():
            if head.startswith(mark):
                raise DataError(
                    f"{self.name}: the file is {name[:6].upper()}, not UTF-8. Add --encoding "
                    f"{name[:6]}, or save it as UTF-8."
                )
        even, odd = head[0::2].count(0), head[1::2].count(0)
        least, most = min(even, odd), max(even, odd)
        if len(head) >= 4 and 5 * most > len(head) and 10 * least < most:
            name = "utf-16-le" if odd > even else "utf-16-be"
            raise DataError(
                f"{self.name}: the file looks like UTF-16 without a byte order mark. Add "
                f"--encoding {name}, or save it as UTF-8."
            )


def _codec(encoding: str) -> str:
    """The name of a codec that has ASCII in it byte by byte, or is UTF-16 or UTF-32."""
    ascii_bytes = bytes(range(128)) + rb"\u0041"
    try:
        name = codecs.lookup(encoding).name
        if name.startswith(("utf-16", "utf-32")):
            return name
        with warnings.catch_warnings(action="ignore"):
            ascii_bytes.decode(name)  # refuses what is no encoding of texts, such as base64
            decoder = codecs.getincrementaldecoder(name)("surrogateescape")
            if decoder.decode(ascii_bytes, final=True) == ascii_bytes.decode("ascii"):
                return name
    except (LookupError, ValueError):
        pass
    raise DataError(
        f"The encoding '{shown(encoding)}' cannot be read. Common ones are utf-8, cp1252, latin-1 "
        "and utf-16; save the file as UTF-8."
    )


def _unpacked(file: IO[bytes], packing: str) -> IO[bytes]:
    if packing == ".gz":
        return io.BufferedReader(cast("Any", gzip.GzipFile(fileobj=file)), 1 << 18)
    if packing == ".zst":
        return io.BufferedReader(_Unpacking(file), 1 << 18)
    return file


class _Unpacking(io.RawIOBase):
    """The bytes of a Zstandard file; damage, and an end within a frame, are EOFErrors.

    The stream readers of the package `zstandard` take a file that is cut short for a whole one.
    """

    # 512 bytes can unpack to 16 MiB at the very most, which bounds the memory that a bomb takes.
    _STEP = 512

    def __init__(self, file: IO[bytes]) -> None:
        need("Reading .zst files", "train", "zstandard")
        import zstandard  # noqa: PLC0415

        self._file = file
        self._damage = zstandard.ZstdError
        self._unpacker = zstandard.ZstdDecompressor()
        self._frame = self._unpacker.decompressobj()
        self._within = False
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            packed = self._file.read(self._STEP)
            if not packed:
                if self._within:
                    raise EOFError("The last frame is not complete.")
                return 0
            self._left = memoryview(self._unpack(packed))
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def _unpack(self, packed: bytes) -> bytes:
        pieces = []
        try:
            while packed:
                pieces.append(self._frame.decompress(packed))
                packed = self._frame.unused_data if self._frame.eof else b""
                self._within = not self._frame.eof
                if self._frame.eof:
                    self._frame = self._unpacker.decompressobj()
        except self._damage as error:
            raise EOFError(str(error)) from error
        return b"".join(pieces)
