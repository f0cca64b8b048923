"""Sequential, Embedding and what programs written for Keras 2 import and call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gatewise.keras

# isort: split
import keras
import numpy as np
import pytest
import torch

from gatewise.errors import DataError, OptionError
from gatewise.keras.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Embedding,
    Input,
    Masking,
    SimpleRNN,
)
from gatewise.keras.models import Sequential, load_model

# How Keras makes arrays of torch's tensors, NumPy 2 calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

IDS = np.array([[3, 1, 2, 0, 0], [4, 0, 0, 0, 0], [1, 2, 3, 4, 5], [5, 5, 1, 0, 0]])


def small(**compiled: Any) -> Sequential:
    model = Sequential()
    model.add(Embedding(6, 3, input_length=5, mask_zero=True))
    model.add(Bidirectional(LSTM(4)))
    model.add(Dense(2, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="adam", **compiled)
    return model


def keras_own() -> Any:
    """The same model of Keras's own layers."""
    model = keras.Sequential(
        [
            keras.Input(shape=(5,)),
            keras.layers.Embedding(6, 3, mask_zero=True),
            keras.layers.Bidirectional(keras.layers.LSTM(4)),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam")
    return model


def test_shapes_are_known_after_add() -> None:
    model = Sequential()
    model.add(Embedding(14, 8, input_length=5))
    assert model.output_shape == (None, 5, 8)
    model.add(LSTM(16, return_sequences=True))
    assert model.output_shape == (None, 5, 16)
    model.add(LSTM(32))
    assert model.output_shape == (None, 32)
    open_length = Sequential([Embedding(100, 16), LSTM(32)])
    assert open_length.output_shape == (None, 32)
    assert open_length.predict(np.ones((2, 9)), verbose=0).shape == (2, 32)
    open_length.build((None, 7))
    assert open_length.input_shape == (None, 7)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda: LSTM(4, input_shape=(10, 3)), (None, 10, 3)),
        (lambda: GRU(4, input_dim=3, input_length=10), (None, 10, 3)),
        (lambda: SimpleRNN(4, input_shape=[None, 3]), (None, None, 3)),
        (lambda: LSTM(4, batch_input_shape=(2, 10, 3), stateful=True), (2, 10, 3)),
        (lambda: Bidirectional(LSTM(4), input_shape=(10, 3)), (None, 10, 3)),
        (lambda: Bidirectional(LSTM(4, input_shape=(10, 3))), (None, 10, 3)),
        (lambda: Embedding(9, 4, batch_input_shape=[2, None]), (2, None)),
        (lambda: Embedding(input_dim=9, output_dim=4, input_length=10), (None, 10)),
    ],
)
def test_a_first_layer_says_the_shape_as_in_keras_2(layer: Any, shape: tuple[Any, ...]) -> None:
    model = Sequential()
    model.add(layer())
    assert model.input_shape == shape


def test_a_shape_that_does_not_fit_is_refused() -> None:
    with pytest.raises(OptionError, match=r"'input_shape' of LSTM must be \(steps, features\)"):
        LSTM(32, input_shape=(100,))
    with pytest.raises(OptionError, match=r"\(100, 1\) for 100 steps .* \(1, 100\) for one step"):
        Bidirectional(LSTM(32), input_shape=(100,))
    model = Sequential([Embedding(9, 4), LSTM(5)])
    with pytest.raises(DataError, match=r"LSTM reads .*Got \(None, 5\).*needs return_sequences"):
        model.add(LSTM(5))
    with pytest.raises(DataError, match=r"GRU reads .*Got \(4, 300\), one vector per text"):
        GRU(3)(torch.ones(4, 300))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (["I love it", "I hate it"], "one for every word. Got texts in x, such as 'I love it'"),
        (np.array(["I love it", "I hate it"]), "Got texts in x, such as 'I love it'"),
        (np.array([["I", "love"], ["I", "hate"]], object), "Got texts in x, such as 'I'"),
        ("I love it", "use gatewise.TextClassifier, which reads texts as they are"),
        ([[1, 2, 3], [4]], "Got lengths from 1 to 3. Bring them to one with pad_sequences"),
        (np.array([[1, 2, 3], [4]], object), "Got lengths from 1 to 3"),
        ([[1, 2, 3, 4, 5]], r"Make it an array: numpy.array\(x\)"),
        (np.array([1, 2, 3, 4, 5]), r"Got \(5,\), one text or series alone.*x\[None\]"),
        (np.arange(500), "a row for every text. Got one vector of 500 numbers"),
        (np.ones((3, 9)), r"array of shape \(rows, 5\) with this model. Got \(3, 9\)"),
        (IDS + 1, "knows the numbers 0 to 5. Got 6.*must be len.word_index. . 1"),
        (np.ones((3, 5, 1)), r"array of shape \(rows, 5\) with this model. Got \(3, 5, 1\)"),
        (IDS - 1, "knows the numbers 0 to 5. Got -1"),
    ],
)
def test_what_is_no_batch_of_numbers_is_refused(x: Any, message: str) -> None:
    model = small()
    targets = np.eye(2)[[0, 1, 0, 1]]
    with pytest.raises(DataError, match=message):
        model.predict(x, verbose=0)
    with pytest.raises(DataError, match=message):
        model.fit(x, targets, verbose=0)
    with pytest.raises(DataError, match="Got texts in y, such as 'good'"):
        model.evaluate(IDS, ["good", "bad", "bad", "good"])


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_saved_model_answers_the_same_on_the_kernel(name: str, tmp_path: Path) -> None:
    model = small(metrics=["acc"])
    history = model.fit(IDS, np.eye(2)[[0, 1, 0, 1]], epochs=2, verbose=0).history
    assert set(history) == {"loss", "acc"}
    model.save(tmp_path / name)
    again = load_model(tmp_path / name)
    assert type(again) is Sequential
    assert set(gatewise.keras.runs_on(again).values()) == {"kernel"}
    np.testing.assert_array_equal(again.predict(IDS, verbose=0), model.predict(IDS, verbose=0))


def test_weights_move_to_keras_s_own_layers_and_back(tmp_path: Path) -> None:

    model, theirs = small(), keras_own()
    model.save_weights(tmp_path / "ours.weights.h5")
    theirs.load_weights(tmp_path / "ours.weights.h5")
    np.testing.assert_allclose(
        theirs.predict(IDS, verbose=0), model.predict(IDS, verbose=0), rtol=0, atol=1e-6
    )
    assert set(gatewise.keras.runs_on(theirs).values()) == {
        "keras: it is not a layer of gatewise.keras"
    }
    fresh = keras_own()
    model.save(tmp_path / "ours.keras")
    fresh.load_weights(tmp_path / "ours.keras")
    for weight, expected in zip(fresh.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
    again = small()
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    again.load_weights(tmp_path / "theirs.weights.h5")
    np.testing.assert_array_equal(again.predict(IDS, verbose=0), model.predict(IDS, verbose=0))


def test_a_file_that_keras_saved_runs_on_the_kernel(tmp_path: Path) -> None:
    theirs, targets = keras_own(), np.eye(2)[[0, 1, 0, 1]]
    theirs.fit(IDS, targets, epochs=2, verbose=0)
    theirs.save(tmp_path / "theirs.keras")
    model = load_model(str(tmp_path / "theirs.keras"))
    assert list(gatewise.keras.runs_on(model).values()) == ["kernel", "kernel"]
    np.testing.assert_allclose(
        model.predict(IDS, verbose=0), theirs.predict(IDS, verbose=0), rtol=0, atol=1e-6
    )
    assert model.optimizer.iterations == theirs.optimizer.iterations == 2
    losses = [
        each.fit(IDS, targets, epochs=3, shuffle=False, verbose=0).history["loss"]
        for each in (model, theirs)
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    inputs = keras.Input(shape=(4, 3))
    outputs, state = keras.layers.GRU(5, return_sequences=True, return_state=True)(inputs)
    keras.Model(inputs, [outputs, state]).save(tmp_path / "functional.keras")
    functional = load_model(tmp_path / "functional.keras")
    assert set(gatewise.keras.runs_on(functional).values()) == {"kernel"}


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_a_file_that_is_no_model_is_left_to_keras(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.keras").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.keras"):
        load_model(tmp_path / "x.keras")
    with pytest.raises(ValueError, match=r"y\.keras"):
        load_model(tmp_path / "y.keras")


def test_training_equals_keras_s_own_layers() -> None:

    model, theirs, targets = small(), keras_own(), np.eye(2)[[0, 1, 0, 1]]
    theirs.set_weights(model.get_weights())
    ours_ = model.fit(IDS, targets, epochs=5, shuffle=False, verbose=0).history["loss"]
    expected = theirs.fit(IDS, targets, epochs=5, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(ours_, expected, rtol=1e-5)


def test_old_names_of_optimizers_and_answers() -> None:
    from gatewise.keras.optimizers import SGD, Adam

    assert float(Adam(lr=0.5).learning_rate) == pytest.approx(0.5)
    assert type(Adam()) is type(gatewise.keras.optimizers.get("adam"))
    decaying = SGD(lr=0.5, decay=0.1, momentum=0.9)
    assert decaying.momentum == 0.9
    assert float(decaying._learning_rate(10)) == pytest.approx(0.25)
    model = small()
    expected = model.predict(IDS, verbose=0)
    np.testing.assert_array_equal(model.predict_proba(IDS, verbose=0), expected)
    np.testing.assert_array_equal(model.predict_classes(IDS, verbose=0), expected.argmax(1))
    one = Sequential([Embedding(6, 3), LSTM(4), Dense(1, activation="sigmoid")])
    expected = one.predict(IDS, verbose=0)
    np.testing.assert_array_equal(one.predict_classes(IDS, verbose=0), expected > 0.5)


def test_a_stateful_model_trains_and_forgets_when_told() -> None:
    model = Sequential()
    model.add(LSTM(4, batch_input_shape=(2, 3, 1), stateful=True))
    model.add(Dense(1))
    model.compile(loss="mean_squared_error", optimizer="sgd")
    x = np.arange(6.0).reshape(2, 3, 1)
    model.fit(x, np.ones((2, 1)), epochs=3, batch_size=2, shuffle=False, verbose=0)
    model.reset_states()
    first, second = (model.predict(x, batch_size=2, verbose=0) for _ in range(2))
    assert not np.allclose(first, second)
    model.reset_states()
    np.testing.assert_array_equal(model.predict(x, batch_size=2, verbose=0), first)


def test_masked_series_are_read_without_their_masked_steps() -> None:
    model = Sequential([Input(shape=(4, 2)), Masking(-1.0), GRU(3)])
    x = np.random.default_rng(0).normal(size=(2, 4, 2)).astype(np.float32)
    x[0, 2:] = -1.0
    short = Sequential([model.layers[1]])
    np.testing.assert_allclose(
        model.predict(x, verbose=0)[0], short(x[:1, :2]).detach().numpy()[0], rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("module", ["layers", "models", "optimizers", "utils"])
def test_everything_can_be_imported_at_once(module: str) -> None:
    names: dict[str, Any] = {}
    exec(f"from gatewise.keras.{module} import *", names)  # noqa: S102
    for name in dir(getattr(keras, module)):
        if not name.startswith("_"):
            expected = getattr(getattr(gatewise.keras, module), name)
            assert names.pop(name) is expected
    assert names.keys() - {"__builtins__"} <= {"CuDNNGRU", "CuDNNLSTM", "np_utils"}


def test_data_sets_are_not_downloaded() -> None:
    from gatewise.keras.datasets import imdb

    with pytest.raises(DataError, match=r"keras.datasets.imdb .* Gatewise downloads nothing"):
        imdb.load_data(num_words=10_000)
