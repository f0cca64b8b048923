from __future__ import annotations

import numpy as np
import pytest

from gatewise.baselines import linear

EVEN = np.ones(200, np.float32)


def test_it_learns_words_and_pairs() -> None:
    texts = ["not good", "good", "not bad", "bad"] * 50
    targets = np.array([0, 1, 1, 0] * 50)
    found = linear(texts, targets, EVEN, ["not good", "good", "not bad", "bad"])
    assert found.argmax(axis=1).tolist() == [0, 1, 1, 0]
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_many_labels_have_a_model_each() -> None:
    texts = ["red blue", "blue", "red", "grey"] * 50
    targets = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]] * 50)
    found = linear(texts, targets, EVEN, texts[:4])
    np.testing.assert_array_equal(found > 0.5, targets[:4] > 0)
    assert (found[:, 2] == 0).all()  # a label that never holds


def test_weights_count() -> None:
    texts, targets = ["word"] * 200, np.array([0, 1] * 100)
    weights = np.where(targets == 1, 4, 1).astype(np.float32)
    assert linear(texts, targets, weights, ["word"])[0, 1] == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(
    "texts", [["a", "b"] * 100, [f"only{i}" for i in range(200)], ["", "!"] * 100]
)
def test_texts_without_words_to_share_are_no_error(texts: list[str]) -> None:
    found = linear(texts, np.array([0, 1] * 100), EVEN, ["a", "only3", ""])
    assert found.shape == (3, 2)
    assert np.isfinite(found).all()


def test_targets_of_one_label_are_answered_with_it() -> None:
    found = linear(["a word"] * 200, np.ones(200, int), EVEN, ["another"])
    assert found.tolist() == [[0.0, 1.0]]
