"""Files and JSON of a model folder, read with limits: whatever a file holds, it is data."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from gatewise.errors import ModelFileError

LARGEST_JSON = 64 << 20  # bytes
LARGEST_FILE = 16 << 30  # bytes; weights of four thousand million numbers
DEEPEST_JSON = 32  # containers inside each other


def read_file(path: Path, largest: int) -> bytes:
    """All bytes of a regular file, in memory: a mapped file could change while it is checked.

    Raises:
        ModelFileError: it is missing, too large, or not a regular file; nothing of a pipe, a
            device or a linked file is read.
    """
    # O_NONBLOCK: opening a pipe must not wait for a writer. O_NOFOLLOW: a link could lead to
    # any file of the system. Both are missing on Windows, where lstat below finds links.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise ModelFileError(
                f"{path} is not a regular file. A model folder holds no links, pipes or devices."
            )
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as file:
            return _read_open(path, file, largest)
    except FileNotFoundError:
        raise ModelFileError(
            f"{path} is missing. Copy the whole model folder, or save the model again."
        ) from None
    except (OSError, MemoryError) as error:
        raise ModelFileError(f"{path} cannot be read: {reason(error)}.") from error


def _read_open(path: Path, file: BinaryIO, largest: int) -> bytes:
    state = os.fstat(file.fileno())
    if not stat.S_ISREG(state.st_mode):
        raise ModelFileError(f"{path} is not a regular file.")
    if state.st_size > largest:
        raise ModelFileError(
            f"{path} has {state.st_size:,} bytes, but at most {largest:,} are allowed."
        )
    content = file.read(state.st_size)
    # A file that shrinks or grows while it is read is found here or by its checksum.
    if len(content) != state.st_size:
        raise ModelFileError(f"{path} became shorter while it was read. Try again.")
    return content


def parse_json(path: Path, content: bytes) -> Any:
    """The value of a JSON text: finite numbers, no name twice, valid Unicode, bounded depth.

    Raises:
        ModelFileError: it is anything else.
    """
    try:
        value = json.loads(str(content, "utf-8"), object_pairs_hook=_unique)
        depth, level = 0, [value]
        while level:
            depth += 1
            if depth > DEEPEST_JSON:
                raise ValueError(f"it is nested deeper than {DEEPEST_JSON}")
            level = [child for part in level for child in _children(part)]
        # NaN, infinities and lone surrogates, written as "\ud800", cannot be stored again.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ModelFileError(f"{path} is nested too deeply to be read.") from None
    except ValueError as error:
        raise ModelFileError(f"{path} is not valid JSON: {reason(error)}.") from None
    return value


def reason(error: BaseException) -> str:
    """The cause in the words of the system or a parser, which may quote what a file holds."""
    said = getattr(error, "strerror", None) or str(error)[:200] or type(error).__name__
    return "".join(sign if sign.isprintable() else "?" for sign in said).rstrip(".")


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a name occurs twice in one object")
    return table
