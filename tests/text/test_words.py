"""Words of plain sentences: nothing is lost or changed, whatever the text."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gatewise.text.rules import UNKNOWN, is_word
from gatewise.text.tokenizer import Tokenizer
from gatewise.text.words import WordSplitter

ALPHABET = [*"abcZ019 .,'!?-_#@/\t\u00a0½ﬁéŁ中日😀\u200d\u0301\u202e&<>%$", "n't", "...", "http://"]
MARKUP = re.compile("</?(b|br|p)/?>")


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("Anna lives in Oslo.", ["Anna", "lives", "in", "Oslo", "."]),
        ("", []),
        (" \t ", []),
        ("Don't!", ["Do", "n't", "!"]),
        ("ÉCOLE", ["ÉCOLE"]),
        ("½ ﬁne", ["½", "ﬁne"]),  # which a tokenizer reads as other characters
        ("a½b", ["a½", "b"]),  # where "½" becomes three tokens, "a1", "⁄" and "2b"
        ("one<br />two &amp; <i>three</i>", ["one", "two", "&amp;", "three"]),
    ],
)
def test_words_stand_as_they_are_written(sentence: str, words: list[str]) -> None:
    assert WordSplitter().split(sentence) == words


def test_no_visible_character_is_lost_or_moved() -> None:
    random = np.random.default_rng(0)
    splitter = WordSplitter()
    for _ in range(2000):
        sentence = "".join(random.choice(ALPHABET, int(random.integers(0, 20))))
        words = splitter.split(sentence)
        assert all(word and not word.isspace() for word in words)
        place = 0
        for word in words:
            skipped = sentence[place : sentence.index(word, place)]
            assert not any(map(str.isalnum, MARKUP.sub("", skipped))), (sentence, words)
            place += len(skipped) + len(word)
        assert words == WordSplitter().split(sentence)  # not what it remembers


def test_runs_of_letters_are_words_as_the_rules_have_it() -> None:
    tokenizer = Tokenizer("word", False, [UNKNOWN], [])
    random = np.random.default_rng(0)
    letters = [*"abcnotOdDpPxXhtps"]
    runs = ["".join(random.choice(letters, int(random.integers(1, 8)))) for _ in range(4000)]
    runs += ["cannot", "CanNot", "cannots", "xcannot", "www", "https", "xD", "oO", "br", "x" * 500]
    for run in runs:
        assert is_word(run) == ([token.text for token in tokenizer.tokens(run)] == [run])
    for other in ("it's", "u.s.", "3rd", "caf\u00e9", "a,", "", "x_y", ":D"):
        assert not is_word(other)
