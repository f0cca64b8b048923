"""Files that are no good tables, and what opening them says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatewise.data.tables import Table, open_table
from gatewise.errors import DataError

Write = Callable[..., Path]


def put(data: bytes | str, name: str = "reviews.csv") -> Path:
    """Write a file into the working folder; its relative path."""
    Path(name).write_bytes(data.encode() if isinstance(data, str) else data)
    return Path(name)


def complaint(path: str | Path, columns: tuple[str, ...] = ("text", "label"), **how: Any) -> str:
    """The message that opening and reading a table ends in."""
    with pytest.raises(DataError) as caught:
        open_table(path, **how).read(columns)
    return str(caught.value)


def rows_of(table: Table, *columns: str) -> list[tuple[str, ...]]:
    return [row for batch in table.rows(columns or table.columns) for row in batch]


def names_here() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def many_rows(count: int, start: int = 0) -> str:
    return "".join(f"text number {row},{'ab'[row % 2]}\n" for row in range(start, start + count))
