"""Programs as pages on Keras 2 carry them, with only their imports changed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import gatewise.keras

# isort: split
import numpy as np
import pytest
from gatewise.keras.callbacks import EarlyStopping  # type: ignore[import-not-found] # Keras's own
from gatewise.keras.layers.embeddings import Embedding  # type: ignore[import-not-found] # older name

from gatewise.keras import preprocessing
from gatewise.keras.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Dropout,
    SpatialDropout1D,
    TimeDistributed,
)
from gatewise.keras.models import Sequential
from gatewise.keras.optimizers import Adam
from gatewise.keras.preprocessing.sequence import pad_sequences
from gatewise.keras.preprocessing.text import Tokenizer
from gatewise.keras.utils import np_utils, to_categorical

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_the_tutorial_program() -> None:
    example = ROOT / "examples" / "keras_tutorial.py"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(example)], check=True, capture_output=True, text=True
    )
    accuracy, classes = done.stdout.splitlines()
    values = ast.literal_eval(accuracy.removeprefix("Training accuracy: "))
    assert len(values) == 10
    assert set(values) <= {0.0, 0.25, 0.5, 0.75, 1.0}
    answers = classes.removeprefix("Predicted classes: [").removesuffix("]").split()
    assert len(answers) == 4
    assert set(answers) <= {"0", "1"}


def test_two_layers_and_a_sigmoid_learn_which_word_stands_first() -> None:
    gatewise.keras.utils.set_random_seed(1)
    x = np.random.default_rng(0).integers(1, 20, (120, 8))
    y = (x[:, 0] > 9).astype(int)
    model = Sequential()
    model.add(Embedding(20, 16, input_length=8))
    model.add(LSTM(16, return_sequences=True))
    model.add(LSTM(16))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer=Adam(lr=0.02), metrics=["accuracy"])
    history = model.fit(x, y, epochs=15, batch_size=20, verbose=0)
    assert history.history["accuracy"][-1] > 0.95
    assert ((model.predict(x, verbose=0) > 0.5).ravel() == y).mean() > 0.95


def test_five_classes_over_ten_thousand_words() -> None:
    gatewise.keras.utils.set_random_seed(1)
    x = np.random.default_rng(0).integers(1, 10_000, (100, 12))
    classes = np.arange(100) % 5
    x[:, 6] = classes + 1
    model = Sequential()
    model.add(Embedding(10_000, 32, input_length=12))
    model.add(SpatialDropout1D(0.1))
    model.add(Bidirectional(LSTM(16, dropout=0.1)))
    model.add(Dropout(0.1))
    model.add(Dense(5, activation="softmax"))
    assert model.output_shape == (None, 5)
    model.compile(loss="categorical_crossentropy", optimizer=Adam(0.02), metrics=["accuracy"])
    history = model.fit(
        x,
        np_utils.to_categorical(classes),
        epochs=12,
        batch_size=20,
        verbose=0,
        callbacks=[EarlyStopping(monitor="loss", patience=3)],
    )
    assert history.history["accuracy"][-1] > 0.9


def test_spam_with_a_tokenizer_and_a_share_held_out() -> None:
    gatewise.keras.utils.set_random_seed(1)
    texts = ["Win a free prize now!", "See you at lunch, friend"] * 20
    labels = np.array([1, 0] * 20)
    tokenizer = Tokenizer(num_words=50, oov_token="<OOV>")
    tokenizer.fit_on_texts(texts)
    padded = preprocessing.sequence.pad_sequences(
        tokenizer.texts_to_sequences(texts), maxlen=6, padding="post", truncating="post"
    )
    model = Sequential(
        [
            Embedding(50, 8, input_length=6, mask_zero=True),
            GRU(8),
            Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("rmsprop", "binary_crossentropy", metrics=["acc"])
    history = model.fit(padded, labels, epochs=15, validation_split=0.2, verbose=0).history
    assert {"acc", "val_acc"} <= history.keys()
    assert history["val_acc"][-1] == 1.0
    new = pad_sequences(tokenizer.texts_to_sequences(["a free prize"]), maxlen=6, padding="post")
    assert model.predict_classes(new, verbose=0).tolist() == [[1]]


def test_a_label_for_every_step() -> None:
    gatewise.keras.utils.set_random_seed(1)
    x = np.random.default_rng(0).random((60, 5, 1))
    y = to_categorical(x[:, :, 0] > 0.5, 2)
    model = Sequential()
    model.add(Bidirectional(LSTM(8, return_sequences=True), input_shape=(5, 1)))
    model.add(TimeDistributed(Dense(2, activation="softmax")))
    assert model.output_shape == (None, 5, 2)
    model.compile(loss="categorical_crossentropy", optimizer=Adam(0.03), metrics=["accuracy"])
    assert model.fit(x, y, epochs=25, verbose=0).history["accuracy"][-1] > 0.9
