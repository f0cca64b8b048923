"""The torch network beside the answering side, and states carried from window to window."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from gatewise.nn.encoder import Encoder
from gatewise.tasks.language.corpus import Corpus
from gatewise.tasks.language.fit import Reader
from gatewise.tasks.language.network import LanguageNetwork
from gatewise.tasks.language.task import LanguageModel
from gatewise.tasks.language.windows import Window, Windows
from language_cases import TEXTS, end, ids_of, made, plain_log_probabilities

KINDS: list[dict[str, Any]] = [
    {},
    {"cell": "gru", "num_layers": 2},
    {"cell": "rnn", "hidden_size": 7},
    {"tied": False},
    {"tied": False, "hidden_size": 7, "num_layers": 2},
    {"bidirectional": True},
    {"bidirectional": True, "cell": "gru", "tied": False},
    {"bidirectional": True, "cell": "rnn", "hidden_size": 7},
]
FORWARD = [given for given in KINDS if "bidirectional" not in given]
SOME = TEXTS * 3


def network_of(model: LanguageModel, samples: int = 0) -> LanguageNetwork:
    """The torch network with the weights of a model, without dropout."""
    encoder = Encoder(model.shape(len(model.tokenizer_)))
    counts = Corpus.encode(TEXTS, model.tokenizer_).counts
    network = LanguageNetwork(encoder, tied=model.tied, counts=counts, samples=samples, dropout=0.0)
    assert {name.removeprefix("encoder.") for name in network.state_dict()} == {*model.weights_}
    network.take(model.weights_)
    return network.eval()


def windows_of(model: LanguageModel, columns: int, bptt: int) -> Windows:
    apart = model.documents == "apart"
    corpus = Corpus.encode(SOME, model.tokenizer_)
    return Windows(corpus.ids, columns, bptt, end(model) if apart else None)


def forward_half(network: LanguageNetwork, windows: list[Window], columns: int) -> Tensor:
    """Outputs of the layers that read forwards, over windows read in turn: (C, T, E)."""
    reader, found = Reader(network), []
    for window in windows:
        vectors = functional.embedding(
            torch.from_numpy(window.ids), network.encoder.embedding.weight
        )
        outputs, states = network._outputs(vectors, window, reader._start(window))
        reader._keep(window, states)
        found.append(outputs[: window.tokens].reshape(columns, -1, outputs.shape[1]))
    return torch.cat(found, dim=1)


@pytest.mark.parametrize("given", KINDS)
@pytest.mark.parametrize("documents", ["joined", "apart"])
@pytest.mark.parametrize("columns", [1, 3])
def test_windows_read_in_turn_are_as_one_long_window(
    given: dict[str, Any], documents: str, columns: int
) -> None:
    model = made(documents=documents, **given)
    network, windows = network_of(model), windows_of(model, columns, 8)
    lengths = [4, 1, 9, windows.height - 14]
    parts, [whole] = (list(windows._windows(cut, 5)) for cut in (lengths, [windows.height]))
    with torch.no_grad():
        found, wanted = (forward_half(network, some, columns) for some in (parts, [whole]))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    # Without the states they would differ.
    with torch.no_grad():
        alone = torch.cat([forward_half(network, [part], columns) for part in parts], dim=1)
    assert (alone - wanted).abs().max() > 0.01


@torch.no_grad()
@pytest.mark.parametrize("given", FORWARD)  # backwards every window starts anew
@pytest.mark.parametrize("documents", ["joined", "apart"])
def test_losses_in_turn_are_the_loss_of_the_whole(given: dict[str, Any], documents: str) -> None:
    model = made(documents=documents, **given)
    network, windows = network_of(model), windows_of(model, 2, 8)
    cuts = [[3, 7, windows.height - 10], [windows.height]]
    losses = []
    for kind, cut in itertools.product(("loss", "nats"), cuts):
        reader = Reader(network)
        parts = windows._windows(cut, 2)
        losses.append(sum(float(getattr(reader, kind)(part)) * part.tokens for part in parts))
    np.testing.assert_allclose(losses, losses[0], rtol=1e-5)


@pytest.mark.parametrize("given", KINDS)
@pytest.mark.parametrize("documents", ["joined", "apart"])
def test_the_torch_network_and_the_answer_without_torch_agree(
    given: dict[str, Any], documents: str
) -> None:
    model = made(documents=documents, **given)
    network, windows = network_of(model), windows_of(model, 1, 8)
    if model.bidirectional:
        with torch.no_grad():
            outputs = forward_half(network, list(windows.in_order()), 1)[0].numpy()
        scores = model.fitted().output_layer(outputs).astype(np.float64)
        sums = np.log(np.exp(scores).sum(axis=1))
        nats = float((sums - scores[np.arange(len(scores)), windows.ids]).sum())
    else:
        reader = Reader(network)
        nats = sum(reader.nats(window) * window.tokens for window in windows.in_order())
    found = model.evaluate(SOME)
    assert found.tokens == len(windows.ids)
    assert nats == pytest.approx(found.nats, rel=1e-4)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("hidden_size", [5, 7])
def test_backwards_the_token_before_is_foretold(tied: bool, hidden_size: int) -> None:
    model = made(bidirectional=True, tied=tied, hidden_size=hidden_size, documents="joined")
    network, windows = network_of(model), windows_of(model, 1, 1000)
    [window] = windows.in_order()
    # The forward layer of this model, with the weights of the backward one, reads the same
    # tokens the other way round.
    weights = model.weights_
    for name in [name for name in weights if name.endswith("_reverse")]:
        weights[name.removesuffix("_reverse")][:] = weights[name]
    ids = window.ids.tolist()
    values = plain_log_probabilities(model, ids[::-1])[::-1]
    wanted = -float(values[np.arange(len(ids)), window.previous].mean())
    both, _ = network.nats(window, None)
    forward = network_of(made(hidden_size=hidden_size, tied=tied))
    forward.take(network.arrays())
    half, _ = forward.nats(window, None)
    assert 2 * both - half == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("given", KINDS)
def test_a_loss_of_all_samples_is_the_exact_one(given: dict[str, Any]) -> None:
    model = made(**given)
    exact, sampled = network_of(model), network_of(model, samples=10_000)
    window = next(windows_of(model, 3, 9).epoch(0, 1))
    losses = [network.loss(window, None)[0] for network in (exact, sampled)]
    assert losses[1].item() == pytest.approx(losses[0].item(), rel=1e-5)
    assert losses[0].item() == pytest.approx(exact.nats(window, None)[0], rel=1e-5)
    for loss in losses:
        loss.backward()  # type: ignore[no-untyped-call]
    for one, other in zip(exact.parameters(), sampled.parameters(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6)


def test_few_samples_are_right_on_average_and_none_is_no_error() -> None:
    model = made()
    # Where scores are alike, the logarithm of an estimate is about as right as the estimate.
    model.weights_["output.bias"][:] = 0
    model.weights_["embedding.weight"][:] *= 0.2
    window = next(windows_of(model, 3, 9).epoch(0, 1))
    exact = network_of(model).loss(window, None)[0].item()
    few, one = network_of(model, 20), network_of(model, 1)
    torch.manual_seed(0)
    with torch.no_grad():
        found = [few.loss(window, None)[0].item() for _ in range(300)]
        assert abs(np.mean(found) - exact) < 4 * np.std(found) / np.sqrt(300) + 0.01 * exact
        assert np.std(found) > 0
        for _ in range(20):
            assert one.loss(window, None)[0] >= 0


def test_dropout_is_for_training_alone() -> None:
    model = made(hidden_size=7)
    encoder = Encoder(
        model.shape(len(model.tokenizer_)), embedding_dropout=0.3, dropout=0.3, weight_dropout=0.3
    )
    counts = np.ones(len(model.tokenizer_) + 1, np.int64)
    network = LanguageNetwork(encoder, tied=True, counts=counts, samples=0, dropout=0.3)
    network.take(model.weights_)
    window = next(windows_of(model, 3, 9).epoch(0, 1))
    torch.manual_seed(0)
    with torch.no_grad():
        trained = {network.train().loss(window, None)[0].item() for _ in range(3)}
        still = {network.eval().loss(window, None)[0].item() for _ in range(3)}
    assert (len(trained), len(still)) == (3, 1)
    assert network_of(model).loss(window, None)[0].item() == pytest.approx(still.pop())


def test_a_new_network_answers_how_often_classes_occur() -> None:
    model = made(hidden_size=7)
    counts = Corpus.encode(TEXTS, model.tokenizer_).counts
    network = LanguageNetwork(
        Encoder(model.shape(len(model.tokenizer_))),
        tied=True,
        counts=counts,
        samples=0,
        dropout=0.0,
    )
    shares = np.exp(network.output.bias.detach().numpy())
    np.testing.assert_allclose(shares, (counts + 1) / (counts + 1).sum(), rtol=1e-5)
    assert ids_of(model, "the")[0] == shares[1:-1].argmax() + 1
