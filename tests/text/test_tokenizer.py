from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatewise.errors import DataError, ModelFileError, OptionError
from gatewise.text import saved
from gatewise.text import tokenizer as module
from gatewise.text.pieces import LONGEST_PIECE, pieces
from gatewise.text.saved import LONGEST_TOKEN
from gatewise.text.tokenizer import Token, Tokenizer

TEXTS = [
    "The film was good, really good!",
    "I don't like the film :(",
    "Good acting. Bad film? No, the plot was good.",
    "",
    "the end",
]
ANY_TEXT = st.text(st.characters(codec=None))  # surrogates too


@pytest.fixture(params=["word", "bpe", "char"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return Tokenizer.train(TEXTS, level=request.param, min_count=1, max_vocabulary=200)


# train


def test_word_vocabulary_is_that_of_a_plain_counter() -> None:
    generator = np.random.default_rng(0)
    texts = [
        " ".join(f"w{number}" for number in generator.zipf(1.3, 40) if number < 500)
        for _ in range(60)
    ]
    counts = Counter(word for text in texts for word in text.split())
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    for min_count, most in [(1, 10_000), (2, 10_000), (3, 20), (1, 2), (2, 51)]:
        expected = [word for word in ranked if counts[word] >= min_count][: most - 1]
        trained = Tokenizer.train(texts, min_count=min_count, max_vocabulary=most)
        assert trained.vocabulary == ["<unk>", *expected]
        assert len(trained) == len(expected) + 1


def test_char_vocabulary_counts_spaces_and_keeps_case_when_asked() -> None:
    trained = Tokenizer.train(["Aa a", "a b\n"], level="char", lowercase=False, min_count=1)
    assert trained.vocabulary == ["<unk>", "a", " ", "\n", "A", "b"]
    assert Tokenizer.train(["Aa a"], level="char", min_count=2).vocabulary == ["<unk>", "a"]


def test_bpe_joins_the_most_frequent_pairs_first() -> None:
    trained = Tokenizer.train(["low low low lower newest"], level="bpe", max_vocabulary=16)
    parts = trained.vocabulary
    assert [parts[number] for number in trained.encode(["low lower"])[0]] == [
        "▁low",
        "▁low",
        "e",
        "r",
    ]
    assert len(trained) <= 16


def test_training_reads_any_iterable_once_and_gives_the_same_twice() -> None:
    for level in ("word", "bpe", "char"):
        one = Tokenizer.train(iter(TEXTS * 3), level=level, min_count=1)
        two = Tokenizer.train(tuple(TEXTS * 3), level=level, min_count=1)
        assert one.to_json() == two.to_json()


def test_training_gives_the_same_in_another_process() -> None:
    code = (
        "import hashlib, sys; from gatewise.text.tokenizer import Tokenizer\n"
        "texts = [f'{a}{b} {b}{c} {c}{a}' for a in 'abcde' for b in 'abcde' for c in 'abcde']\n"
        "for level in ('word', 'bpe', 'char'):\n"
        "    text = Tokenizer.train(texts, level=level, max_vocabulary=40).to_json()\n"
        "    print(hashlib.sha256(text.encode()).hexdigest())\n"
    )
    outputs = {
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
        for _ in range(2)
    }
    assert len(outputs) == 1


def test_long_words_stay_unknown() -> None:
    fits, too_long = "a" * LONGEST_TOKEN, "b" * (LONGEST_TOKEN + 1)
    trained = Tokenizer.train([f"{fits} {too_long}"], min_count=1)
    assert trained.vocabulary == ["<unk>", fits]
    assert trained.encode([too_long])[0].tolist() == [0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"level": "words"},
            "The 'level' option of Tokenizer must be one of word, whitespace, bpe, char.",
        ),
        ({"max_vocabulary": 1}, "a whole number of at least 2 and at most 1000000. Got 1."),
        ({"max_vocabulary": 10**9}, "Got 1000000000."),
        ({"min_count": 0}, "The 'min_count' option of Tokenizer must be a whole number of at"),
        ({"min_count": True}, "Got True."),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=re.escape(message)):
        Tokenizer.train(TEXTS, **options)


@pytest.mark.parametrize("level", ["word", "bpe", "char"])
def test_training_refuses_what_is_not_text_and_texts_without_a_frequent_token(level: Any) -> None:
    with pytest.raises(DataError, match="Text 1 is None"):
        Tokenizer.train(["a", None], level=level)  # type: ignore[list-item]
    with pytest.raises(DataError, match="no token that occurs at least 2 times"):
        Tokenizer.train(["", " "] if level == "bpe" else ["xy"], level=level)


# encode


def test_encode_gives_the_ids_of_the_tokens() -> None:
    trained = Tokenizer.train(TEXTS, min_count=1)
    ids = {token: number for number, token in enumerate(trained.vocabulary)}
    encoded = trained.encode(["Good, film", "", "zebra n't"])
    assert encoded.values.dtype == np.int32
    assert encoded.values.tolist() == [ids["good"], ids[","], ids["film"], 0, ids["n't"]]
    assert encoded.offsets.tolist() == [0, 3, 3, 5]
    assert trained.unknown_id == 0


def test_no_texts_are_no_rows(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode([]).offsets.tolist() == [0]
    assert tokenizer.encode(["", ""]).offsets.tolist() == [0, 0, 0]


def test_one_text_alone_and_wrong_types_are_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(DataError, match=r"put it in brackets, \[text\]"):
        tokenizer.encode("good film")
    with pytest.raises(DataError, match="Text 1 is nan"):
        tokenizer.encode(["good", float("nan")])  # type: ignore[list-item]


def test_unknown_characters_of_bpe_become_one_unknown_token() -> None:
    trained = Tokenizer.train(TEXTS, level="bpe", min_count=1, max_vocabulary=200)
    assert trained.encode(["我爱"])[0].tolist().count(0) == 1


@settings(max_examples=2000, deadline=None)
@given(text=ANY_TEXT)
@example("\ud800 \udfff\x00")
@example("İ ﷺ ½ \u0345")
def test_never_fails_and_slices_back(text: str) -> None:
    for trained in _TRAINED:
        ids = trained.encode([text])[0].tolist()
        tokens = trained.tokens(text)
        assert [token.id for token in tokens] == ids
        assert all(token.text == text[token.start : token.stop] for token in tokens)
        assert all(0 <= token.start < token.stop <= len(text) for token in tokens)
        for one, two in pairwise(tokens):
            assert one.start <= two.start
            assert one.stop <= two.stop
        trained.decode(ids)


_TRAINED = [Tokenizer.train(TEXTS, level=level, min_count=1) for level in ("word", "bpe", "char")]


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.one_of(ANY_TEXT, st.sampled_from(TEXTS)), max_size=6))
def test_a_batch_is_its_texts_alone(texts: list[str]) -> None:
    for trained in _TRAINED:
        fresh = Tokenizer.from_json(trained.to_json())
        rows = [row.tolist() for row in trained.encode(texts)]
        assert rows == [fresh.encode([text])[0].tolist() for text in texts]


def test_blocks_and_a_full_memory_change_nothing(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"{TEXTS[number % 5]} good{number}" for number in range(50)]
    expected = tokenizer.encode(texts)
    monkeypatch.setattr(module, "_BLOCK", 7)
    monkeypatch.setattr(module, "MOST_REMEMBERED", 50)
    fresh = Tokenizer.from_json(tokenizer.to_json())
    found = fresh.encode(texts)
    assert found.values.tolist() == expected.values.tolist()
    assert found.offsets.tolist() == expected.offsets.tolist()
    assert len(fresh._memory.ids) < 60


def test_threads_find_the_same(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 300)
    texts = [f"{TEXTS[number % 5]} film{number}" for number in range(300)]
    expected = tokenizer.encode(texts).values.tolist()
    found: list[list[int]] = []
    threads = [
        threading.Thread(target=lambda: found.append(tokenizer.encode(texts).values.tolist()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "a" * 1_000_000,
        " " * 100_000,
        "(" * 50_000 + ")" * 50_000,
        "<br" * 30_000,
        "a.b-" * 25_000,
        "@" * 100_000,
        "1," * 50_000,
        "&amp;" * 20_000,
        ":" * 100_000,
        "a" + "\u0301" * 100_000,
        "ﷺ" * 20_000,
        "👍\u200d" * 50_000,
        "n't" * 30_000,
    ],
    ids=lambda text: ascii(text[:8]),
)
def test_hostile_texts_cost_no_more_than_their_length(text: str) -> None:
    """Every rule runs on pieces of bounded length, so the work grows with the length only."""
    trained = _TRAINED[0]
    parts = pieces(text, "word")
    assert "".join(parts) == "".join(text.split())
    assert max(map(len, parts), default=0) <= LONGEST_PIECE
    assert len(parts) <= len(text) / LONGEST_PIECE + 1
    assert trained.encode([text])[0].tolist() == [token.id for token in trained.tokens(text)]


def test_no_warning_after_a_fork_and_no_import_before_it_is_needed() -> None:
    code = (
        "import sys, os, gatewise\n"
        "assert 'tokenizers' not in sys.modules\n"
        "from gatewise.text.tokenizer import Tokenizer\n"
        "assert 'torch' not in sys.modules\n"
        "trained = Tokenizer.train(['a b c d'] * 5000, level='bpe')\n"
        "expected = trained.encode(['a b'] * 5000).values.tolist()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(0 if trained.encode(['a b'] * 5000).values.tolist() == expected else 1)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert done.stderr == b""


# tokens


def test_tokens_have_their_places_in_the_text() -> None:
    text = "I DON\u2019T <br /> see &quot;it&quot; at http://a.b/c, ½"
    trained = Tokenizer.train(["do n't see it at <url>"], min_count=1)
    found = trained.tokens(text)
    words = [
        "I",
        "DO",
        "N\u2019T",
        "see",
        "&quot;",
        "it",
        "&quot;",
        "at",
        "http://a.b/c",
        ",",
        *"½½½",
    ]
    assert [token.text for token in found] == words
    ids = {token: number for number, token in enumerate(trained.vocabulary)}
    assert found[2] == Token("N\u2019T", ids["n't"], 4, 7)
    assert found[8] == Token("http://a.b/c", ids["<url>"], 37, 49)


def test_a_removed_tag_belongs_to_no_token() -> None:
    trained = Tokenizer.train(["bad good"], min_count=1)
    assert [token.text for token in trained.tokens("bad<br/>good")] == ["bad", "good"]


# decode


@pytest.mark.parametrize(
    "text",
    [
        "i don't like the film.",
        "it's good, really (or not)!",
        "no? no... 3 stars: <unk>",
        "fun :) or not :(, oh!!!",
    ],
)
def test_decoded_words_read_like_text(text: str) -> None:
    trained = Tokenizer.train([text], min_count=1)
    assert trained.decode(trained.encode([text])[0]) == text


@given(text=st.text("ab c\n.é", max_size=30))
def test_characters_decode_to_the_same_text(text: str) -> None:
    trained = Tokenizer.train(["ab c\n.é"], level="char", min_count=1)
    assert trained.decode(trained.encode([text])[0]) == text


def test_parts_decode_to_the_same_words() -> None:
    trained = Tokenizer.train(TEXTS, level="bpe", min_count=1)
    assert trained.decode(trained.encode(["the good film, no!"])[0]) == "the good film, no!"


@pytest.mark.parametrize("wrong", [-1, 10_000])
def test_ids_outside_the_vocabulary_are_refused(tokenizer: Tokenizer, wrong: int) -> None:
    with pytest.raises(ValueError, match=f"Got {wrong}"):
        tokenizer.decode([0, wrong])


# to_json, from_json


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("level", ["word", "bpe", "char"])
def test_saved_and_loaded_it_gives_the_same_ids(level: Any, lowercase: bool) -> None:
    trained = Tokenizer.train(TEXTS, level=level, lowercase=lowercase, min_count=1)
    loaded = Tokenizer.from_json(trained.to_json())
    texts = [*TEXTS, "GOOD zebra 我 don't\x00"]
    assert loaded.encode(texts).values.tolist() == trained.encode(texts).values.tolist()
    assert loaded.to_json() == trained.to_json()
    assert (loaded.level, loaded.lowercase) == (level, lowercase)
    assert loaded.vocabulary == trained.vocabulary


def _changed(change: Any, level: Any = "word") -> str:
    document = json.loads(Tokenizer.train(TEXTS, level=level, min_count=1).to_json())
    change(document)
    return json.dumps(document)


HOSTILE = {
    "nothing": "",
    "not JSON": "{",
    "a list": "[]",
    "no model": "{}",
    "a model that is a list": '{"model": []}',
    "nested": "[" * 100_000,
    "nested objects": '{"a":' * 100_000,
    "a huge number": '{"model": {"vocab": {"a": ' + "9" * 5000 + "}}}",
    "a name twice": '{"model": {}, "model": {}}',
    "another rule": _changed(
        lambda d: d["normalizer"]["normalizers"].append(
            {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": ""}
        )
    ),
    "a changed rule": _changed(lambda d: d["pre_tokenizer"]["pattern"].update(Regex="(a|a)*b")),
    "a rule less": _changed(lambda d: d["normalizer"]["normalizers"].pop()),
    "truncation": _changed(lambda d: d.update(truncation={"max_length": 1})),
    "padding": _changed(lambda d: d.update(padding={"strategy": {"Fixed": 10**9}})),
    "an added token": _changed(lambda d: d["added_tokens"].append({"id": 0, "content": "a"})),
    "a post-processor": _changed(lambda d: d.update(post_processor={"type": "ByteLevel"})),
    "something more": _changed(lambda d: d.update(code="import os")),
    "another model": _changed(lambda d: d["model"].update(type="WordPiece")),
    "something more in the model": _changed(lambda d: d["model"].update(more=1)),
    "dropout": _changed(lambda d: d["model"].update(dropout=0.5), "bpe"),
    "no vocabulary": _changed(lambda d: d["model"].update(vocab={})),
    "a vocabulary list": _changed(lambda d: d["model"].update(vocab=["a"])),
    "an id twice": _changed(lambda d: d["model"]["vocab"].update(good=2)),
    "an id too many": _changed(lambda d: d["model"]["vocab"].update(zebra=10**6)),
    "a negative id": _changed(lambda d: d["model"]["vocab"].update(good=-1)),
    "a fractional id": _changed(lambda d: d["model"]["vocab"].update(good=1.0)),
    "an id true": _changed(lambda d: d["model"].update(vocab={"<unk>": 0, "a": True})),
    "an id null": _changed(lambda d: d["model"]["vocab"].update(good=None)),
    "NaN": _changed(lambda d: d["model"]["vocab"].update(good=float("nan"))),
    "no unknown token": _changed(lambda d: d["model"].update(vocab={"a": 0})),
    "a huge token": _changed(lambda d: d["model"].update(vocab={"<unk>": 0, "a" * 10**6: 1})),
    "an empty token": _changed(lambda d: d["model"].update(vocab={"<unk>": 0, "": 1})),
    "a lone surrogate": _changed(lambda d: d["model"].update(vocab={"<unk>": 0, "\ud800": 1})),
    "a merge of three": _changed(lambda d: d["model"]["merges"].append(["g", "o", "o"]), "bpe"),
    "a merge of numbers": _changed(lambda d: d["model"]["merges"].append([1, 2]), "bpe"),
    "a merge of lists": _changed(lambda d: d["model"]["merges"].append([["a"], "b"]), "bpe"),
    "a merge to nothing": _changed(lambda d: d["model"]["merges"].append(["q", "!"]), "bpe"),
    "merges of words": _changed(lambda d: d["model"].update(merges=[])),
    "merges that are a table": _changed(lambda d: d["model"].update(merges={}), "bpe"),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_tokenizers_are_refused_in_one_sentence(hostile: str) -> None:
    with pytest.raises(ModelFileError, match=r"^tokenizer\.json cannot be used: ") as caught:
        Tokenizer.from_json(hostile)
    assert len(str(caught.value)) < 400


def test_a_tokenizer_of_enormous_size_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = _TRAINED[0].to_json()
    monkeypatch.setattr(saved, "LARGEST_JSON", 1000)
    with pytest.raises(ModelFileError, match="larger than"):
        Tokenizer.from_json(" " * 1001)
    monkeypatch.setattr(saved, "LARGEST_JSON", 1 << 20)
    monkeypatch.setattr(saved, "LARGEST_VOCABULARY", 3)
    with pytest.raises(ModelFileError, match="1 to 3 tokens"):
        Tokenizer.from_json(text)


def test_unknown_words_have_ids_of_their_own() -> None:
    tokenizer = Tokenizer.train(["a good film", "a good book"], min_count=2)
    assert tokenizer.vocabulary == ["<unk>", "a", "good"]
    texts = ["A goodish Film!", "", "a :-( good film, a"]
    for _ in range(2):  # the second time from memory
        ids, words = tokenizer.encode_open(texts)
        assert words == ["goodish", "film", "!", ":-(", ","]
        assert [row.tolist() for row in ids] == [[1, 3, 4, 5], [], [1, 6, 2, 4, 7, 1]]
        assert tokenizer.encode(texts).values.tolist() == [1, 0, 0, 0, 1, 0, 2, 0, 0, 1]


def test_characters_that_are_not_known_stay_unknown() -> None:
    tokenizer = Tokenizer.train(["aab"], level="char", min_count=2)
    ids, words = tokenizer.encode_open(["abc"])
    assert (ids.values.tolist(), words) == ([1, 0, 0], [])
