"""Which pairs are learned from, which are left out and told, and which are held out."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gatewise.errors import DataError
from gatewise.ragged import Ragged
from gatewise.tasks.seq2seq.options import Seq2SeqTraining
from gatewise.tasks.seq2seq.pairs import Pairs, fitting, held_out, swapped, whole_pairs


def rows_of(*lengths: int) -> Ragged:
    return Ragged.from_rows([[1] * length for length in lengths])


def test_pairs_with_an_empty_side_are_told_with_their_rows() -> None:
    warnings: list[str] = []
    pairs = Pairs.of(["a", " ", "c", "\u2003", "e"], ["x", "y", "", "", "z"])
    whole = whole_pairs(pairs, warnings)
    assert (whole.sources, whole.targets, whole.rows.tolist()) == (["a", "e"], ["x", "z"], [1, 5])
    assert warnings == ["3 pairs have an empty side and are left out: rows 2, 3, 4."]
    with pytest.raises(DataError, match="There are no pairs of texts to learn from"):
        whole_pairs(Pairs.of([""], ["a"]), [])
    with pytest.raises(DataError, match="There are 2 texts, but 1 targets"):
        Pairs.of(["a", "b"], ["x"])
    with pytest.raises(DataError, match="row 2 is None"):
        Pairs.of(["a", None], ["x", "y"])  # type: ignore[list-item]


def test_long_pairs_and_wild_ratios_are_told_with_their_rows() -> None:
    warnings: list[str] = []
    training = Seq2SeqTraining(max_length=20, max_ratio=4)
    sources = rows_of(2, 21, 22, 2, 2, 9, 1, 22)
    targets = rows_of(2, 21, 2, 8, 9, 2, 1, 22)
    pairs = Pairs.of([*"abcdefgh"], [*"abcdefgh"]).take(np.arange(8))
    kept = fitting(pairs, sources, targets, training, warnings)
    assert kept.tolist() == [0, 1, 3, 6]
    assert warnings == [
        "2 pairs have a text of more than 20 tokens (max_length) and are left out: rows 3, 8.",
        "2 pairs have a text more than 4 times as long as the other (max_ratio) and are left "
        "out: rows 5, 6.",
    ]
    with pytest.raises(DataError, match=r"No pair is left to learn from\. 1 pair has a text of"):
        fitting(pairs.take(np.array([2])), rows_of(22), rows_of(2), training, [])


def test_pairs_of_the_same_source_are_held_out_together() -> None:
    sources = [f"text {number % 50}" for number in range(200)]
    pairs = Pairs.of(sources, [f"answer {number}" for number in range(200)])
    train, dev = held_out(pairs, Seq2SeqTraining(dev_share=0.2, seed=3))
    assert len(dev) == 40
    assert not set(train.sources) & set(dev.sources)
    assert sorted([*train.rows.tolist(), *dev.rows.tolist()]) == [*range(1, 201)]
    assert all(
        re.fullmatch(f"answer {row - 1}", t) for row, t in zip(dev.rows, dev.targets, strict=True)
    )
    whole, none = held_out(pairs, Seq2SeqTraining(dev_share=0))
    assert (len(whole), len(none)) == (200, 0)


def test_one_source_is_too_few_to_hold_any_out() -> None:
    warnings: list[str] = []
    pairs = whole_pairs(Pairs.of(["a", "a", ""], ["b", "c", "d"]), warnings)
    with pytest.raises(DataError, match=r"2 different sources .* dev_share to 0\. 1 pair has an"):
        held_out(pairs, Seq2SeqTraining(), warnings)


def test_dev_pairs_the_other_way_round_are_noticed() -> None:
    train = Pairs.of(["the dog runs", "a cat"] * 9, ["der hund läuft", "eine katze"] * 9)
    dev = Pairs.of(["the cat", "a dog runs"], ["die katze", "ein hund"])
    back = Pairs.of(dev.targets, dev.sources)
    assert swapped(train, dev) is None
    told = swapped(train, back)
    assert told is not None
    assert told.startswith("The dev pairs seem to be the other way round")
    assert swapped(Pairs.of(train.sources, train.sources), dev) is None
