from __future__ import annotations

import gc
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatewise.errors import DataError
from gatewise.tasks.language import corpus as corpus_module
from gatewise.tasks.language.corpus import Corpus, count_before, divided, lines
from gatewise.text.tokenizer import Tokenizer

TEXTS = ["the cat sat", "", "a dog , the cat", "odd", "the the", "\ud800 \0", "sat a dog ."]


def tokenizer(level: Any = "word") -> Tokenizer:
    return Tokenizer.train(TEXTS[:5], level=level, lowercase=False, max_vocabulary=99, min_count=1)


@pytest.mark.parametrize("block", [1, 2, 3, 7, 4096])
@pytest.mark.parametrize("level", ["word", "whitespace", "bpe", "char"])
def test_ids_are_those_of_the_texts_with_an_end_behind_each(
    block: int, level: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_module, "BLOCK", block)
    known = tokenizer(level)
    corpus = Corpus.encode(iter(TEXTS), known)
    wanted: list[int] = []
    for text in TEXTS:
        wanted += [*known.encode([text]).values.tolist(), len(known)]
    assert corpus.ids.tolist() == wanted
    assert corpus.ids.dtype == np.int32
    assert corpus.texts == len(TEXTS)
    counted = Counter(wanted)
    assert corpus.counts.tolist() == [counted[id] for id in range(len(known) + 1)]
    assert corpus.counts[len(known)] == len(TEXTS)


def test_equal_texts_have_an_equal_fingerprint() -> None:
    known = tokenizer()
    one, again, other = (
        Corpus.encode(texts, known).fingerprint for texts in (TEXTS, tuple(TEXTS), TEXTS[1:])
    )
    assert one == again != other
    assert len(one) == 16
    assert Corpus.encode(["a", "b"], known).fingerprint != Corpus.encode(["a b"], known).fingerprint


def test_no_file_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    corpus = Corpus.encode(TEXTS, tokenizer())
    assert isinstance(corpus.ids, np.memmap)
    assert not list(tmp_path.iterdir())
    gc.collect()
    assert corpus.ids.sum() > 0  # it lives on without a name
    with pytest.raises(ValueError, match="read-only"):
        corpus.ids[0] = 1


def test_texts_are_taken_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_module, "BLOCK", 3)
    known, ahead, most = tokenizer(), 0, 0

    def texts() -> Iterator[str]:
        nonlocal ahead, most
        for _ in range(20):
            ahead += 1
            most = max(most, ahead)
            yield "the cat"

    class Counted:
        def encode(self, block: list[str]) -> Any:
            nonlocal ahead
            ahead -= len(block)
            return known.encode(block)

        def __len__(self) -> int:
            return len(known)

    counted: Any = Counted()
    assert Corpus.encode(texts(), counted).texts == 20
    assert most == 3


def test_no_texts_are_no_corpus() -> None:
    with pytest.raises(DataError, match="no texts"):
        Corpus.encode([], tokenizer())


def test_every_line_of_joined_texts_is_a_text() -> None:
    texts = ["a\nb", "c\n", "\n", "", "d\r\ne", "\n\nf"]
    assert list(lines(texts, joined=False)) == texts
    assert list(lines(texts, joined=True)) == ["a", "b", "c", "", "", "d\r", "e", "", "", "f"]
    with pytest.raises(DataError, match="put it in brackets"):
        list(lines("text", joined=True))
    odd: Any = ["a", b"b"]
    with pytest.raises(DataError, match=r"Text 1 is b'b'\."):
        list(lines(odd, joined=False))


@pytest.mark.parametrize(
    ("lengths", "share", "kept"),
    [
        ([9] * 10, 0.1, 9),
        ([9] * 10, 0.09, 9),
        ([9] * 10, 0.14, 9),
        ([9] * 10, 0.16, 8),
        ([9] * 10, 0.0, 10),
        ([9, 9], 0.5, 1),
        ([9, 9], 0.01, 1),
        ([4, 9, 4], 0.25, 2),
        ([4, 9, 4], 0.26, 2),
        ([0, 0, 0, 0], 0.5, 2),
        ([1], 0.0, 1),
    ],
)
def test_the_last_share_of_the_characters_is_held_out(
    lengths: list[int], share: float, kept: int
) -> None:
    texts = [chr(97 + number) * length for number, length in enumerate(lengths)]
    assert count_before(texts, share, joined=False) == (kept, len(texts))
    held = sum(map(len, texts[kept:])) + len(texts) - kept
    whole = sum(map(len, texts)) + len(texts)
    # No other place comes nearer to the share.
    for other in range(1, len(texts)) if share else ():
        left = sum(map(len, texts[other:])) + len(texts) - other
        assert abs(held - share * whole) <= abs(left - share * whole) + 1e-9
    first, others = divided(texts, kept)
    assert (list(first), list(others)) == (texts[:kept], texts[kept:])


def test_lines_are_counted_where_texts_are_joined() -> None:
    assert count_before(["a\nb", "c\nd\n"], 0.5, joined=True) == (2, 4)
    assert count_before(["a\nb", "c\nd\n"], 0.5, joined=False) == (1, 2)


@pytest.mark.parametrize("texts", [["a"], [""]])
def test_what_cannot_be_held_out_is_told(texts: list[str]) -> None:
    with pytest.raises(DataError, match=r"^The last 50% of 1 text cannot be held out: "):
        count_before(texts, 0.5, joined=False)
    assert count_before(texts, 0.0, joined=False) == (len(texts), len(texts))


def test_one_long_text_at_the_end_is_not_held_out_in_silence() -> None:
    with pytest.raises(DataError, match=r"^The last 5% of 11 texts cannot be held out: "):
        count_before(["a" * 20] * 10 + ["b" * 8000], 0.05, joined=False)
    assert count_before(["a" * 20] * 10 + ["b" * 20], 0.05, joined=False) == (10, 11)
