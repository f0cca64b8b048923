"""Sequences as models of Keras read them: cut, padded, kept and refused."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import numpy as np
import pytest

from gatewise.errors import ModelFileError
from gatewise.text.sequences import Sequences, Side
from gatewise.text.tokenizer import Tokenizer

SIDES: tuple[Side, ...] = ("pre", "post")
VOCABULARY = ["<unk>", "a", "b", "c", "<no word>"]


def tokenizer(**changes: Any) -> Tokenizer:
    chosen = {"filters": ".!]-^", "unknown": False, "length": 5, "truncating": "pre", "pad": 4}
    sequences = Sequences(**{**chosen, "padding": "pre", **changes})
    return Tokenizer("whitespace", True, VOCABULARY, [], sequences)


def test_rows_are_what_one_would_write_by_hand() -> None:
    random = np.random.default_rng(0)
    for padding, truncating, unknown in product(SIDES, SIDES, (False, True)):
        made = tokenizer(padding=padding, truncating=truncating, unknown=unknown)
        rows = [random.integers(0, 4, size).tolist() for size in (*range(8), 20)]
        texts = [" ".join("xabc"[number] for number in row) for row in rows]
        for row, text, found in zip(rows, texts, made.encode(texts), strict=True):
            wanted = [number for number in row if number or unknown]
            wanted = wanted[-5:] if truncating == "pre" else wanted[:5]
            fill = [4] * (5 - len(wanted))
            wanted = fill + wanted if padding == "pre" else wanted + fill
            assert found.tolist() == wanted
            tokens = made.tokens(text)
            assert [token.id for token in tokens] == wanted
            assert all(
                token.text == (text[token.start : token.stop] or "<no word>") for token in tokens
            )
            starts = [token.start for token in tokens]
            assert starts == sorted(starts)


def test_filters_and_spaces_alone_end_a_word() -> None:
    made = tokenizer(length=None, pad=None, unknown=True)
    found = made.encode(["A.b!x^C", "]-", "a\tb \u00a0c  c"])
    assert [row.tolist() for row in found] == [[1, 2, 0, 3], [], [0, 0, 3]]
    # One capital letter becomes two characters here, and the last sigma is another one.
    odd = Tokenizer(
        "whitespace", True, ["<unk>", "i\u0307s", "ὁδός", "<no word>"], [], made.sequences
    )
    tokens = odd.tokens("İS ὉΔΌΣ!")
    assert [(token.text, token.id, token.start, token.stop) for token in tokens] == [
        ("İS", 1, 0, 2),
        ("ὉΔΌΣ", 2, 3, 7),
    ]


def test_what_is_saved_is_read_again() -> None:
    made = tokenizer()
    again = Tokenizer.from_json(made.to_json())
    assert (again.sequences, again.to_json()) == (made.sequences, made.to_json())
    assert again.encode(["a x b"]).values.tolist() == [4, 4, 4, 1, 2]
    assert again.extended(["new new words"], min_count=2) is again


@pytest.mark.parametrize(
    "changes",
    [
        {"filters": 3},
        {"filters": "." * 201},
        {"filters": "\ud800"},
        {"unknown": 1},
        {"length": 0},
        {"length": True},
        {"length": 10**9},
        {"length": 2.0},
        {"length": None},
        {"truncating": "left"},
        {"padding": []},
        {"pad": 5},
        {"pad": 0},
        {"pad": -1},
        {"more": 1},
    ],
)
def test_a_damaged_one_is_refused(changes: dict[str, Any]) -> None:
    document = json.loads(tokenizer().to_json())
    document["sequences"] |= changes
    with pytest.raises(ModelFileError, match=r"tokenizer\.json cannot be used"):
        Tokenizer.from_json(json.dumps(document))


def test_only_whitespace_goes_with_sequences() -> None:
    document = json.loads(tokenizer().to_json())
    document["tokenizer"] = json.loads(Tokenizer("char", True, VOCABULARY, []).to_json())
    with pytest.raises(ModelFileError, match="what it says of sequences"):
        Tokenizer.from_json(json.dumps(document))


@pytest.mark.parametrize("sequences", [None, [], "x", {}, {"filters": ""}])
def test_a_part_of_one_is_refused(sequences: Any) -> None:
    document = json.loads(tokenizer().to_json())
    with pytest.raises(ModelFileError, match="what it says of sequences"):
        Tokenizer.from_json(json.dumps(document | {"sequences": sequences}))
    with pytest.raises(ModelFileError, match="has no 'model'"):
        Tokenizer.from_json(json.dumps(document | {"tokenizer": sequences}))
