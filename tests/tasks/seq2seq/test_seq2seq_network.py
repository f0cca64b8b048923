"""The torch network beside the answering side and beside plain equations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from gatewise.nn.attention import Attention
from gatewise.nn.encoder import RecurrentStack
from gatewise.tasks.seq2seq.network import Batch, Seq2SeqNetwork
from gatewise.tasks.seq2seq.task import Seq2Seq
from seq2seq_cases import KINDS, SOURCES, TARGETS, made


def network_of(model: Seq2Seq, *, smoothing: float = 0.0, dropout: float = 0.0) -> Seq2SeqNetwork:
    """The torch network with the weights of a model."""
    known = len(model.tokenizer_)
    encoder = RecurrentStack(model.encoder_shape(known), dropout=dropout)
    decoder = RecurrentStack(model.decoder_shape(known), dropout=dropout)
    attention = Attention(
        model.attention, encoder.shape.state_size, model.hidden_size, model.embedding_size
    )
    network = Seq2SeqNetwork(
        encoder,
        decoder,
        attention,
        counts=np.ones(known + 1, np.int64),
        samples=0,
        smoothing=smoothing,
        embedding_dropout=0.0,
    )
    network.load_state_dict({name: torch.from_numpy(w) for name, w in model.weights_.items()})
    assert network.arrays().keys() == model.weights_.keys()
    return network


def batch_of(model: Seq2Seq) -> Batch:
    fitted = model.fitted()
    return Batch.of(fitted.encode(SOURCES), fitted.encode(TARGETS), fitted.end)


@pytest.mark.parametrize("given", KINDS)
def test_both_sides_say_the_same_to_a_hundred_thousandth(given: dict[str, Any]) -> None:
    model = made(**given)
    network = network_of(model).eval()
    aligned = [model.align(*pair) for pair in zip(SOURCES, TARGETS, strict=True)]
    batch = batch_of(model)
    nats = network.nats(batch)
    total = -sum(one.log_probability for one in aligned)
    assert nats * batch.tokens == pytest.approx(total, rel=1e-5)
    for text, one in enumerate(aligned):
        fitted = model.fitted()
        alone = Batch.of(fitted.encode([SOURCES[text]]), fitted.encode([TARGETS[text]]), fitted.end)
        assert network.nats(alone) * alone.tokens == pytest.approx(-one.log_probability, rel=1e-5)
        assert one.weights.shape == (len(one.target), len(one.source))
        np.testing.assert_allclose(one.weights.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("given", KINDS)
def test_the_answers_that_a_beam_finds_are_as_likely_as_it_says(given: dict[str, Any]) -> None:
    model = made(seed=4, **given)
    for source, found in zip(SOURCES, model.answer(SOURCES, beam=4, n_best=4), strict=True):
        assert len(found) == 4
        assert found == sorted(found, key=lambda one: (one.cut, -one.score))
        (alone,) = model.answer([source], beam=4, n_best=4)
        for one, other in zip(found, alone, strict=True):
            assert one.text == other.text
            assert one.score == pytest.approx(other.score, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("given", [{}, {"input_feeding": True, "num_layers": 2}])
def test_the_loss_is_the_smoothed_cross_entropy(given: dict[str, Any], smoothing: float) -> None:
    model = made(**given)
    network = network_of(model, smoothing=smoothing).train()
    batch = batch_of(model)
    loss = network.loss(batch)
    found = torch.autograd.grad(loss, [*network.parameters()])
    outputs = network._outputs(
        batch, network.embedding(batch.source_ids), network.embedding(batch.before)
    )
    scores = outputs @ network.embedding.weight.T + network.output.bias
    wanted = functional.cross_entropy(scores, batch.target_ids, label_smoothing=smoothing)
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)
    truth = torch.autograd.grad(wanted, [*network.parameters()])
    for one, other in zip(found, truth, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_dropout_of_step_by_step_is_the_same_at_every_token_of_a_text() -> None:
    model = made(input_feeding=True)
    network = network_of(model, dropout=0.5).train()
    # Without attention and recurrence an output's zeros are those that dropout made.
    batch = batch_of(model)
    torch.manual_seed(2)
    outputs = network._outputs(
        batch, network.embedding(batch.source_ids), network.embedding(batch.before)
    )
    kept = [rows != 0 for rows in torch.split(outputs, batch.target_offsets.diff().tolist())]
    for rows in kept:
        assert (rows == rows[0]).all()
    assert any((rows[0] != kept[0][0]).any() for rows in kept)
    share = torch.cat([rows[:1] for rows in kept]).float().mean().item()
    assert 0.2 < share < 0.8


def test_scheduled_sampling_reads_what_the_network_foretells() -> None:
    model = made()
    network = network_of(model).eval()
    batch = batch_of(model)
    network.sampling = 1.0
    read = network._sampled(batch)
    offsets = batch.target_offsets
    with torch.no_grad():
        outputs = network._outputs(
            batch, network.embedding(batch.source_ids), network.embedding(batch.before)
        )
        foretold = (outputs @ network.embedding.weight.T + network.output.bias).argmax(dim=1)
    end = network.classes - 1
    for start, stop in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        assert read.before[start] == end
        assert read.before[start + 1 : stop].tolist() == foretold[start : stop - 1].tolist()
    network.sampling = 0.3
    torch.manual_seed(0)
    many = torch.stack([network._sampled(batch).before != batch.before for _ in range(300)])
    differs = read.before != batch.before
    share = many[:, differs].float().mean().item()
    assert abs(share - 0.3) < 4 * math.sqrt(0.3 * 0.7 / (300 * int(differs.sum())))
    assert not many[:, ~differs].any()
