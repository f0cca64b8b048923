"""Spans: read as the CoNLL script reads them, written in every scheme, faults with their place."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from conll_script import chunks
from gatewise.tasks.tag.rows import repaired
from gatewise.text.spans import (
    Scheme,
    Span,
    are_spans,
    faults,
    may_follow,
    scheme_of,
    spans_of,
    write,
)

TAGS = ["O", *(f"{prefix}-{kind}" for prefix in "BIES" for kind in ("x", "y"))]
SCHEMES: tuple[Scheme, ...] = ("bio", "iob1", "bioes")


def spans_at_random(random: np.random.Generator) -> tuple[list[Span], int]:
    """Spans of a sentence that may touch each other, and its length."""
    bounds = np.sort(random.choice(12, size=int(random.integers(0, 9)), replace=False)).tolist()
    spans = [
        Span(start, stop, str(random.choice(["x", "y"])))
        for start, stop in itertools.pairwise(bounds)
        if random.random() < 0.7
    ]
    return spans, 11


def test_any_tags_are_read_as_the_conll_script_reads_them() -> None:
    for length in range(5):  # 7,381 sentences, whole and broken ones
        for tags in itertools.product(TAGS, repeat=length):
            assert spans_of(tags) == chunks(tags), tags


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("O O", []),
        ("I-x I-x O", [(0, 2, "x")]),  # no B- at all
        ("B-x B-x I-x", [(0, 1, "x"), (1, 3, "x")]),
        ("B-x I-y I-y", [(0, 1, "x"), (1, 3, "y")]),  # the type changes without a B-
        ("S-x I-x E-x", [(0, 1, "x"), (1, 3, "x")]),
        ("B-x E-x E-x", [(0, 2, "x"), (2, 3, "x")]),
        ("B-new-york I-new-york", [(0, 2, "new-york")]),
    ],
)
def test_spans_that_are_easily_read_wrong(tags: str, spans: list[tuple[int, int, str]]) -> None:
    assert spans_of(tags.split()) == spans


@pytest.mark.parametrize("scheme", SCHEMES)
def test_spans_are_the_same_when_written_and_read(scheme: Scheme) -> None:
    random = np.random.default_rng(3)
    for _ in range(500):
        spans, length = spans_at_random(random)
        tags = write(reversed(spans), length, scheme)
        assert spans_of(tags) == chunks(tags) == spans
        assert not list(faults(tags, scheme))


def test_every_scheme_writes_what_its_paper_says() -> None:
    spans = [Span(0, 2, "x"), Span(2, 3, "x"), Span(4, 7, "y"), Span(7, 8, "x")]
    assert write(spans, 8, "iob1") == ["I-x", "I-x", "B-x", "O", "I-y", "I-y", "I-y", "I-x"]
    assert write(spans, 8, "bio") == ["B-x", "I-x", "B-x", "O", "B-y", "I-y", "I-y", "B-x"]
    assert write(spans, 8, "bioes") == ["B-x", "E-x", "S-x", "O", "B-y", "I-y", "E-y", "S-x"]


@pytest.mark.parametrize(
    ("scheme", "sound"),
    [
        ("bio", r"(O |B-x (I-x )*|B-y (I-y )*)*"),
        ("bioes", r"(O |[S]-[xy] |B-x (I-x )*E-x |B-y (I-y )*E-y )*"),
        ("iob1", r"(O |(I-x |(?<=[BI]-x )B-x )|(I-y |(?<=[BI]-y )B-y ))*"),
    ],
)
def test_faults_are_told_where_tags_are_not_of_the_scheme(scheme: Scheme, sound: str) -> None:
    for length in range(5):
        for tags in itertools.product(TAGS, repeat=length):
            fine = re.fullmatch(sound, "".join(f"{tag} " for tag in tags)) is not None
            assert (not list(faults(tags, scheme))) == fine, tags


def test_faults_have_their_place_and_reason() -> None:
    assert list(faults(["I-x", "O", "I-x", "B-q", "Q-x"], "bio")) == [
        (0, "'I-x' stands at the start of a sentence"),
        (2, "'I-x' stands behind 'O'"),
        (4, "the tag 'Q-x' is none of bio: O, or a type behind B-, I-"),
    ]
    assert list(faults(["B-x", "B-x"], "bioes")) == [
        (1, "'B-x' stands behind 'B-x'"),
        (1, "'B-x' at the end of a sentence leaves its span open"),
    ]
    for tag in ("", "b-x", "B-", "B", "BI-x", "-x", "o"):
        ((place, fault),) = faults(["O", tag], "bio")
        assert (place, f"the tag '{tag}' is none of bio" in fault) == (1, True)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_mended_tags_are_whole_and_say_the_same(scheme: Scheme) -> None:
    random = np.random.default_rng(5)
    broken = [[str(tag) for tag in random.choice(TAGS, 7)] for _ in range(300)]
    mended, changed = repaired(broken, scheme)
    for old, new in zip(broken, mended, strict=True):
        assert chunks(old) == chunks(new)
        assert not list(faults(new, scheme))
    pairs = zip(itertools.chain(*broken), itertools.chain(*mended), strict=True)
    assert changed == sum(a != b for a, b in pairs)
    assert repaired(mended, scheme) == (mended, 0)


def test_the_scheme_is_what_the_tags_look_like() -> None:
    random = np.random.default_rng(11)
    sentences = [spans_at_random(random) for _ in range(50)]
    for scheme in SCHEMES:
        assert scheme_of([write(spans, length, scheme) for spans, length in sentences]) == scheme
    assert scheme_of([["O"], ["B-x", "B-x"]]) == "bio"
    assert scheme_of([["I-x", "B-x"]]) == "iob1"
    assert scheme_of([["I-x"], ["B-x"]]) == "bio"  # of which the first is a fault


def test_what_are_spans_and_what_are_not() -> None:
    assert are_spans(["O", "B-x", "I-x"])
    assert are_spans(["I-new-york", "O"])
    for tags in (["O"], [], ["NOUN", "O"], ["B-x", "X"], ["B-", "O"], ["B-x", "N-x"], ["B"]):
        assert not are_spans(tags)


def test_what_may_follow_makes_exactly_the_sound_sentences() -> None:
    for scheme in SCHEMES:
        own = [tag for tag in TAGS if not list(faults([tag], scheme)) or scheme != "bioes"]
        for tags in itertools.product(own, repeat=3):
            if any("none of" in fault for _, fault in faults(tags, scheme)):
                continue
            pairs = itertools.pairwise([None, *tags, None])
            assert all(may_follow(*pair, scheme) for pair in pairs) == (
                not list(faults(tags, scheme))
            )
