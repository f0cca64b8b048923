"""How words are written."""

from __future__ import annotations

from typing import Any

import pytest

from gatewise.text import word_shapes as shapes
from gatewise.text.word_shapes import SHAPES, word_shape

SIGNED = shapes.WITH_SIGNS


@pytest.mark.parametrize(
    ("words", "shape"),
    [
        (["http://t.co/x", "https://a.b", "www.Ab.de"], shapes.ADDRESS),
        (["@anna", "@A1"], shapes.MENTION),
        (["#oslo", "#a1"], shapes.LOWER_HASHTAG),
        (["#Oslo", "#1", "#OSLO"], shapes.HASHTAG),
        (["7", "1984", "\u0664"], shapes.NUMBER),
        (["9:30", "$5", "3."], shapes.NUMBER_WITH_SIGNS),
        ([".", "...", "!?", ".)"], shapes.SENTENCE_END),
        (["@", "#", ",", "-", ""], shapes.SIGNS),
        (["\U0001f600", "\u2026", "\u201c"], shapes.OTHER_SIGNS),
        (["B2B", "A1"], shapes.CAPITAL_WITH_DIGITS),
        (["5th", "a1", "1A"], shapes.WITH_DIGITS),
        (["I", "\u00c4"], shapes.CAPITAL),
        (["UK", "BBC"], shapes.FEW_CAPITALS),
        (["NASA"], shapes.CAPITALS),
        (["oslo", "\u6771\u4eac"], shapes.LOWER),
        (["Oslo", "\u00c5re"], shapes.TITLE),
        (["iPhone", "McDonald", "YouTube"], shapes.MIXED),
        (["'I"], shapes.CAPITAL + SIGNED),
        (["U.K."], shapes.FEW_CAPITALS + SIGNED),
        (["don't"], shapes.LOWER + SIGNED),
        (["Anna's"], shapes.TITLE + SIGNED),
        (["Coca-Cola"], shapes.MIXED + SIGNED),
    ],
)
def test_words_of_a_shape(words: list[str], shape: int) -> None:
    assert {word_shape(word) for word in words} == {shape}


def test_every_text_has_one() -> None:
    alphabet = ["", "a", "A", "1", "@", "#", ".", "\ud800", "\u0301", "\u01c5"]
    found: Any = {word_shape(a + b + c) for a in alphabet for b in alphabet for c in alphabet}
    assert found <= {*range(SHAPES)}
    assert len(found) > 15
