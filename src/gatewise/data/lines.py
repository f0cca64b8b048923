"""Texts that are read as they are asked for: lines of a file, cells of a column.

Both may be larger than memory, and every iteration reads them anew.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from gatewise.data.sources import Source
from gatewise.data.tables import Table
from gatewise.errors import DataError


class Lines:
    """The lines of a text file (.gz and .zst too), without their ends.

    Args:
        path: "-" is standard input.
        encoding: any that Python knows.

    Raises:
        DataError: the file is missing, a folder, unreadable, empty or no text; when it is read,
            that it is not of the encoding, with the line.
    """

    def __init__(self, path: str | Path, encoding: str = "utf-8") -> None:
        self._source = Source(path)
        self._codec, self._mark = self._source.check_text(encoding)

    @property
    def name(self) -> str:
        """The file, for messages."""
        return self._source.name

    def __iter__(self) -> Iterator[str]:
        with self._source.reading() as file:
            file.read(self._mark)
            errors = "surrogateescape" if self._codec == "utf-8" else "strict"
            text = io.TextIOWrapper(file, self._codec, errors=errors, newline="\n")
            number = 0
            try:
                for number, line in enumerate(text, start=1):
                    yield without_end(self.name, number, line)
            except UnicodeDecodeError as problem:
                raise DataError(
                    f"{self.name}, after line {number}: the bytes are not {self._codec} "
                    f"({problem.reason}). Give its --encoding, or save it as UTF-8."
                ) from None
            finally:
                text.detach()


class Column:
    """The cells of one column of a table.

    Args:
        table: the table.
        name: the column.

    Raises:
        DataError: there is no such column; when it is read, what is wrong with its rows.
    """

    def __init__(self, table: Table, name: str) -> None:
        table.check([name])
        self.table = table
        self.name = name

    def __iter__(self) -> Iterator[str]:
        for rows in self.table.rows([self.name]):
            for (cell,) in rows:
                yield cell


def without_end(name: str, number: int, line: str) -> str:
    """A line of a file without its end.

    Args:
        name: of the file, for messages.
        number: of the line, from 1.
        line: decoded as UTF-8 with surrogate escapes.

    Raises:
        DataError: a byte is not UTF-8; with its place.
    """
    try:
        line.encode()
    except UnicodeEncodeError as problem:
        byte = ord(line[problem.start]) - 0xDC00
        raise DataError(
            f"{name}, line {number}: the byte 0x{byte:02X} at column {problem.start + 1} is not "
            "UTF-8. Convert the text, for example with: iconv -f cp1252 -t utf-8"
        ) from None
    return line.rstrip("\r\n")
