"""How long a text may be to be explained."""

from __future__ import annotations

from gatewise.errors import DataError

MOST_TOKENS = 2000
"""Thousands of numbers are kept of a token, and a classifier answers once more without it."""


def checked(tokens: int, most: int = MOST_TOKENS) -> None:
    """Refuse a text of too many tokens with a DataError."""
    if tokens > most:
        raise DataError(
            f"A text to explain may have at most {most:,} tokens. Got {tokens:,}. "
            "Give a part of it."
        )
