from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from gatewise.text.subwords import LONGEST_WORD, subword_buckets


def test_the_pieces_of_a_word_are_its_character_n_grams_with_borders() -> None:
    pieces = ["<ca", "cat", "at>", "<cat", "cat>", "<cat>"]
    expected = sorted({zlib.crc32(piece.encode("utf-32-le")) % 1000 for piece in pieces})
    assert subword_buckets(["cat"], 1000)[0].tolist() == expected


def test_short_words_and_no_word() -> None:
    rows = subword_buckets(["a", ""], 1000)
    assert rows.lengths.tolist() == [1, 0]


def test_words_that_share_a_part_share_pieces() -> None:
    one, other, third = (
        set(row.tolist()) for row in subword_buckets(["wonderful", "wonderfully", "xkcd"], 100_000)
    )
    assert len(one & other) > len(one) / 2
    assert not one & third


@given(st.text(max_size=100), st.integers(1, 100))
def test_any_word_has_bounded_pieces(word: str, buckets: int) -> None:
    (row,) = subword_buckets([word], buckets)
    assert len(row) <= 3 * (LONGEST_WORD + 2)
    assert all(0 <= bucket < buckets for bucket in row)
