"""The rules of the CoNLL-2000 evaluation script, written from its description for the tests.

The script walks over the tokens once and asks of every two neighbours whether a chunk ends behind
the first and whether one starts at the second. It keeps no lists of spans: it counts while it
walks, which makes it another computation than that of `gatewise.text.spans`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

ENDS = {"BB", "BS", "BO", "IB", "IS", "IO", "EE", "EI", "EO", "EB", "ES", "SE", "SI", "SO"}
ENDS |= {"SB", "SS"}
STARTS = {"BB", "IB", "OB", "EB", "SB", "BS", "IS", "OS", "ES", "SS", "OI", "OE", "EI", "EE"}
STARTS |= {"SI", "SE"}


def _parted(tag: str) -> tuple[str, str]:
    return (tag[0], tag[2:]) if tag != "O" else ("O", "")


def _ends(before: str, tag: str) -> bool:
    (first, kind), (second, next_kind) = _parted(before), _parted(tag)
    return first + second in ENDS or (first != "O" and kind != next_kind)


def _starts(before: str, tag: str) -> bool:
    (first, kind), (second, next_kind) = _parted(before), _parted(tag)
    return first + second in STARTS or (second != "O" and kind != next_kind)


def chunks(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Start, stop (exclusive) and type of every chunk."""
    padded = ["O", *tags, "O"]
    starts = [place for place in range(len(tags)) if _starts(*padded[place : place + 2])]
    stops = [place for place in range(1, len(tags) + 1) if _ends(*padded[place : place + 2])]
    assert len(starts) == len(stops)
    return [
        (start, stop, _parted(tags[stop - 1])[1]) for start, stop in zip(starts, stops, strict=True)
    ]


def counts(
    truth: Sequence[Sequence[str]], answers: Sequence[Sequence[str]]
) -> dict[str, tuple[int, int, int]]:
    """Of every type the chunks that are right, answered and true, counted in one walk."""
    right, answered, true = Counter[str](), Counter[str](), Counter[str]()
    for wanted, given in zip(truth, answers, strict=True):
        both, before = "", ("O", "O")
        for pair in zip([*wanted, "O"], [*given, "O"], strict=True):
            ends = [_ends(*tags) for tags in zip(before, pair, strict=True)]
            starts = [_starts(*tags) for tags in zip(before, pair, strict=True)]
            kinds = [_parted(tag)[1] for tag in pair]
            if both and all(ends):
                right[both] += 1
            # A chunk that is right so far is so no more when only one of the two goes on.
            if any(ends):
                both = ""
            if all(starts) and kinds[0] == kinds[1]:
                both = kinds[0]
            true[kinds[0]] += starts[0]
            answered[kinds[1]] += starts[1]
            before = pair
    found = {*true, *answered} - {""}
    return {kind: (right[kind], answered[kind], true[kind]) for kind in sorted(found)}
