"""Lines of text files, read as they are asked for: a file may be larger than memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from gatewise.data.sources import Source
from gatewise.errors import DataError


class Lines:
    """The lines of a text file (.gz and .zst too), without their ends; every iteration reads it.

    Args:
        path: UTF-8; "-" is standard input.

    Raises:
        DataError: the file is missing, a folder, unreadable, empty or no text; when it is read,
            that a byte is not UTF-8, with its line.
    """

    def __init__(self, path: str | Path) -> None:
        self._source = Source(path)

    @property
    def name(self) -> str:
        """The file, for messages."""
        return self._source.name

    def __iter__(self) -> Iterator[str]:
        with self._source.reading() as file:
            number = 0
            text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="\n")
            try:
                for number, line in enumerate(text, start=1):  # noqa: B007 - told below
                    line.encode()
                    yield line.rstrip("\r\n")
            except UnicodeEncodeError as problem:
                byte = ord(problem.object[problem.start]) - 0xDC00
                raise DataError(
                    f"{self.name}, line {number}: the byte 0x{byte:02X} at column "
                    f"{problem.start + 1} is not UTF-8. Convert the text, for example with: "
                    "iconv -f cp1252 -t utf-8"
                ) from None
            finally:
                text.detach()
