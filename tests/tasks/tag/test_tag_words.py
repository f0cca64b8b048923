"""Words and characters as numbers, and what is remembered of them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from gatewise.tasks.tag import word_cache
from gatewise.tasks.tag.encoded import Forms
from gatewise.tasks.tag.lexicon import Lexicon, common_characters
from gatewise.tasks.tag.rows import Sentences
from gatewise.tasks.tag.tags import Tags
from gatewise.tasks.tag.word_cache import WordCache
from gatewise.text.tokenizer import Tokenizer


def lexicon(lowercase: bool = True) -> Lexicon:
    """Two words that are learned, "b" and "a", and one that has a vector only, "oslo"."""
    tokenizer = Tokenizer.train(["b b a"], level="whitespace", lowercase=lowercase, min_count=1)
    tokenizer = tokenizer.extended(["oslo"], min_count=1)
    return Lexicon(tokenizer, 3, "ba", 0)


def test_words_have_the_numbers_of_the_vocabulary() -> None:
    assert lexicon().ids(["a", "B", "oslo", "zzz", "a b", ""]).tolist() == [2, 1, 3, 0, 0, 0]
    assert lexicon(False).ids(["a", "B"]).tolist() == [2, 0]
    assert (lexicon().form("Oslo"), lexicon(False).form("Oslo")) == ("oslo", "Oslo")


@pytest.mark.parametrize("lowercase", [True, False])
def test_any_token_has_the_number_that_the_tokenizer_gives_it(lowercase: bool) -> None:
    random = np.random.default_rng(0)
    alphabet = [*"abAB0'- \t\x1c\0", "\u00c4", "\u0130", "\u03a3", "\u2028", "<unk>", "\ud800"]
    tokens = ["".join(random.choice(alphabet, int(random.integers(1, 4)))) for _ in range(3000)]
    texts = [" ".join(tokens[:1500])]
    tokenizer = Tokenizer.train(texts, level="whitespace", lowercase=lowercase, min_count=1)
    encoded = tokenizer.encode(tokens)
    wanted = [int(row[0]) if len(row) == 1 else 0 for row in encoded]
    assert Lexicon(tokenizer, 3, "", 0).ids(tokens).tolist() == wanted
    assert sum(number > 0 for number in wanted) > 1000


def test_words_that_are_not_learned_have_numbers_behind_those_that_are() -> None:
    forms = Forms.of(lexicon(), ["A", "Oslo", "ZZ", "a", "oslo", "zz"])
    assert forms.words.tolist() == [2, 3, 4, 2, 3, 4]  # case apart the same words
    assert forms.strange == ["oslo", "zz"]
    tags = Tags(("N", "V"), None)
    rows = Sentences([["zz", "A"], [], ["Oslo"]], [["N", "V"], [], ["X"]])
    found = forms.encode(rows, tags)
    assert [row.tolist() for row in found.words] == [[4, 2], [], [3]]
    assert [row.tolist() for row in found.forms] == [[5, 0], [], [1]]
    assert [row.tolist() for row in found.tags] == [[0, 1], [], [2]]  # 2: a tag that is not known


def test_characters_are_numbered_and_long_words_cut() -> None:
    found = lexicon().spelled(["ab", "", "bxb", "\ud800é", "a" * 99])
    assert [row.tolist() for row in found][:4] == [[2, 1], [], [1, 0, 1], [0, 0]]
    assert found[4].tolist() == [2] * 40


def test_characters_that_occur_twice_are_known_the_most_frequent_first() -> None:
    assert common_characters(["aab", "cbb", "\ud800\ud800", "\0\0"]) == "ba"


class Counted:
    """Numbers of words, (U, 2), and all that was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, words: Sequence[str], threads: int | None) -> NDArray[np.float32]:
        self.asked += words
        return np.array([[len(word), hash(word) % 97] for word in words], np.float32).reshape(-1, 2)


def taken(words: WordCache, tokens: Sequence[str]) -> NDArray[np.float32]:
    numbers, rows = words.look_up(tokens, 1)
    return numbers.take(rows, axis=0)


def test_every_word_is_computed_once() -> None:
    compute = Counted()
    words = WordCache(compute)
    assert taken(words, []).shape == (0, 2)
    for tokens in (["b", "a", "b"], ["a"], ["c", "a"], [f"w{n}" for n in range(1000)], ["w7", "b"]):
        np.testing.assert_array_equal(taken(words, tokens), Counted()(tokens, 1))
    assert len(compute.asked) == len(set(compute.asked)) == 1003


def test_what_is_too_much_to_remember_is_computed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_cache, "MOST_CACHED", 20)
    compute = Counted()
    words = WordCache(compute)
    for start in range(0, 30, 3):
        tokens = [f"w{number}" for number in range(start, start + 6)]
        np.testing.assert_array_equal(taken(words, tokens), Counted()(tokens, 1))
    # More at once than is remembered is answered as well.
    tokens = [f"v{number}" for number in range(50)]
    np.testing.assert_array_equal(taken(words, tokens), Counted()(tokens, 1))
    assert len(compute.asked) > len(set(compute.asked))


def test_many_callers_get_their_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_cache, "MOST_CACHED", 200)
    words = WordCache(Counted())

    def ask(caller: int) -> None:
        random = np.random.default_rng(caller)
        for _ in range(200):
            tokens = [f"w{number}" for number in random.integers(0, 150, 20)]
            np.testing.assert_array_equal(taken(words, tokens), Counted()(tokens, 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
