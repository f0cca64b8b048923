"""Why a row of a delimited file was refused, in words: only asked for rows that were."""

from __future__ import annotations

from gatewise.data.problems import shown


def explain_quoting(row: list[str], delimiter: str, line: int) -> tuple[int, str]:
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


def explain_encoding(raw: str, place: int, codec: str) -> str:
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


def too_long(size: int, max_chars: int) -> str:
    """What is wrong with a text of `size` characters."""
    return (
        f"a text of {size:,} characters, and --max-chars allows {max_chars:,}. Raise it or cut "
        "the text."
    )
