"""LSTM, GRU and SimpleRNN beside Keras's own layers: outputs, states and every gradient."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import gatewise.keras as ours

# isort: split
import keras
import numpy as np
import pytest
import torch

NAMES = ("LSTM", "GRU", "SimpleRNN")
INPUTS, UNITS = 5, 9


def twins(name: str, draw: int = 0, **arguments: Any) -> tuple[Any, Any]:
    """Our layer and Keras's with the same random weights."""
    pair = getattr(ours.layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    for layer in pair:
        layer.build((TEXTS, STEPS, INPUTS))
    share_weights(*pair, draw)
    return pair


def share_weights(our: Any, their: Any, draw: int = 0) -> None:
    random = np.random.default_rng(draw)
    assert [w.shape for w in our.weights] == [w.shape for w in their.weights]
    assert [w.path.split("/")[1:] for w in our.weights] == [
        w.path.split("/")[1:] for w in their.weights
    ]
    values = [random.normal(size=w.shape).astype(np.float32) * 0.7 for w in our.weights]
    our.set_weights(values)
    their.set_weights(values)


# Rows right, left, gaps, only one, all and none: every kind of mask in one batch.
MIXED = np.array(
    [
        [1, 1, 1, 1, 1, 0],
        [0, 0, 0, 1, 1, 1],
        [0, 1, 0, 1, 1, 0],
        [0, 0, 1, 0, 0, 0],
        [1, 1, 1, 1, 1, 1],
        [0, 0, 0, 0, 0, 0],
    ],
    bool,
)
TEXTS, STEPS = MIXED.shape
MASKS = {"none": None, "mixed": MIXED}


def results(layer: Any, mask: Any, states: int = 0, **call: Any) -> list[torch.Tensor]:
    """All outputs, then the gradients of a random function of them by input, states, weights."""
    random = torch.Generator().manual_seed(3)
    x = torch.randn(TEXTS, STEPS, INPUTS, generator=random).requires_grad_()
    start = [torch.randn(TEXTS, UNITS, generator=random).requires_grad_() for _ in range(states)]
    if start:
        call["initial_state"] = start
    if mask is not None:
        call["mask"] = torch.from_numpy(mask)
    output = layer(x, **call)
    outputs = list(output) if isinstance(output, (tuple, list)) else [output]
    loss = sum((part * torch.randn(part.shape, generator=random)).sum() for part in outputs)
    assert isinstance(loss, torch.Tensor)
    inputs = [x, *start, *(w.value for w in layer.trainable_weights)]
    gradients = torch.autograd.grad(loss, inputs, allow_unused=True)
    zeros = [torch.zeros_like(part) for part in inputs]
    return outputs + [
        zero if gradient is None else gradient
        for gradient, zero in zip(gradients, zeros, strict=True)
    ]


def assert_same(ours_: list[torch.Tensor], theirs: list[torch.Tensor]) -> None:
    assert len(ours_) == len(theirs)
    for our, their in zip(ours_, theirs, strict=True):
        scale = max(1.0, float(their.detach().abs().max()))
        torch.testing.assert_close(our / scale, their / scale, rtol=0, atol=1e-5)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", NAMES)
def test_every_option_equals_keras(name: str, mask: str) -> None:
    options = ("return_sequences", "return_state", "go_backwards", "zero_output_for_mask")
    for number, chosen in enumerate(itertools.product([False, True], repeat=len(options))):
        arguments = dict(zip(options, chosen, strict=True))
        states = (2 if name == "LSTM" else 1) * (number % 2)
        our, their = twins(name, number, units=UNITS, use_bias=number % 3 > 0, **arguments)
        assert our.runs_on == "kernel"
        assert_same(results(our, MASKS[mask], states), results(their, MASKS[mask], states))


@pytest.mark.parametrize("name", NAMES)
def test_bidirectional_equals_keras(name: str) -> None:
    modes = ("sum", "mul", "ave", "concat")
    for number, chosen in enumerate(itertools.product([False, True], repeat=2)):
        arguments: dict[str, Any] = {"units": UNITS, "name": "rnn"}
        arguments |= dict(zip(("return_sequences", "return_state"), chosen, strict=True))
        for mask, merge_mode in (("none", "concat"), ("mixed", modes[number]), ("mixed", None)):
            our = ours.layers.Bidirectional(getattr(ours.layers, name)(**arguments), merge_mode)
            their = keras.layers.Bidirectional(getattr(keras.layers, name)(**arguments), merge_mode)
            for layer in (our, their):
                layer.build((TEXTS, STEPS, INPUTS))
            share_weights(our, their)
            assert set(ours.runs_on(our).values()) == {"kernel"}
            states = (4 if name == "LSTM" else 2) * (mask == "mixed")
            assert_same(results(our, MASKS[mask], states), results(their, MASKS[mask], states))


def test_a_batch_without_any_row_equals_keras() -> None:
    nothing = np.zeros((TEXTS, STEPS), bool)
    for name, sequences in itertools.product(NAMES, [False, True]):
        our, their = twins(name, units=UNITS, return_sequences=sequences, return_state=True)
        states = 2 if name == "LSTM" else 1
        assert_same(results(our, nothing, states), results(their, nothing, states))


@pytest.mark.parametrize("name", NAMES)
def test_a_stateful_layer_carries_its_states_on(name: str) -> None:
    our, their = twins(name, units=UNITS, stateful=True, return_sequences=True)
    # Without a mask Keras 3.15 cannot train its own stateful LSTM and GRU on torch.
    everything = np.ones((TEXTS, STEPS), bool)
    for our_mask, mask in ((None, everything), (MIXED, MIXED), (None, everything)):
        assert_same(results(our, our_mask), results(their, mask))
    for state, expected in zip(our.states, their.states, strict=True):
        assert float(expected.value.abs().max()) > 0.1
        torch.testing.assert_close(state.value, expected.value, rtol=0, atol=1e-5)
    for layer in (our, their):
        layer.reset_state()
    assert_same(results(our, MIXED), results(their, MIXED))


@pytest.mark.parametrize("name", NAMES)
def test_dropout_leaves_out_what_keras_leaves_out(name: str) -> None:
    our, their = twins(name, units=UNITS, dropout=0.5, seed=7, return_sequences=True)
    assert our.runs_on == "kernel"
    for mask in (None, MIXED):
        trained = results(our, mask, training=True)
        assert_same(trained, results(their, mask, training=True))
        answered = results(our, mask, training=False)
        assert_same(answered, results(their, mask, training=False))
        assert not torch.allclose(trained[0], answered[0], atol=1e-2)


def test_a_relu_rnn_and_an_unrolled_lstm_run_on_the_kernel() -> None:
    for name, arguments in (("SimpleRNN", {"activation": "relu"}), ("LSTM", {"unroll": True})):
        our, their = twins(name, units=UNITS, return_sequences=True, **arguments)
        assert our.runs_on == "kernel"
        assert_same(results(our, MIXED), results(their, MIXED))


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("LSTM", {"activation": "relu"}, "activation='relu'"),
        ("LSTM", {"recurrent_activation": "hard_sigmoid"}, "recurrent_activation='hard_sigmoid'"),
        ("GRU", {"reset_after": False}, "reset_after=False"),
        ("GRU", {"activation": None}, "activation='linear'"),
        ("SimpleRNN", {"activation": "sigmoid"}, "activation='sigmoid'"),
        ("LSTM", {"dtype": "float64"}, "it computes in float64"),
    ],
)
def test_what_the_kernel_cannot_take_is_told_and_keras_does_it(
    name: str, arguments: dict[str, Any], reason: str
) -> None:
    our, their = twins(name, units=UNITS, **arguments)
    assert our.runs_on == f"keras: {reason}"
    assert ours.runs_on(our) == {our.name: our.runs_on}
    with pytest.warns(UserWarning, match=f"{our.name}.*Keras's own implementation.*{reason}"):
        found = results(our, MIXED)
    for our_part, their_part in zip(found, results(their, MIXED), strict=True):
        torch.testing.assert_close(our_part, their_part, rtol=0, atol=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is told once
        results(our, None)


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("LSTM", {"recurrent_dropout": 0.2}, "recurrent_dropout=0.2"),
        ("SimpleRNN", {"recurrent_dropout": 0.1}, "recurrent_dropout=0.1"),
    ],
)
def test_what_only_training_keeps_from_the_kernel(
    name: str, arguments: dict[str, Any], reason: str
) -> None:
    our, their = twins(name, units=UNITS, **arguments, seed=4)
    assert our.runs_on.startswith(f"keras in training, else kernel: {reason}")
    assert_same(results(our, MIXED), results(their, MIXED))
    with pytest.warns(UserWarning, match=f"{our.name}.*Keras's own implementation.*{reason}"):
        trained = results(our, MIXED, training=True)
    for our_part, their_part in zip(trained, results(their, MIXED, training=True), strict=True):
        torch.testing.assert_close(our_part, their_part, rtol=0, atol=0)


def test_whole_numbers_are_read_as_keras_reads_them() -> None:
    our, their = twins("LSTM", units=UNITS)
    x = np.arange(TEXTS * STEPS * INPUTS).reshape(TEXTS, STEPS, INPUTS) % 3
    np.testing.assert_allclose(
        our(x).detach().numpy(), their(x).detach().numpy(), rtol=0, atol=1e-5
    )


def test_a_layer_is_saved_and_read_with_all_its_options() -> None:
    for name in NAMES:
        layer = getattr(ours.layers, name)(
            4, return_sequences=True, go_backwards=True, dropout=0.3, kernel_regularizer="l2"
        )
        config = keras.saving.serialize_keras_object(layer)
        again = keras.saving.deserialize_keras_object(config)
        assert type(again) is type(layer)
        assert again.get_config() == layer.get_config()
        plain = getattr(keras.layers, name).from_config(layer.get_config())
        assert plain.get_config() == layer.get_config()
