from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch

from gatewise.nn.pairs import PairScores
from gatewise.ragged import Ragged
from gatewise.text.pairs import SCALE, pair_buckets, pair_scores, rarity, weighed

RANDOM = np.random.default_rng(0)


def texts(rows: int) -> Ragged:
    drawn = [RANDOM.integers(0, 12, RANDOM.integers(0, 9)) for _ in range(rows)]
    return Ragged.from_rows([*drawn, [], [3]], np.int32)


def test_features_are_the_different_tokens_and_neighbours_of_each_text() -> None:
    ids = texts(50)
    many = 2**24  # so many that two features hardly share one
    rows = pair_buckets(ids, 10, many)
    names: dict[tuple[int, ...], int] = {}
    for row, buckets in zip(ids, rows, strict=True):
        known = [0 if token >= 10 else int(token) for token in row]
        features = {(a,) for a in known} | set(pairwise(known))
        assert len(features) == len(set(buckets.tolist())) == len(buckets)
        alone = pair_buckets(Ragged.from_rows([row], np.int32), 10, many)
        assert alone.values.tolist() == buckets.tolist()
        if len(known) == 1:
            names[(known[0],)] = int(buckets[0])
    assert names[(3,)] in pair_buckets(Ragged.from_rows([[1, 3]], np.int32), 10, many).values
    one, other = pair_buckets(Ragged.from_rows([[1, 2], [2, 1]], np.int32), 10, many)
    assert len(set(one) & set(other)) == 2  # the tokens, not the pairs


def test_weights_are_inverse_document_frequencies_of_length_one() -> None:
    rows = pair_buckets(texts(40), 10, 64)
    counts = np.zeros(64)
    for row in rows:
        counts[row] += 1
    expected = 1 + np.log((1 + len(rows)) / (1 + counts))
    np.testing.assert_allclose(rarity(rows, 64), expected, rtol=1e-6)
    features = Ragged(weighed(rows, rarity(rows, 64)), rows.offsets)
    for row, weights in zip(rows, features, strict=True):
        if len(row):
            raw = expected[row]
            np.testing.assert_allclose(weights, raw / np.sqrt((raw**2).sum()), rtol=1e-5)


def test_torch_and_numpy_give_the_same_scores() -> None:
    ids = texts(40)
    counts = rarity(pair_buckets(ids, 10, 64), 64)
    layer = PairScores(64, 3, 10, counts)
    with torch.no_grad():
        layer.weight.normal_()
        layer.bias.normal_()
        trained = layer(torch.from_numpy(ids.values), torch.from_numpy(ids.offsets)).numpy()
        weight, bias = layer.weight.numpy(), layer.bias.numpy()
    found = pair_scores(ids, 10, weight, bias, counts)
    np.testing.assert_allclose(found, trained, rtol=1e-5, atol=1e-5)
    buckets = pair_buckets(ids, 10, 64)
    features = Ragged(weighed(buckets, counts), buckets.offsets)
    for row, weights, scores in zip(buckets, features, found, strict=True):
        np.testing.assert_allclose(
            scores, bias + SCALE * weights @ weight[row], rtol=1e-4, atol=1e-5
        )


def test_texts_without_tokens_get_the_bias() -> None:
    weight, bias = np.ones((64, 3), np.float32), np.array([1, 2, 3], np.float32)
    batches: list[list[list[int]]] = [[], [[]], [[], []], [[], [4, 4], []]]
    for rows in batches:
        ids = Ragged.from_rows(rows, np.int32)
        buckets = pair_buckets(ids, 10, 64)
        assert (buckets.lengths > 0).tolist() == [bool(row) for row in rows]
        found = pair_scores(ids, 10, weight, bias, np.ones(64, np.float32))
        assert found.shape == (len(rows), 3)
        assert all((found[i] == bias).all() for i, row in enumerate(rows) if not row)


def test_a_text_alone_has_the_same_scores_to_the_bit_as_in_a_batch() -> None:
    ids = Ragged.from_rows([RANDOM.integers(0, 99, n) for n in (0, 30, 1, 0, 400, 7)], np.int32)
    weight, bias = RANDOM.normal(size=(64, 5)).astype(np.float32), np.ones(5, np.float32)
    counts = rarity(pair_buckets(ids, 90, 64), 64)
    together = pair_scores(ids, 90, weight, bias, counts)
    assert len(np.unique(together)) > 20
    for row, scores in zip(ids, together, strict=True):
        alone = pair_scores(Ragged(row, np.array([0, len(row)])), 90, weight, bias, counts)
        np.testing.assert_array_equal(alone[0], scores)
