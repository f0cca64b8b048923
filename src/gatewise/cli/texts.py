"""Texts of the command line: lines of a file or of standard input, or a column of a table."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from gatewise import options
from gatewise.cli.flags import Reading
from gatewise.cli.tables import guessed_column
from gatewise.data.lines import Column, Lines, without_end
from gatewise.errors import OptionError

T = TypeVar("T")
BLOCK = 1024
"""Texts that are answered together."""
LINES_OUT = (
    "--out needs a table. Lines are answered on standard output: put > and a name behind the "
    "command to keep the answers."
)


def is_lines(source: str) -> bool:
    """Whether the lines of a source are the texts."""
    return source == "-" or re.search(r"\.txt(\.gz|\.zst)?$", source.lower()) is not None


def open_texts(source: str, column: str | None, reading: Reading) -> Lines | Column:
    """The texts of a source, to be read as often as wanted.

    Args:
        source: a text file, "-" for standard input, or a table.
        column: of the texts of a table; a guess is printed.
        reading: how the table is read.

    Raises:
        DataError: the source cannot be read, or no guess is clear.
        OptionError: what is for tables is given with lines.
    """
    if not is_lines(source):
        table = reading.open(source)
        if column is None:
            column = guessed_column(table)
        return Column(table, column)
    return Lines(source, encoding_alone(source, reading, column))


def encoding_alone(source: str, reading: Reading, column: str | None = None) -> str:
    """The encoding of a source that is no table.

    Raises:
        OptionError: what is for tables is given with it.
    """
    usual, given = options.values(Reading()), options.values(reading) | {"text": column}
    for name, value in given.items():
        if name != "encoding" and value != usual.get(name):
            flag = name.replace("_", "-")
            raise OptionError(f"--{flag} is for tables. The texts of {source} are its lines.")
    return reading.encoding


def blocks_of(source: str, column: str | None, reading: Reading) -> Iterator[list[str]]:
    """The same texts once, in blocks; a terminal is read line by line."""
    if source == "-" and column is None and options.values(reading) == options.values(Reading()):
        return lines_of(source)
    return blocks(open_texts(source, column, reading), BLOCK)


def lines_of(source: str, encoding: str = "utf-8") -> Iterator[list[str]]:
    """Blocks of lines without their ends; a terminal is read line by line."""
    if source != "-" or encoding != "utf-8":
        yield from blocks(Lines(source, encoding), BLOCK)
        return
    # "-sig" leaves out the mark that some editors put before the first line.
    sys.stdin.reconfigure(encoding="utf-8-sig", errors="surrogateescape")  # type: ignore[union-attr]
    ended = (without_end("standard input", n, line) for n, line in enumerate(sys.stdin, start=1))
    yield from blocks(ended, 1 if sys.stdin.isatty() else BLOCK)


def blocks(texts: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` texts, or of anything else; the last one may be shorter."""
    rest = iter(texts)
    while block := list(islice(rest, size)):
        yield block
