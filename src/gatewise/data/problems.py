"""What is wrong with a table: collected row by row, told in one go, kept in a rejects file.

Nothing from a file reaches the terminal as it is: `shown` escapes control characters, ANSI
escapes, bidirectional overrides, invisible characters, odd spaces and undecodable bytes.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal, NamedTuple

from gatewise.data.writing import PendingFile, table_line
from gatewise.errors import DataError

SHOWN = 20
"""How many problems a message spells out before it only counts."""

MOST_REJECTS = 0.01
"""Share of bad rows above which skipping them would hide a broken file."""


def shown(text: str, limit: int = 80) -> str:
    """`text` made safe for a terminal and cut to about `limit` characters."""
    safe = "".join(char if char.isprintable() else _escape(char) for char in text[:limit])
    return safe + ("…" if len(text) > limit else "")


def without_controls(text: str) -> str:
    """`text` for lines that programs read too: only control characters and surrogates escaped."""
    return text.translate(_CONTROLS)


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that could not be decoded
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


_CONTROLS = {
    code: _escape(chr(code)) for code in (*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000))
}


def many(count: int, thing: str, things: str | None = None) -> str:
    """`1 row`, `2 rows`, `12,000 rows`."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"


def share(count: int, total: int, thing: str) -> str:
    """`1 of 8 rows (12.5%) is`, to begin a sentence with."""
    return (
        f"{count:,} of {many(total, thing)} ({count / total:.1%}) {'is' if count == 1 else 'are'}"
    )


def too_long(size: int, max_chars: int) -> str:
    """What is wrong with a text of `size` characters."""
    return (
        f"a text of {size:,} characters, and --max-chars allows {max_chars:,}. Raise it or cut "
        "the text."
    )


class Problem(NamedTuple):
    """One bad row: `line` counts from 1, `offset` is in bytes of the unpacked file."""

    line: int
    offset: int
    kind: str
    reason: str
    raw: str


class Problems:
    """Collects the bad rows of one pass over a table.

    With `on_bad_rows="error"` the pass ends in a DataError that shows the first 20. With "skip"
    the bad rows go to the CSV file `rejects`, if there is one (line, byte_offset, reason, text),
    unless they are more than 1 % of all rows, which is an error again.
    """

    def __init__(
        self,
        name: str,
        on_bad_rows: Literal["error", "skip"] = "error",
        rejects: Path | None = None,
        unit: Literal["line", "row"] = "line",
    ) -> None:
        self.name = name
        self._unit = unit
        self.count = 0
        self.blank_lines = 0
        self.nulls: Counter[str] = Counter()
        self.remark = ""
        self._skips = on_bad_rows == "skip"
        self._first: list[str] = []
        self._kinds: Counter[str] = Counter()
        self._rejects = rejects
        self._pending: PendingFile | None = None

    @property
    def refusing(self) -> bool:
        """Whether a problem was met that ends this pass in an error."""
        return self.count > 0 and not self._skips

    def add(self, problem: Problem) -> None:
        """Take down one bad row."""
        self.count += 1
        self._kinds[problem.kind] += 1
        if len(self._first) < SHOWN:
            self._first.append(f"{self.name}, {self._unit} {problem.line}: {problem.reason}")
        if self._skips and self._rejects is not None:
            if self._pending is None:
                self._pending = PendingFile(self._rejects)
                self._pending.write(table_line(["line", "byte_offset", "reason", "text"], ","))
            fields = [problem.line, problem.offset, problem.reason, problem.raw.rstrip("\r\n")]
            self._pending.write(table_line(fields, ","))

    def finish(self, good_rows: int) -> list[str]:
        """End a pass that had `good_rows` usable rows; sentences to tell the user.

        Raises:
            DataError: there were bad rows and they may not be skipped, or are too many.
        """
        notes = []
        if self.blank_lines:
            notes.append(f"{self.name}: {many(self.blank_lines, 'blank line')} left out.")
        for column, count in self.nulls.items():
            if count:
                notes.append(
                    f"{self.name}: {many(count, 'null')} in the column '{shown(column)}' became "
                    f"{'an empty text' if count == 1 else 'empty texts'}."
                )
        if self.count == 0:
            return notes
        if not self._skips:
            raise DataError(self._told("Mend the rows, or leave them out with --on-bad-rows skip."))
        if self._pending is not None:
            self._pending.commit()
            self._pending = None
        where = "" if self._rejects is None else shown(str(self._rejects), 300)
        total = self.count + good_rows
        bad = f"{self.count:,} of {many(total, 'row')} ({self.count / total:.2%})"
        if self.count > MOST_REJECTS * total:
            raise DataError(
                self._told(
                    f"{self.name}: {bad} are bad, and at most {MOST_REJECTS:.0%} may be skipped. "
                    + (f"All of them are in {where}. " if where else "")
                    + "Mend the file."
                )
            )
        notes.append(f"{self.name}: {bad} skipped as bad." + (f" See {where}." if where else ""))
        return notes

    def discard(self) -> None:
        """Leave no half-written rejects file behind when a pass is given up."""
        if self._pending is not None:
            self._pending.discard()
            self._pending = None

    def _told(self, remedy: str) -> str:
        # One --encoding mends them all, so one line says it.
        encoding = set(self._kinds) == {"encoding"} and not self.remark
        lines = self._first[:1] if encoding else list(self._first)
        if self.count > len(lines):
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in self._kinds.most_common())
            more = many(self.count - len(lines), "more bad row")
            lines.append(f"{self.name}: … and {more} ({self.count:,} in all: {kinds}).")
        if self.remark:
            lines.append(self.remark)
        if self._skips or (self.count > 1 and not encoding):
            lines.append(remedy)
        return "\n".join(lines)
