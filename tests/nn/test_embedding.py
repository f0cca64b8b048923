from __future__ import annotations

import numpy as np
import torch

from gatewise.nn.embedding import WordEmbedding
from gatewise.ragged import Ragged

GRAMS = Ragged.from_rows([[], [0, 2], [1], [], [2, 3, 4], [0]], np.int64)


def embedding(dropout: float = 0.0) -> WordEmbedding:
    torch.manual_seed(0)
    made = WordEmbedding(vocabulary_size=4, size=3, buckets=5, dropout=dropout)
    made.know(GRAMS)
    return made


def expected(made: WordEmbedding, word: int) -> torch.Tensor:
    assert made.subwords is not None
    own = made.weight[word if word < 4 else 0]
    grams = made.subwords[torch.from_numpy(GRAMS[word])]
    return own + (grams.mean(dim=0) if len(grams) else 0)


def test_a_vector_is_its_own_part_and_the_mean_of_its_pieces() -> None:
    made = embedding()
    ids = torch.tensor([5, 1, 3, 1, 4, 0], dtype=torch.int32)
    found = made(ids)
    for vector, word in zip(found, ids.tolist(), strict=True):
        torch.testing.assert_close(vector, expected(made, word))
    torch.testing.assert_close(made.folded(), torch.stack([expected(made, w) for w in range(4)]))


def test_gradients_reach_words_and_pieces() -> None:
    made = embedding().double()
    ids = torch.tensor([5, 1, 1, 4])
    weight, subwords = made.weight, made.subwords
    assert subwords is not None
    upstream = torch.randn(4, 3, dtype=torch.float64)
    (made(ids) * upstream).sum().backward()
    got = weight.grad, subwords.grad
    weight.grad = subwords.grad = None
    plain = torch.stack([expected(made, int(word)) for word in ids])
    (plain * upstream).sum().backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(got[0], weight.grad)
    torch.testing.assert_close(got[1], subwords.grad)


def test_dropout_takes_words_but_never_pieces() -> None:
    made = embedding(dropout=0.5).train()
    ids = torch.tensor([1, 1, 2, 5])
    kept = 0
    for _ in range(200):
        found = made(ids)
        assert torch.equal(found[0], found[1])  # the same word, dropped or not
        pieces = expected(made, 1) - made.weight[1]
        own = found[0] - pieces
        dropped = own.abs().max() < 1e-6
        if not dropped:
            torch.testing.assert_close(own, 2 * made.weight[1], rtol=1e-4, atol=1e-5)
        kept += not dropped
    assert 70 < kept < 130  # four standard errors around a half


def test_pretrained_vectors_take_the_type_of_the_weights() -> None:
    made = embedding().double()
    before = made.weight.detach().clone()
    found = np.array([False, True, False, True])
    made.take_vectors(np.ones((4, 3), np.float32), found)
    assert (made.weight[1] == 1).all()
    assert torch.equal(made.weight[[0, 2]], before[[0, 2]])


def test_words_that_are_left_out_may_be_read_as_unknown_ones() -> None:
    made = WordEmbedding(vocabulary_size=4, size=3, buckets=5, dropout=0.5, as_unknown=True)
    made.know(GRAMS)
    ids = torch.tensor([1, 1, 2, 5])
    assert made.subwords is not None
    unknown = made.weight[0] + made.subwords[[0, 2]].mean(dim=0)
    kept = 0
    for _ in range(200):
        found = made(ids)
        assert torch.equal(found[0], found[1])
        whole = torch.allclose(found[0], expected(made, 1))
        assert whole or torch.allclose(found[0], unknown)  # never scaled
        torch.testing.assert_close(found[3], expected(made, 5))
        kept += whole
    assert 60 < kept < 140
    made.weight.grad = None
    made(ids).sum().backward()
    assert made.weight.grad is not None
    assert made.weight.grad[0].any()
    torch.testing.assert_close(made.eval()(ids)[2], expected(made, 2))
