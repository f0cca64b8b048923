"""What every task asks of the texts that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gatewise.errors import DataError


def list_of_texts(texts: Sequence[str]) -> list[str]:
    """The texts as a list.

    Raises:
        DataError: it is one text, or holds something that is no text.
    """
    if isinstance(texts, str):
        raise DataError("Expected a list of texts. Got one text: put it in a list.")
    listed = list(texts)
    for place, text in enumerate(listed):
        if not isinstance(text, str):
            raise DataError(
                f"Texts must be strings, but row {place + 1} is {text!r}, "
                f"of type {type(text).__name__}."
            )
    return listed


def check_lengths(texts: Sequence[str], others: Any, name: str) -> None:
    """Refuse texts that have not as many of something as there are texts, with a DataError."""
    if len(others) != len(texts):
        raise DataError(f"There are {len(texts)} texts, but {len(others)} {name}.")
