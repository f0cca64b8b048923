"""Spans: what tags such as B-location and I-location say together, and back.

- iob1 (Ramshaw & Marcus 1995): I- for every token of a span, B- only where a span stands directly
  behind another of its type.
- bio, also called IOB2: B- for the first token of every span, I- for the others.
- bioes, also called IOBES: E- for the last token as well, and S- for a span of one token.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, get_args

Learned = Literal["bio", "bioes"]
"""Schemes that a tagger learns and answers in."""
Scheme = Learned | Literal["iob1"]
LEARNED: tuple[Learned, ...] = get_args(Learned)
OUTSIDE = "O"
_PREFIXES = {"bio": "BI", "iob1": "BI", "bioes": "BIES"}


class Span(NamedTuple):
    """Tokens `start` to `stop`, without `stop`, counted from 0."""

    start: int
    stop: int
    type: str


def parts_of(tag: str) -> tuple[str, str]:
    """Prefix and type of a tag: "B-LOC" → "B", "LOC"; "O" → "O", ""."""
    prefix, _, kind = tag.partition("-")
    return prefix, kind


def are_spans(tags: Iterable[str]) -> bool:
    """Whether different tags look as if they were of spans: O and B-, I-, E- or S- of some type."""
    distinct = set(tags)
    inside = [parts_of(tag) for tag in distinct if tag != OUTSIDE]
    return bool(inside) and all(p in ("B", "I", "E", "S") and kind for p, kind in inside)


def scheme_of(sentences: Sequence[Sequence[str]]) -> Scheme:
    """The scheme that tags of spans are in: what they look most like.

    It is iob1 where spans begin with I- and no B- stands at a place where iob1 has none.
    """
    prefixes = {parts_of(tag)[0] for tags in sentences for tag in tags}
    if prefixes & {"E", "S"}:
        return "bioes"
    opened_by_inside = False
    for tags in sentences:
        before = OUTSIDE
        for tag in tags:
            (prefix, kind), follows = parts_of(tag), parts_of(before)[1]
            if prefix == "B" and follows != kind:
                return "bio"
            opened_by_inside |= prefix == "I" and follows != kind
            before = tag
    return "iob1" if opened_by_inside else "bio"


def spans_of(tags: Sequence[str]) -> list[Span]:
    """The spans of a sentence's tags of any scheme, broken ones too, as the CoNLL script has them.

    A span begins at B- and S-, behind E- and S-, and where the type changes; it ends before O and
    before the next one begins.
    """
    found: list[Span] = []
    opened, before = 0, (OUTSIDE, "")
    for place, tag in enumerate([*tags, OUTSIDE]):
        prefix, kind = parts_of(tag)
        begins = prefix in ("B", "S") or before[0] in ("O", "E", "S") or kind != before[1]
        if before[0] != OUTSIDE and (prefix == OUTSIDE or begins):
            found.append(Span(opened, place, before[1]))
        if begins:
            opened = place
        before = prefix, kind
    return found


def write(spans: Iterable[Span], length: int, scheme: Scheme) -> list[str]:
    """The tags of a sentence of `length` tokens with these spans, which do not overlap."""
    tags = [OUTSIDE] * length
    last = Span(0, 0, "")
    for span in sorted(spans):
        inside = range(span.start, span.stop)
        for place in inside:
            tags[place] = f"I-{span.type}"
        behind = last.stop == span.start and last.type == span.type
        if scheme != "iob1" or behind:
            tags[span.start] = f"B-{span.type}"
        if scheme == "bioes":
            tags[span.stop - 1] = f"{'E' if len(inside) > 1 else 'S'}-{span.type}"
        last = span
    return tags


def may_follow(before: str | None, tag: str | None, scheme: Scheme) -> bool:
    """Whether a tag may stand behind another; None is the start or the end of a sentence."""
    first, kind = parts_of(before or OUTSIDE)
    second, next_kind = parts_of(tag or OUTSIDE)
    goes_on = second in ("I", "E") and kind == next_kind
    if scheme == "iob1":
        return second != "B" or (first != OUTSIDE and kind == next_kind)
    if scheme == "bio":
        return second != "I" or (first != OUTSIDE and goes_on)
    return goes_on if first in ("B", "I") else second not in ("I", "E")


def faults(tags: Sequence[str], scheme: Scheme) -> Iterator[tuple[int, str]]:
    """Places where tags break their scheme, and what is wrong there."""
    last = len(tags)
    for place, (before, tag) in enumerate(zip([None, *tags], [*tags, None], strict=True)):
        if tag is not None and not _is_of(tag, scheme):
            wanted = ", ".join(f"{prefix}-" for prefix in _PREFIXES[scheme])
            yield place, f"the tag '{tag}' is none of {scheme}: O, or a type behind {wanted}"
        elif not may_follow(before, tag, scheme) and (before is None or _is_of(before, scheme)):
            if tag is None:
                yield last - 1, f"'{before}' at the end of a sentence leaves its span open"
            elif before is None:
                yield place, f"'{tag}' stands at the start of a sentence"
            else:
                yield place, f"'{tag}' stands behind '{before}'"


def _is_of(tag: str, scheme: Scheme) -> bool:
    prefix, kind = parts_of(tag)
    return tag == OUTSIDE or (prefix in _PREFIXES[scheme] and len(prefix) == 1 and kind != "")
