"""CSV and TSV: strict RFC 4180 reading that knows the line and the byte of every row.

The fields are those of Python's `csv.reader(strict=True)`. DuckDB 2.0 is not used here because
it loses data without a word: in its strict mode it drops the last row when a quote is never
closed, strips spaces around quotes, takes NUL bytes and leaves out rows of one empty field. It
would be about twice as fast on one core; both are far faster than any training.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Generator
from typing import IO, NamedTuple

from gatewise.data.problems import Problem, Problems, many, shown, too_long
from gatewise.data.sources import Source
from gatewise.errors import DataError

_REWINDS = 16
"""Rows that never end may be read again from their second line, up to this many full rows."""

_WIDE = ("utf-16", "utf-32")
_ESCAPED = re.compile("[\udc80-\udcff]")


class _TooLongError(Exception):
    """A row went on beyond the limit."""


class _Lines:
    """The physical lines of one row after another, for csv.reader.

    A line ends at a line feed; at a bare carriage return too where the first line does.
    """

    def __init__(self, stream: IO[str], limit: int) -> None:
        self.row: list[str] = []
        self.line = 1  # where the current row starts
        self.bare_returns = False  # whether bare carriage returns end the rows of this file
        self._read = stream.readline
        self._limit = limit
        self._size = 0
        self._again: list[str] = []
        self._spare = _REWINDS * limit

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else self._read(self._limit + 1)
        if not line:
            raise StopIteration
        self.row.append(line)
        self._size += len(line)
        if self._size > self._limit:
            raise _TooLongError
        return line

    def next_row(self) -> None:
        """Forget the row that was read and stand before the next one."""
        if len(self.row) == 1 and self.row[0][-1] == "\n":
            self.line += 1
        else:
            self.line += self.count_ends(self.row)
        self.row.clear()
        self._size = 0

    def rewind(self) -> bool:
        """Keep only the first line of the current row; read the others again as new rows.

        Not when too much was read again already: a hostile file would take quadratic time.
        """
        size = sum(map(len, self.row))
        if size > self._spare:
            return False
        self._spare -= size
        self._again += reversed(self.row[1:])
        del self.row[1:]
        return True

    def count_ends(self, row: list[str]) -> int:
        """How many line ends there are in some physical lines."""
        return sum(line.endswith(("\n", "\r") if self.bare_returns else "\n") for line in row)

    def line_at(self, raw: str, place: int) -> int:
        """The line of a place in the current row `raw`."""
        before = raw[:place]
        ends = before.count("\n")
        return self.line + (ends + before.replace("\r\n", "\n").count("\r") * self.bare_returns)

    def skip_to_line_end(self) -> int:
        """Pass over the rest of a line that is too long; how many characters the row has."""
        size = self._size
        piece = self.row[-1]
        while piece and not piece.endswith(("\n", "\r")):
            piece = self._read(1 << 16)
            size += len(piece)
        # The end of the line is kept, so that lines stay counted.
        self.row[-1] += piece[-1:] if piece.endswith(("\n", "\r")) else ""
        return size


class Dialect(NamedTuple):
    """How a delimited file is written; `mark` is the length of its byte order mark."""

    delimiter: str
    codec: str
    mark: int
    max_chars: int
    header: bool


def read_rows(
    source: Source, dialect: Dialect, problems: Problems
) -> Generator[tuple[int, list[str]]]:
    """The line and the fields of every good row, the header included; bad rows go to `problems`.

    All rows must have as many fields as the first.

    Raises:
        DataError: the file cannot be read or decoded.
    """
    limit = 2 * dialect.max_chars + (1 << 16)
    if csv.field_size_limit() < limit:  # a limit of the whole process, so it is only ever raised
        csv.field_size_limit(limit)
    with source.reading() as file:
        file.read(dialect.mark)
        # Only where a character has at least the bytes of ASCII can single bytes be escaped.
        wide = dialect.codec.startswith(_WIDE)
        errors = "strict" if wide else "surrogateescape"
        stream = io.TextIOWrapper(file, dialect.codec, errors=errors, newline="")
        lines = _Lines(stream, limit)
        try:
            yield from _rows(lines, dialect, problems)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{source.name}, after line {lines.line}: the bytes are not {dialect.codec} "
                f"({error.reason}). Give its --encoding, or save it as UTF-8."
            ) from error
        finally:
            if not file.closed:
                stream.detach()


def _rows(lines: _Lines, dialect: Dialect, problems: Problems) -> Generator[tuple[int, list[str]]]:
    delimiter, codec, offset, max_chars, header = dialect
    first_row = "header" if header else "first row"
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    decoded = _Decoded(codec)
    width = 0
    while True:
        fields: list[str] = []
        kind = reason = ""
        line = lines.line
        try:
            fields = next(reader)
        except StopIteration:
            break
        except _TooLongError:
            kind, reason = "too long", _too_long(lines, max_chars)
        except csv.Error:
            kind = "quoting"
            line, reason = _explain_quoting(lines.row, delimiter, line)
            lines.rewind()
        row = lines.row
        raw = row[0] if len(row) == 1 else "".join(row)
        if width == 0:
            lines.bare_returns = row[-1].endswith("\r")
        size, fault = decoded.measure(raw)
        if fault >= 0:
            kind, reason = "encoding", _explain_encoding(raw, fault, codec)
            line = lines.line_at(raw, fault)
        elif "\0" in raw:
            kind, reason = "NUL byte", "a NUL byte. Remove it; the file may be damaged."
            line = lines.line_at(raw, raw.index("\0"))
        if not reason and fields:
            width = width or len(fields)
            # Most rows need no closer look.
            if len(fields) != width or len(raw) > max_chars or raw[-1] == "\r":
                kind, reason = _complaint(lines, fields, width, max_chars, first_row)
        if reason:
            problems.add(Problem(line, offset, kind, reason, raw))
        elif fields:
            yield line, fields
        else:
            problems.blank_lines += 1
        offset += size
        lines.next_row()
    problems.remark = decoded.remark(problems.name)


class _Decoded:
    """How many bytes the decoded rows have, and where they are not of their encoding."""

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self._beyond_ascii = self._faulty = 0

    def measure(self, raw: str) -> tuple[int, int]:
        """Bytes of a row decoded with surrogate escapes, and the place of its fault or -1."""
        if raw.isascii() and not self._codec.startswith(_WIDE):
            return len(raw), -1
        try:
            size = len(raw.encode(self._codec))
        except UnicodeEncodeError:
            fault = _ESCAPED.search(raw)
            if fault is None:  # a character that codecs such as gbk read, but never write
                return len(raw.encode(self._codec, "replace")), -1
            self._faulty += 1
            return len(raw.encode(self._codec, "surrogateescape")), fault.start()
        self._beyond_ascii += not raw.isascii()
        return size, -1

    def remark(self, name: str) -> str:
        """A sentence when some rows are of the encoding and others are not."""
        if not self._faulty or not self._beyond_ascii:
            return ""
        faulty = many(self._faulty, "row is", "rows are")
        others = f"{self._beyond_ascii:,} with letters beyond ASCII"
        return (
            f"{name} mixes encodings: {faulty} not {self._codec}, and {others} can be read. "
            "One --encoding cannot mend that; convert the bad rows."
        )


def _complaint(
    lines: _Lines, fields: list[str], width: int, max_chars: int, first_row: str
) -> tuple[str, str]:
    """Kind and reason of what is wrong with a row that could be split into fields, or empty."""
    if lines.row[-1][-1] == "\r" and not lines.bare_returns:
        return "bare carriage return", (
            "a bare carriage return outside quotes. Quote the text, or mend the ends of the lines."
        )
    if len(fields) != width:
        span = lines.count_ends(lines.row[:-1])
        until = f" A quote opened here runs to line {lines.line + span}." if span else ""
        remedy = "Quote the text." if len(fields) > width else "Add what is missing."
        counted = many(len(fields), "field")
        return "number of fields", f"{counted}, but the {first_row} has {width}.{until} {remedy}"
    longest = max(map(len, fields))
    if longest > max_chars:
        return "too long", too_long(longest, max_chars)
    return "", ""


def _too_long(lines: _Lines, max_chars: int) -> str:
    if len(lines.row) > 1:
        if not lines.rewind():
            lines.skip_to_line_end()
        return (
            f"a quote opened here is not closed within {many(max_chars, 'character')}. Close it, "
            "or raise --max-chars."
        )
    size = lines.skip_to_line_end()
    return (
        f"a row of {size:,} characters, and --max-chars allows {max_chars:,} for a text. "
        "Raise it or cut the text."
    )


def _explain_quoting(row: list[str], delimiter: str, line: int) -> tuple[int, str]:
    """The line and the reason why csv.reader refused the physical lines `row` from `line` on."""
    opened = line
    quoted = closed = False
    fresh = True  # at the start of a field
    for place, char in enumerate("".join(row)):
        if quoted:
            quoted, closed = char != '"', char == '"'
        elif closed:
            if char not in (delimiter, "\n", "\r", '"'):
                return opened, _stray(len(row) == 1, place, char, opened, line)
            quoted, closed, fresh = char == '"', False, char == delimiter
        elif fresh and char == '"':
            quoted, opened, fresh = True, line, False
        else:
            fresh = char == delimiter
        line += char == "\n"
    return opened, "a quote opened here is never closed. Close it, or double it within a text."


def _stray(one_line: bool, place: int, char: str, opened: int, line: int) -> str:
    if line != opened:
        return (
            f"a quote opened here runs to line {line}, where '{shown(char)}' follows the closing "
            "quote. Close it, or double the quotes within a text."
        )
    column = f" at column {place + 1}" if one_line else ""
    return (
        f"unexpected '{shown(char)}' after a closing quote{column}. "
        'Double the quotes within a text: "".'
    )


def _explain_encoding(raw: str, place: int, codec: str) -> str:
    """Why the row `raw`, decoded with surrogate escapes, is not `codec`; `place` is the fault."""
    column = place - max(raw.rfind("\n", 0, place), raw.rfind("\r", 0, place))
    byte = ord(raw[place]) - 0xDC00
    found = f"the byte 0x{byte:02X} at column {column} is not {codec}"
    if codec != "utf-8":
        return f"{found}. Give the right --encoding."
    after = ord(raw[place + 1]) - 0xDC00 if place + 1 < len(raw) else 0
    if byte == 0xED and 0xA0 <= after <= 0xBF:
        return "invalid UTF-8: half of a surrogate pair. Save the file as UTF-8 again."
    if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D):
        return f"{found}. Save the file as UTF-8."
    return f"{found}; it looks like cp1252. Add --encoding cp1252, or save the file as UTF-8."
