"""One worked example or more for every rule of the word level, and the law that all share."""

from __future__ import annotations

import json

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.options import Level
from gatewise.text import rules
from gatewise.text.tokenizer import Tokenizer


def words(text: str, *, lowercase: bool = True) -> list[str]:
    """The tokens of a text, from a vocabulary that holds them all."""
    tokenizer = Tokenizer.train([text, "x"], min_count=1, lowercase=lowercase)
    vocabulary = tokenizer.vocabulary
    return [vocabulary[number] for number in tokenizer.encode([text])[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # case, spaces, punctuation
        ("The  film,\tREALLY!\n", "the film , really !"),
        ("ÀÉÎ Straße", "àéî straße"),
        ("well-made (mostly)", "well - made ( mostly )"),
        ("rock'n'roll l'homme", "rock ' n ' roll l ' homme"),
        # negation stays visible, and prepared corpora give the same tokens
        ("I don't, can't, won't", "i do n't , ca n't , wo n't"),
        ("I do n't , ca n't , wo n't", "i do n't , ca n't , wo n't"),
        ("DON\u2019T didn&#39;t", "do n't did n't"),
        ("cannot canoe", "can not canoe"),
        ("it's we've they'll I'd I'm you're", "it 's we 've they 'll i 'd i 'm you 're"),
        ("it 's 'super'", "it 's ' super '"),
        ("`` good '' -LRB- so -RRB-", '" good " ( so )'),
        ("u.s.a. e.g. end.", "u.s.a. e.g. end ."),
        # markup
        ("bad.<br /><br />Good<br>so</p>x", "bad . good so x"),
        ("<i>very</i> <b>good</b> <BR/>", "very good"),
        ("a &amp; b &quot;c&quot; &lt;3 &gt; &nbsp;d", 'a & b " c " <3 > d'),
        ("&amp;quot;", '"'),
        ("a < b > c", "a < b > c"),
        ("<unk> said <eos>", "<unk> said <eos>"),
        # numbers
        ("10/10 in 1994, 3.5 stars", "10 / 10 in 1994 , 3.5 stars"),
        ("1,000 but 10,000 and 3.14159", "1000 but <number> and <number>"),
        ("call 07123456789!", "call <number> !"),
        ("80s 1st mp3 gr8 abc123456", "80s 1st mp3 gr8 abc123456"),
        # names
        ("see https://a.b/c?d=1, or www.x.org.", "see <url> , or <url> ."),
        ("buy-it.example.com/now! x.co.uk", "<url> ! <url>"),
        ("mail me@home.example.org @joe_99 a @ b", "mail <email> <user> a @ b"),
        ("the end.Then more", "the end . then more"),
        # emoticons and emoji
        ("good :) :-( ;D =/ :'( :P :)", "good :) :-( ;d =/ :'( :p :)"),
        ("great:) (: <3 </3 ^_^", "great :) (: <3 </3 ^_^"),
        ("ratio 3:3 a:b (x): y", "ratio 3 : 3 a : b ( x ) : y"),
        ("👍👍🏽 ❤️❤ 🇩🇪🇫🇷", "👍 👍 ❤ ❤ 🇩🇪 🇫🇷"),
        ("👩‍🚀x", "👩‍🚀 x"),
        # runs
        ("no!! no!!!!!!! what????? so.. so.....", "no !! no !!! what ??? so ... so ..."),
        ("----- ==== ______ —", "-- -- -- --"),
        ("***1/2 ********", "* * * 1 / 2 * * * * *"),
        # scripts without spaces, combining marks, forms of one character
        ("我爱this电影", "我 爱 this 电 影"),
        ("ひらカタ", "ひ ら カ タ"),
        ("한국어 영화", "한국어 영화"),
        ("cafe\u0301 ﬁlm \uff21\uff22", "café film ab"),
        ("soft\u00adhyphen zero\u200bwidth \ufeffx", "softhyphen zerowidth x"),
        # what is no text
        ("a\x00b\x1fc\x85d", "a b c d"),
        ("", ""),
        (" \u2003\u00a0\n", ""),
    ],
)
def test_a_rule(text: str, expected: str) -> None:
    assert words(text) == expected.split()


def test_case_stays_where_it_is_wanted() -> None:
    text = "I DON'T Like :D HTTPS://A.B <BR> Cannot"
    assert words(text, lowercase=False) == ["I", "DO", "N'T", "Like", ":D", "<url>", "Can", "not"]


TRICKY = st.text(
    st.one_of(
        st.sampled_from(
            " \t\n\u00a0<>&;:/.,!?'\"-_@#()[]*=+^3dpbrqtamulg019éŒİﬁ½👍\u200d\ufe0f我ก\u0301"
        ),
        st.characters(codec="utf-8"),
    ),
    max_size=60,
)


@pytest.mark.parametrize("level", ["word", "bpe", "char"])
@settings(max_examples=300, deadline=None)
@given(text=TRICKY)
def test_no_rule_looks_across_whitespace(level: Level, text: str) -> None:
    """The library alone, given the whole text, finds the ids that we find piece by piece."""
    tokenizer = _EVERYDAY[level]
    alone = tokenizers.Tokenizer.from_str(tokenizer.to_json())
    expected = alone.encode(text, add_special_tokens=False).ids
    assert tokenizer.encode([text])[0].tolist() == expected
    assert [token.id for token in tokenizer.tokens(text)] == expected


_SAMPLES = [
    "I don't like it <br /> :) see http://a.b &amp; 1994 <url> <number> <user> <email>",
    "a b c d e f g h i j k l m n o p q r s t u v w x y z . , ! ? ' \" ( ) - / & < > ; : * @ n't",
    "!!! ... -- ??? 我 👍 é 's 0 1 2 3 9 10 can not br p amp quot :d :p <3 </3",
]
_LEVELS: tuple[Level, ...] = ("word", "bpe", "char")
_EVERYDAY = {level: Tokenizer.train(_SAMPLES, level=level, min_count=1) for level in _LEVELS}


def test_only_our_pipelines_are_known() -> None:
    for level in _LEVELS:
        for lowercase in (True, False):
            written = json.loads(json.dumps(rules.pipeline(level, lowercase)))
            assert rules.known(written) == (level, lowercase)
            written["normalizer"]["normalizers"].append({"type": "NFC"})
            assert rules.known(written) is None
