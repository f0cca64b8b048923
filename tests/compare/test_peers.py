"""Peers: each against a plain computation, a text at a time; padding never changes an answer."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gatewise import TextClassifier
from gatewise.compare.contestants import CONTESTANTS
from gatewise.compare.learning import Arena, _peer
from gatewise.compare.peers import PEERS, Convolutions, PeerNetwork, Transformer, padded, positions
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.tasks.classify.scoring import probabilities

WORDS = ["red", "blue", "green", "dull", "odd", "vast", "tiny"]
LENGTHS = [3, 0, 1, 9, 2]


def batch(size: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    offsets = torch.tensor([0, *np.cumsum(LENGTHS)])
    return torch.randn(int(offsets[-1]), size), offsets


def arena(**options: Any) -> Arena:
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(WORDS, random.integers(1, 9))) for _ in range(60)]
    labels = ["a" if "red" in text else "b" for text in texts]
    common = {"embedding_size": 8, "hidden_size": 6, "subwords": 50, "min_count": 1} | options
    training = ClassifierTraining(epochs=2, threads=1, quiet=True)
    train = texts[:40], labels[:40]
    test = ["red unheard", *texts[50:]], ["a", *labels[50:]]
    return Arena(TextClassifier(**common), train, (texts[40:50], labels[40:50]), test, training)


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("size", [8, 6, 7])
def test_a_text_has_the_same_states_alone_and_beside_others(name: str, size: int) -> None:
    values, offsets = batch(size)
    torch.manual_seed(0)
    middle = PEERS[name](size, 5, 0.3).eval()
    together = middle(values, offsets)
    assert together.shape == (15, middle.size)
    for start, stop in pairwise(offsets.tolist()):
        alone = middle(values[start:stop], torch.tensor([0, stop - start]))
        torch.testing.assert_close(alone, together[start:stop])


def test_the_cnn_slides_its_filters_over_every_text() -> None:
    values, offsets = batch(4)
    cnn = Convolutions(4, 5, 0.0)
    found = cnn(values, offsets)
    for start, stop in pairwise(offsets.tolist()):
        for place in range(stop - start):
            expected = []
            for width, conv in zip((3, 4, 5), cnn.filters, strict=True):
                assert isinstance(conv, nn.Conv1d)
                assert conv.bias is not None
                window = torch.zeros(width, 4)
                for step in range(width):
                    other = place + step - (width - 1) // 2
                    if 0 <= other < stop - start:
                        window[step] = values[start + other]
                expected.append((conv.weight * window.T).sum(dim=(1, 2)) + conv.bias)
            torch.testing.assert_close(found[start + place], torch.cat(expected).relu())


def test_the_transformer_is_torch_s_encoder_of_one_text() -> None:
    values, offsets = batch(8)
    own = Transformer(8, 5, 0.0).eval()
    found = own(values, offsets)
    layer = nn.TransformerEncoderLayer(8, 4, 32, 0.0, batch_first=True, norm_first=True)
    torchs = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(8), enable_nested_tensor=False)
    torchs.load_state_dict(own.state_dict())
    torchs.eval()
    for start, stop in pairwise(offsets.tolist()):
        if start < stop:
            text = values[start:stop] * math.sqrt(8) + positions(stop - start, 8)
            torch.testing.assert_close(torchs(text[None])[0], found[start:stop])


def test_positions_are_those_of_the_paper() -> None:
    for size in (6, 7):
        table = positions(5, size)
        for place in range(5):
            for i in range(size):
                angle = place / 10_000 ** (2 * (i // 2) / size)
                expected = math.cos(angle) if i % 2 else math.sin(angle)
                assert table[place, i].item() == pytest.approx(expected, abs=1e-5)


def test_padding_is_taken_away_again() -> None:
    values, offsets = batch(3)
    texts, real = padded(values, offsets)
    assert texts.shape == (5, 9, 3)
    assert real.sum(dim=1).tolist() == LENGTHS
    assert torch.equal(texts[real], values)
    assert not texts[~real].any()


@pytest.mark.parametrize("name", PEERS)
def test_an_empty_text_leaves_every_gradient_a_number(name: str) -> None:
    network = PeerNetwork(name, arena().prepared)
    scores = network(torch.tensor([1, 2, 3], dtype=torch.int32), torch.tensor([0, 2, 2, 3]))
    (scores * torch.randn(3, 2)).sum().backward()
    for parameter in network.parameters():
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("subwords", [50, 0])
def test_what_was_trained_is_what_answers(name: str, subwords: int) -> None:
    made = arena(subwords=subwords)
    contestant = next(c for c in CONTESTANTS if c.name == name)
    trained: list[PeerNetwork] = []

    class Kept(PeerNetwork):
        def loss(self, batch: Any) -> Tensor:
            trained[:] = [self]
            return super().loss(batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gatewise.compare.learning.PeerNetwork", Kept)
        asked, size = _peer(contestant, made.prepared)
    network = trained[0]
    assert size > 4 * sum(parameter.numel() for parameter in network.parameters())
    dev = made.prepared.dev_rows.texts
    together = asked(dev)
    for place, text in enumerate(dev):
        np.testing.assert_allclose(asked([text])[0], together[place], atol=1e-5)
    unknown = asked(["red unheard", "red other"])
    assert np.allclose(unknown[0], unknown[1], atol=1e-6) == (
        subwords == 0
    )  # pieces tell words apart
    # Ids of dev words as training saw them say the same.
    network.embedding.know(_empty(len(made.prepared.tokenizer) + len(made.prepared.unknown)))
    expected = probabilities(network, made.prepared.dev_ids, made.labels)
    np.testing.assert_allclose(together, expected, atol=1e-5)


def _empty(rows: int) -> Any:
    from gatewise.ragged import Ragged

    return Ragged(np.empty(0, np.int64), np.zeros(rows + 1, np.int64))
