"""Tables out: CSV, TSV and JSON lines, plain or packed, written all or not at all.

Fields are written as they are. A field that starts with `=`, `+`, `-` or `@` is run as a formula
by spreadsheet programs: whoever opens a table of foreign texts there should import its columns
as text. Altering the fields instead would damage them for every other reader.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

from gatewise.errors import DataError, need

_NEEDS_QUOTES = {",": re.compile(r'[",\r\n]'), "\t": re.compile(r'["\t\r\n]')}


class PendingFile:
    """A file that appears under its name only once it is whole and on the disk.

    Written beside its place under a temporary name; `commit` flushes it to the disk (fsync),
    renames it and flushes the folder. Texts are UTF-8; a half of a broken character is written
    as an escape such as `\\xe9`. Paths that end in .gz or .zst are packed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            self._file: IO[bytes] = self._temporary.open("xb")
        except OSError as error:
            raise DataError(f"{path} cannot be written: {error.strerror}.") from error
        self._packed: Any = self._file
        if path.suffix.lower() == ".gz":
            self._packed = gzip.GzipFile("", "wb", 6, self._file, mtime=0)
        elif path.suffix.lower() == ".zst":
            self._packed = zstandard_writer(self._file)

    def write(self, text: str | bytes) -> None:
        """Append `text`."""
        if isinstance(text, str):
            text = text.encode("utf-8", "backslashreplace")
        try:
            self._packed.write(text)
        except OSError as error:
            self.discard()
            raise DataError(f"{self._path} cannot be written: {error.strerror}.") from error

    def commit(self) -> None:
        """Put the whole file in its place."""
        try:
            if self._packed is not self._file:
                self._packed.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(self._path)
            if os.name == "posix":
                folder = os.open(self._path.parent, os.O_RDONLY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)
        except OSError as error:
            self.discard()
            raise DataError(f"{self._path} cannot be written: {error.strerror}.") from error

    def discard(self) -> None:
        """Take the unfinished file away."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)


def zstandard_writer(file: IO[bytes]) -> IO[bytes]:
    """A stream that packs into `file` and leaves it open when it is closed."""
    need("Writing .zst files", "train", "zstandard")
    import zstandard  # noqa: PLC0415

    writer: IO[bytes] = zstandard.ZstdCompressor().stream_writer(file, closefd=False)
    return writer


def write_file(path: str | Path, content: str | bytes) -> None:
    """Write a whole file, or leave the one that is there.

    Raises:
        DataError: it cannot be written.
    """
    write_parts(path, [content])


def write_parts(path: str | Path, parts: Iterable[str | bytes]) -> None:
    """The same of what is made part by part; an error on the way leaves the old file too."""
    file = PendingFile(Path(path))
    try:
        for part in parts:
            file.write(part)
    except BaseException:
        file.discard()
        raise
    file.commit()


def table_line(fields: Sequence[Any], delimiter: str) -> str:
    """One row of a CSV (RFC 4180, but ended by a bare line feed) or TSV file."""
    pattern = _NEEDS_QUOTES[delimiter]
    cells = []
    for field in fields:
        text = str(field)
        # Spaces at the ends are quoted too, since some readers strip them otherwise.
        quoted = pattern.search(text) or text != text.strip() or (not text and len(fields) == 1)
        cells.append('"' + text.replace('"', '""') + '"' if quoted else text)
    return delimiter.join(cells) + "\n"


def write_table(
    path: str | Path, columns: Sequence[str], rows: Iterable[Sequence[str | float]]
) -> None:
    """Write `rows` under `columns` to a .csv, .tsv or .jsonl file, also .gz or .zst.

    The file appears whole or not at all. Texts are not altered (see the head of this module for
    spreadsheet formulas).

    Raises:
        DataError: the suffix is unknown, the file cannot be written, a row has another number of
            fields than `columns`, or a number has no JSON form.
    """
    path = Path(path)
    suffix = Path(path.stem).suffix if path.suffix.lower() in (".gz", ".zst") else path.suffix
    suffix = suffix.lower()
    if suffix not in (".csv", ".tsv", ".jsonl", ".ndjson"):
        raise DataError(
            f"A table to write must end in .csv, .tsv or .jsonl, and may end in .gz or .zst after "
            f"that. Got '{path}'."
        )
    file = PendingFile(path)
    try:
        if suffix in (".csv", ".tsv"):
            file.write(table_line(columns, "," if suffix == ".csv" else "\t"))
        for number, row in enumerate(rows, start=1):
            if len(row) != len(columns):
                raise DataError(
                    f"{path}, row {number}: a row to write must have {len(columns)} fields. "
                    f"Got {len(row)}."
                )
            if suffix in (".csv", ".tsv"):
                file.write(table_line(row, "," if suffix == ".csv" else "\t"))
            else:
                file.write(_json_line(path, number, dict(zip(columns, row, strict=True))))
    except BaseException:
        file.discard()
        raise
    file.commit()


def _json_line(path: Path, number: int, row: dict[str, Any]) -> str:
    try:
        return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError:
        raise DataError(f"{path}, row {number}: JSON has no NaN and no infinity.") from None
