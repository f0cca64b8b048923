"""from_keras: a TextClassifier that answers as the model of Keras does, without torch and Keras."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import gatewise.keras as ours

# isort: split
import keras
import numpy as np
import pytest

from gatewise import DataError, OptionError, load
from gatewise.keras import from_keras
from gatewise.keras.preprocessing.sequence import pad_sequences
from gatewise.keras.preprocessing.text import Tokenizer

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

WORDS = "a the film was not very good bad dull it's well-made loved hated cast plot".split()  # noqa: SIM905
TEXTS = [
    "The film was not bad.",
    "Loved the CAST, hated\tthe plot!",
    "it's (very) well-made; well made, and/or dull",
    "nothing known here",
    "",
    "good " * 30 + "bad",
    "\n a\nfilm ",
    "The\u00a0film, the\x85film. \r\nNot bad\r",
]


def tokenizer(**options: Any) -> Tokenizer:
    made = Tokenizer(**options)
    made.fit_on_texts([" ".join(WORDS[number:]) for number in range(len(WORDS))])
    return made


def model(*layers: Any, mask: bool = False, length: int | None = None, size: int = 40) -> Any:
    """A model with random weights in front of which stands an Embedding."""
    made = keras.Sequential(
        [
            keras.Input(shape=(length,)),
            keras.layers.Embedding(size, 5, mask_zero=mask),
            keras.layers.SpatialDropout1D(0.3),
            *layers,
        ]
    )
    random = np.random.default_rng(1)
    made.set_weights([random.normal(size=w.shape) for w in made.weights])
    return made


def lstm(units: int, **options: Any) -> Any:
    return ours.layers.LSTM(units, **options)


L = keras.layers
STACKS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "ours": ([lstm(6), L.Dense(3, "softmax")], {}),
    "one output": ([L.GRU(6, recurrent_dropout=0.5), L.Dense(1, "sigmoid")], {"length": 12}),
    "many at once": ([L.LSTM(6, use_bias=False), L.Dense(4, "sigmoid")], {"mask": True}),
    "both ways": (
        [L.Bidirectional(L.LSTM(4)), L.Dropout(0.5), L.Dense(2), L.Activation("softmax")],
        {"mask": True},
    ),
    "smaller above": (
        [
            L.Bidirectional(L.GRU(7, return_sequences=True)),
            L.Bidirectional(L.GRU(3, return_sequences=True)),
            L.GRU(5),
            L.Dense(2, use_bias=False),
            L.Softmax(),
        ],
        {"length": 12},
    ),
    "larger above": (
        [
            L.SimpleRNN(3, return_sequences=True),
            L.Bidirectional(L.SimpleRNN(6)),
            L.Dense(3, "softmax"),
        ],
        {"mask": True, "length": 9},
    ),
    "mean": (
        [lstm(4, return_sequences=True), L.GlobalAveragePooling1D(), L.Dense(3, "softmax")],
        {"mask": True, "length": 12},
    ),
    "max": (
        [
            L.Bidirectional(L.SimpleRNN(4, return_sequences=True)),
            L.GlobalMaxPooling1D(),
            L.Dense(1, "sigmoid"),
        ],
        {"length": 12},
    ),
}


@pytest.mark.parametrize("name", STACKS)
def test_answers_are_those_of_the_model(name: str, tmp_path: Path) -> None:
    layers, options = STACKS[name]
    trained = model(*layers, **options)
    length = options.get("length") or (None if options.get("mask") else 11)
    outputs = trained.output_shape[1]
    labels = ["no", "yes"] if outputs == 1 else list(range(outputs))
    sides: list[Any] = ["pre", "post"]
    for number, (words, padding, truncating) in enumerate(
        [
            (tokenizer(), "pre", "pre"),
            (tokenizer(oov_token="<OOV>", num_words=12), *sides),
            (tokenizer(lower=False, filters="!.,;()"), *sides[::-1]),
        ]
    ):
        folder = tmp_path / str(number)
        made = from_keras(
            trained, words, labels, maxlen=length, padding=padding, truncating=truncating
        )
        made.save(folder)
        # Of no words at all, Keras divides by zero for a mean.
        read = zip(TEXTS, words.texts_to_sequences(TEXTS), strict=True)
        texts = [text for text, found in read if found or name != "mean"]
        padded = pad_sequences(
            words.texts_to_sequences(texts), length, padding=padding, truncating=truncating
        )
        expected = trained.predict(padded, verbose=0)
        if outputs == 1:
            expected = np.concatenate([1 - expected, expected], axis=1)
        again = load(folder)
        np.testing.assert_allclose(again.predict_proba(texts), expected, rtol=0, atol=1e-5)
        assert expected.std(axis=0).min() > 0.005
        if name == "many at once":
            named = [[label for label in labels if row[label] >= 0.5] for row in expected]
            assert again.predict(texts) == named
        else:
            assert again.predict(texts) == [labels[row] for row in expected.argmax(axis=1)]


def test_a_functional_model_with_a_mask() -> None:
    inputs = keras.Input(shape=(11,))
    hidden = L.LSTM(5)(L.Embedding(40, 4, mask_zero=True)(inputs))
    trained = keras.Model(inputs, L.Dense(2, "softmax")(hidden))
    words = tokenizer()
    texts = [text for text in TEXTS if words.texts_to_sequences([text])[0]]
    padded = pad_sequences(words.texts_to_sequences(texts), 11)
    made = from_keras(trained, words, ["no", "yes"], maxlen=11)
    np.testing.assert_allclose(
        made.predict_proba(texts), trained.predict(padded, verbose=0), atol=1e-5
    )


def test_a_word_index_made_by_hand() -> None:
    index = {"love": 3, "hate": 7, "<unk>": 1, "this": 8, "movie!": 2}
    trained = model(L.LSTM(4), L.Dense(2, "softmax"), length=5)
    with pytest.raises(DataError, match="say oov_token='<unk>'"):
        from_keras(trained, index, ["neg", "pos"])
    made = from_keras(trained, index, ["neg", "pos"], oov_token="<unk>", padding="post")
    texts = ["I\u00a0LOVE this\tmovie!", "hate movie", ""]
    rows = [[1, 3, 8, 2, 0], [7, 1, 0, 0, 0], [0] * 5]
    expected = trained.predict(np.array(rows), verbose=0)
    np.testing.assert_allclose(made.predict_proba(texts), expected, rtol=0, atol=1e-5)


def test_the_folder_answers_and_explains_without_torch_and_keras(tmp_path: Path) -> None:
    trained = model(lstm(6), L.Dense(2, "softmax"), length=8)
    from_keras(trained, tokenizer(), ["bad", "good"]).save(tmp_path / "model")
    program = (
        "import sys, gatewise; m = gatewise.load('model')\n"
        "e = gatewise.explain(m, 'The film was not bad.')\n"
        "assert [w.text for w in e.words] == ['<no word>'] * 3 + 'The film was not bad'.split()\n"
        "assert not {'torch', 'keras'} & sys.modules.keys()\n"
        "print(m.predict_proba(['The film was not bad.'])[0, 1])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    rows = pad_sequences(tokenizer().texts_to_sequences(["The film was not bad."]), 8)
    assert float(done.stdout) == pytest.approx(trained.predict(rows, verbose=0)[0, 1], abs=1e-5)
    told = [
        subprocess.run(
            [sys.executable, "-m", "gatewise", *command],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            input=b"not bad\n",
        ).stdout
        for command in (
            ["predict", "model", "-"],
            ["explain", "model", "not bad"],
            ["info", "model"],
            ["info", "model", "--json"],
        )
    ]
    assert b"of Keras made them: maxlen 8, padding 'pre', truncating 'pre'\n" in told[2]
    sequences = json.loads(told[3])["sequences"]
    assert (sequences["length"], sequences["padding"]) == (8, "pre")


@pytest.mark.parametrize(
    ("layers", "options", "message"),
    [
        ([L.LSTM(3), L.Dense(4, "relu"), L.Dense(2, "softmax")], {}, "Dense follows it"),
        ([L.LSTM(3), L.Dense(2)], {}, "last activation must be softmax"),
        ([L.LSTM(3), L.Dense(1, "softmax")], {}, "softmax, over two units or more"),
        ([L.Conv1D(3, 2), L.LSTM(3), L.Dense(2, "softmax")], {}, "Conv1D .*a recurrent layer must"),
        ([L.LSTM(3)], {}, "LSTM .*here must be the Dense layer"),
        ([L.LSTM(3, activation="relu"), L.Dense(2, "softmax")], {}, "activation='relu'"),
        ([L.SimpleRNN(3, activation="relu"), L.Dense(2, "softmax")], {}, "activation='relu'"),
        ([L.GRU(3, reset_after=False), L.Dense(2, "softmax")], {}, "reset_after=False"),
        ([L.LSTM(3, go_backwards=True), L.Dense(2, "softmax")], {}, "go_backwards=True"),
        (
            [L.LSTM(3, zero_output_for_mask=True), L.Dense(2, "softmax")],
            {"mask": True},
            "zero_output_for_mask=True",
        ),
        ([L.LSTM(3, return_sequences=True), L.GRU(3), L.Dense(2, "softmax")], {}, "same cell"),
        ([L.Bidirectional(L.LSTM(3), "sum"), L.Dense(2, "softmax")], {}, "merge_mode='sum'"),
        ([L.LSTM(3, return_sequences=True), L.Dense(2, "softmax")], {}, "return_sequences must"),
        (
            [L.LSTM(3, return_sequences=True), L.GlobalMaxPooling1D(), L.Dense(2, "softmax")],
            {"mask": True},
            "mask_zero=True leaves out",
        ),
        ([L.GlobalAveragePooling1D(), L.Dense(2, "softmax")], {}, "a recurrent layer must follow"),
    ],
)
@pytest.mark.filterwarnings("ignore:Layer 'global_max.*does not support masking:UserWarning")
def test_what_cannot_be_taken_over_is_refused(
    layers: list[Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=f"^from_keras takes an Embedding.*{message}"):
        from_keras(model(*layers, length=8, **options), tokenizer(), ["bad", "good"])


def test_layers_that_are_connected_otherwise_are_refused() -> None:
    inputs = keras.Input(shape=(6,))
    embedded = L.Embedding(40, 4)(inputs)
    below = L.LSTM(4, return_sequences=True)(embedded)
    above = L.LSTM(4)
    head = L.Dense(2, "softmax")
    added = keras.Model(inputs, head(above(below + embedded)))
    with pytest.raises(DataError, match=r"Add .* it is no layer"):
        from_keras(added, tokenizer(), ["bad", "good"])
    states = L.LSTM(4, return_state=True)(below)
    with pytest.raises(DataError, match="return_state=True"):
        from_keras(keras.Model(inputs, head(states[1])), tokenizer(), ["bad", "good"])
    shared = L.LSTM(4, return_sequences=True)
    twice = keras.Model(inputs, head(above(shared(shared(embedded)))))
    random = np.random.default_rng(2)
    twice.set_weights([random.normal(size=w.shape) for w in twice.weights])
    with pytest.raises(DataError, match="its answers are others, by up to 0"):
        from_keras(twice, tokenizer(), ["bad", "good"])


def test_words_and_options_that_cannot_be_meant() -> None:
    small = model(L.LSTM(3), L.Dense(2, "softmax"), size=6)
    labels = ["bad", "good"]
    for arguments, message in (
        (({"a": 6}, labels), "numbers from 1 to 5.*Got 'a': 6"),
        (({"a": 0}, labels), "0 is padding. Got 'a': 0"),
        (({"a": "b"}, labels), "Got 'a': 'b'"),
        (({}, labels), "Got none: was it fitted"),
        ((["a"], labels), "a Tokenizer of Keras or a word index.*Got list"),
        ((Tokenizer(char_level=True), labels), "another 'char_level'"),
        (({"a" * 501: 1}, labels), "up to 500 whole characters"),
        (({"a": 1}, ["bad"]), "two or more different labels. Got .'bad'"),
        (({"a": 1}, ["bad", "bad"]), "two or more different labels"),
        (({"a": 1}, ["bad", "so", "good"]), "need 2 names in 'label_names'. Got 3"),
    ):
        with pytest.raises(DataError, match=message):
            from_keras(small, *arguments, maxlen=4)
    for options, message in (
        ({}, "needs 'maxlen'"),
        ({"maxlen": 0}, "from 1 to 100,000. Got 0"),
        ({"maxlen": 4, "padding": "left"}, "must be 'pre' or 'post'. Got 'left'"),
        ({"maxlen": 4, "oov_token": "b"}, "must be in the word index. Got 'b'"),
    ):
        with pytest.raises(OptionError, match=message):
            from_keras(small, {"a": 1}, labels, **options)
    fixed = model(L.LSTM(3), L.Dense(2, "softmax"), length=5)
    with pytest.raises(OptionError, match=r"must be 5, which the model reads\. Got 6"):
        from_keras(fixed, {"a": 1}, labels, maxlen=6)
