"""JSON lines: one object a line, strict, every number as the text that stands in the file.

Python's own decoder is used since DuckDB 2.0 takes trailing commas and NaN without a word and
rewrites numbers (1e5 becomes 100000.0).
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from typing import IO, Any

from gatewise.data.problems import Problem, Problems, shown, too_long
from gatewise.data.sources import Source
from gatewise.errors import DataError


class _NotPlainError(ValueError):
    """Something that Python's decoder takes and JSON lines of texts should not hold."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _NotPlainError(f"the key '{shown(twice)}' stands twice. Keep one")
    return row


def _constant(name: str) -> None:
    raise _NotPlainError(f"{name} is no JSON. Write null or a number")


# str as parse_int and parse_float keeps "01", "1.0" and "1e5" as they stand.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=_constant
)


def read_objects(
    source: Source, codec: str, mark: int, problems: Problems, max_chars: int
) -> Generator[tuple[int, int, dict[str, Any], bytes]]:
    """Line, byte offset, object and raw bytes of every line that holds a JSON object.

    `mark` is the length of the byte order mark. Bad lines go to `problems`.

    Raises:
        DataError: the file is one JSON array, is not UTF-8, or cannot be read.
    """
    if codec != "utf-8":
        raise DataError(
            f"{source.name}: JSON lines are always UTF-8. Got --encoding {shown(codec)}."
        )
    limit = 8 * max_chars + (1 << 16)
    line, offset = 0, mark
    with source.reading() as file:
        file.read(mark)
        while raw := file.readline(limit):
            line += 1
            size = len(raw)
            if line == 1 and raw.lstrip().startswith(b"["):
                raise DataError(
                    f"{source.name}, line 1: a JSON array begins here. Write one object a line "
                    "(JSON lines)."
                )
            kind = reason = ""
            if size == limit and not raw.endswith(b"\n"):
                size += _skip_to_line_end(file)
                kind = "too long"
                reason = f"a line of {size:,} bytes. --max-chars allows {max_chars:,} a text"
            elif not raw.strip():
                problems.blank_lines += 1
                offset += size
                continue
            row: dict[str, Any] = {}
            if not reason:
                kind, (row, reason) = "JSON", _decoded(raw)
            if reason:
                problems.add(Problem(line, offset, kind, reason + ".", as_text(raw)))
            else:
                yield line, offset, row, raw
            offset += size


def as_text(raw: bytes) -> str:
    """A raw line as a text, with escapes for what is not UTF-8."""
    return raw.decode("utf-8", "surrogateescape")


def _skip_to_line_end(file: IO[bytes]) -> int:
    size = 0
    while piece := file.readline(1 << 16):
        size += len(piece)
        if piece.endswith(b"\n"):
            break
    return size


def _decoded(raw: bytes) -> tuple[dict[str, Any], str]:
    """The object of one line, or why there is none."""
    reason = ""
    row: Any = None
    try:
        row = _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        reason = f"the byte 0x{raw[error.start]:02X} is not UTF-8. Save the file as UTF-8"
    except json.JSONDecodeError as error:
        reason = f"no JSON object at column {error.pos + 1}: {_plain(error.msg)}"
    except _NotPlainError as error:
        reason = str(error)
    except RecursionError:
        reason = "the JSON is nested too deep. Give plain texts"
    if isinstance(row, dict):
        return row, ""
    kind = "array" if isinstance(row, list) else "single value"
    return {}, reason or f'a JSON {kind}, not an object. Write one object a line: {{"text": "…"}}'


def _plain(message: str) -> str:
    return message[0].lower() + message[1:]


def pick(
    row: dict[str, Any], columns: Sequence[str], problems: Problems, max_chars: int
) -> tuple[tuple[str, ...], str]:
    """The texts of the wanted keys of one object, or why they cannot be had."""
    texts = []
    for column in columns:
        if column not in row:
            keys = ", ".join(f"'{shown(key)}'" for key in list(row)[:8])
            return (), f"no key '{shown(column)}'. The line has: {keys or 'nothing'}."
        value = row[column]
        if value is None:
            problems.nulls[column] += 1
            value = ""
        elif isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, dict | list):
            kind = "object" if isinstance(value, dict) else "array"
            return (), f"the key '{shown(column)}' holds a nested {kind}. Give a plain text."
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            return (), f"the key '{shown(column)}' holds half of a surrogate pair."
        if len(value) > max_chars:
            return (), too_long(len(value), max_chars)
        texts.append(value)
    return tuple(texts), ""
