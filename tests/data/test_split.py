"""The split: every label on both sides, equal texts on one, the same again for the same seed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data.split import split, text_key
from gatewise.errors import DataError

TEXTS = [f"text {row}" for row in range(1000)]
LABELS = ["common"] * 700 + ["middle"] * 250 + ["rare"] * 50


def test_shares_are_kept_for_every_label() -> None:
    train, dev = split(TEXTS, LABELS, share=0.1, seed=3)
    assert Counter(LABELS[row] for row in dev) == {"common": 70, "middle": 25, "rare": 5}
    assert sorted([*train, *dev]) == list(range(1000))
    assert train.dtype == dev.dtype == np.int64
    assert (np.diff(train) > 0).all()
    assert (np.diff(dev) > 0).all()


def test_the_seed_decides() -> None:
    first, again, other = (split(TEXTS, LABELS, seed=seed)[1].tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_equal_texts_stay_together() -> None:
    texts = [*TEXTS[:200], *(text.upper() + " " for text in TEXTS[:200]), *TEXTS[200:]]
    labels = [*LABELS[:200], *LABELS[:200], *LABELS[200:]]
    train, dev = split(texts, labels, share=0.2, seed=0)
    assert not {text_key(texts[row]) for row in train} & {text_key(texts[row]) for row in dev}
    assert abs(len(dev) - 240) <= 3


def test_a_text_that_stands_there_often_does_not_fill_the_dev_rows() -> None:
    texts = ["spam"] * 500 + TEXTS[:500]
    for seed in range(20):
        _, dev = split(texts, ["x"] * 500 + ["y"] * 250 + ["x"] * 250, seed=seed)
        assert len({texts[row] for row in dev}) > 50


def test_tiny_data() -> None:
    labels = ["a"] * 5 + ["b"] * 5 + ["once"]
    train, dev = split(TEXTS[:11], labels)
    assert Counter(labels[row] for row in dev) == {"a": 1, "b": 1}
    assert 10 in train
    for count in range(2, 9):
        train, dev = split(TEXTS[:count], ["a"] * count)
        assert len(dev) == 1
        assert len(train) == count - 1
    train, dev = split(["x", "y"], ["a", "b"])
    assert len(train) == len(dev) == 1


def test_a_label_whose_texts_all_stand_there_twice_has_dev_rows() -> None:
    texts = [f"text {row // 2}" for row in range(10)] + TEXTS[10:100]
    labels = ["twice"] * 10 + ["common"] * 90
    for seed in range(20):
        _, dev = split(texts, labels, share=0.1, seed=seed)
        assert Counter(labels[row] for row in dev) == {"twice": 2, "common": 9}
    uneven = ["a"] * 9 + ["b"] * 7 + ["c"] * 5 + ["d"] * 3 + ["e"] * 4 + TEXTS[:10]
    _, dev = split(uneven, ["often"] * 28 + ["other"] * 10, share=0.01, seed=0)
    assert {uneven[row] for row in dev if row < 28} == {"d"}


def test_many_small_labels_share_the_dev_rows() -> None:
    labels = [str(row // 4) for row in range(1000)]
    _, dev = split(TEXTS, labels, share=0.1, seed=0)
    assert len(dev) == 100
    assert max(Counter(labels[row] for row in dev).values()) == 1


def test_several_labels_a_row() -> None:
    sets = [{"joy", "rare"} if row % 50 == 0 else {"joy"} for row in range(1000)]
    train, dev = split(TEXTS, sets, share=0.1, seed=0)
    assert sum("rare" in sets[row] for row in dev) == 2
    matrix = np.array([["rare" in labels, "joy" in labels] for labels in sets], int)
    again = split(TEXTS, matrix, share=0.1, seed=0)
    assert again[0].tolist() == train.tolist()
    assert again[1].tolist() == dev.tolist()
    assert len(split(TEXTS, [() for _ in TEXTS])[1]) == 100


def test_arrays_of_labels() -> None:
    numbers = np.array([0] * 700 + [1] * 250 + [2] * 50)
    assert split(TEXTS, numbers, seed=5)[1].tolist() == split(TEXTS, LABELS, seed=5)[1].tolist()


def test_what_cannot_be_split() -> None:
    with pytest.raises(DataError, match="There are 2 texts, but 1 labels"):
        split(["a", "b"], ["x"])
    with pytest.raises(DataError, match=r"At least 2 different texts .* Got 1\."):
        split(["a", "A "], ["x", "y"])
    for share in (0, 1, -0.1, float("nan")):
        with pytest.raises(DataError, match="above 0 and below 1"):
            split(["a", "b"], ["x", "y"], share=share)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("aAbcdefgh"), st.sampled_from("xyz")), min_size=2, max_size=60
    ),
    st.floats(0.01, 0.9),
    st.integers(0, 5),
)
def test_every_split_is_sound(rows: list[tuple[str, str]], share: float, seed: int) -> None:
    texts, labels = [row[0] for row in rows], [row[1] for row in rows]
    if len({text_key(text) for text in texts}) < 2:
        return
    train, dev = split(texts, labels, share=share, seed=seed)
    assert sorted([*train, *dev]) == list(range(len(rows)))
    assert len(train) > 0
    assert len(dev) > 0
    assert not {texts[row].lower() for row in train} & {texts[row].lower() for row in dev}
