"""Near spellings of words."""

from __future__ import annotations

import pytest

from gatewise.text.near import near_spellings


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("#oslo", ["oslo"]),
        ("@anna's", ["anna's", "@anna", "anna"]),
        ("dogs'", ["dogs", "dog"]),
        ("anna\u2019s", ["anna"]),
        ("1984", ["0000"]),
        ("sooooo", ["soo", "so"]),
        ("soon", []),
        ("e-mail", ["email", "mail"]),
        ("and/or", ["and"]),  # parts of two letters say little
        ("new-york.", ["new-york", "newyork", "york", "new"]),
        ("", []),
        ("#", []),
        ("oslo", []),
    ],
)
def test_the_nearest_come_first(word: str, near: list[str]) -> None:
    assert near_spellings(word) == near
