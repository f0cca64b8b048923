"""Pieces: the parts of a text that are tokenized one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gatewise.options import Level

LONGEST_PIECE = 500  # characters; longer runs are cut, so that no rule meets an endless one

_SURROGATE = re.compile("[\ud800-\udfff]")


def pieces(text: str, level: Level) -> Sequence[str]:
    """The characters of a text, or its runs of characters without whitespace."""
    if level == "char":
        return text
    runs = text.split()
    if len(text) > LONGEST_PIECE and max(map(len, runs), default=0) > LONGEST_PIECE:
        return [piece for run in runs for piece in _cut(run)]
    return runs


def _cut(run: str) -> Iterator[str]:
    return (run[at : at + LONGEST_PIECE] for at in range(0, len(run), LONGEST_PIECE))


def placed_pieces(text: str, level: Level) -> Iterator[tuple[int, str]]:
    """Start and characters of each of `pieces`."""
    start = 0
    for piece in pieces(text, level):
        start = text.index(piece, start)
        yield start, piece
        start += len(piece)


def printable(piece: str) -> str:
    """Lone surrogates, which UTF-8 cannot hold, as replacement characters."""
    return _SURROGATE.sub("\ufffd", piece)
