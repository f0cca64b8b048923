"""from_keras: a trained text classifier of Keras as a TextClassifier, which needs no Keras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.cells import CELLS
from gatewise.errors import DataError, OptionError
from gatewise.keras.preprocessing.sequence import pad_sequences
from gatewise.keras.stacks import Stack, read_stack
from gatewise.keras.vocabulary import Vocabulary, read_vocabulary
from gatewise.keras.weights import kernel_weights
from gatewise.shapes import EncoderShape
from gatewise.tasks.classify.fitted import Fitted
from gatewise.tasks.classify.labels import Labels
from gatewise.tasks.classify.task import TextClassifier
from gatewise.text.sequences import LONGEST_SEQUENCE, Sequences, Side
from gatewise.text.tokenizer import Tokenizer

Floats = NDArray[np.float32]
TOLERANCE = 1e-4
"""How far the probabilities of both may be apart in the check, which has all lengths of texts."""


def from_keras(
    model: Any,
    words: Any,
    labels: Sequence[str | int],
    *,
    maxlen: int | None = None,
    padding: Side = "pre",
    truncating: Side = "pre",
    oov_token: str | None = None,
) -> TextClassifier:
    """A trained text classifier of Keras as a TextClassifier; `save` writes its model folder.

    The model is an Embedding, recurrent layers, a global pooling if there is one, and a Dense layer
    with softmax or sigmoid; layers of Keras and of `gatewise.keras`. The answers are those of
    `model.predict`; some are computed by both and compared before the classifier is given back.

    Args:
        model: the trained model.
        words: the Tokenizer that numbered the words, or a word index, {word: number from 1}, for
            texts that are lower-cased and split at whitespace.
        labels: their names, in the order of the outputs; two for one sigmoid output, that of 0
            first. With more sigmoid outputs a text can have many labels at once.
        maxlen: as `pad_sequences` was given it; by default what the model says.
        padding: the same; it counts where the Embedding has no mask_zero, so that zeros are read.
        truncating: the same.
        oov_token: of a word index, the word that stands for unknown ones, which are left out
            without it.

    Raises:
        DataError: the model, the words or the labels cannot be taken over; why.
        OptionError: maxlen, padding, truncating or oov_token cannot be meant.
    """
    stack = read_stack(model)
    vocabulary = read_vocabulary(words, oov_token, stack.embedding.input_dim)
    length = _length(model, stack, maxlen)
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise OptionError(f"The {name!r} of from_keras must be 'pre' or 'post'. Got {side!r}.")
    pad = None if stack.embedding.mask_zero else len(vocabulary.tokens)
    sequences = Sequences(
        vocabulary.filters, vocabulary.unknown is not None, length, truncating, pad, padding
    )
    tokens = vocabulary.tokens + ([] if pad is None else ["<no word>"])  # which no text can hold
    tokenizer = Tokenizer("whitespace", vocabulary.lowercase, tokens, [], sequences)
    classifier = _classifier(stack, tokenizer, labels, vocabulary)
    _check_answers(classifier, model, vocabulary, length, padding, truncating)
    return classifier


def _length(model: Any, stack: Stack, maxlen: int | None) -> int | None:
    """Numbers of a sequence, None for any number of them."""
    shape = model.input_shape
    declared = shape[1] if isinstance(shape, tuple) and len(shape) == 2 else None
    if maxlen is not None and not (type(maxlen) is int and 1 <= maxlen <= LONGEST_SEQUENCE):
        raise OptionError(
            f"The 'maxlen' of from_keras must be from 1 to {LONGEST_SEQUENCE:,}. Got {maxlen!r}."
        )
    if maxlen is not None and declared not in (None, maxlen):
        raise OptionError(
            f"The 'maxlen' of from_keras must be {declared}, which the model reads. Got {maxlen}."
        )
    length = declared if maxlen is None else maxlen
    if length is None and not stack.embedding.mask_zero:
        raise OptionError(
            "from_keras needs 'maxlen', as pad_sequences was given it: the Embedding has no "
            "mask_zero=True, so that the model reads the zeros, and the model does not say how "
            "many there are."
        )
    return length


def _classifier(
    stack: Stack, tokenizer: Tokenizer, names: Sequence[str | int], vocabulary: Vocabulary
) -> TextClassifier:
    classifier = TextClassifier(
        level="whitespace",
        lowercase=tokenizer.lowercase,
        max_vocabulary=max(2, len(tokenizer)),
        min_count=1,
        max_length=LONGEST_SEQUENCE,
        cell=stack.cell,  # type: ignore[arg-type]
        embedding_size=stack.embedding.output_dim,
        subwords=0,
        token_pairs=0,
        hidden_size=max(layer.units for directions in stack.recurrent for layer in directions),
        num_layers=len(stack.recurrent),
        bidirectional=any(len(directions) == 2 for directions in stack.recurrent),
        pooling=stack.pooling,
        embedding_dropout=0.0,
        dropout=0.0,
        head_dropout=0.0,
    )
    units = stack.head.units
    one = units == 1
    labels = Labels.learn(np.empty((0, 2 if one else units)), names)
    labels = replace(labels, multiple=stack.answer == "sigmoid" and not one)
    shape = classifier.shape(len(tokenizer))
    weights = _recurrent_weights(stack, shape)
    weights["embedding.weight"] = _embedding(stack, vocabulary, len(tokenizer))
    kernel, bias = _array(stack.head.kernel), np.zeros(units, np.float32)
    if stack.head.use_bias:
        bias = _array(stack.head.bias)
    head = np.zeros((units, shape.pooled_size), np.float32)
    head[:, _columns(stack.recurrent[-1], shape.hidden_size)] = kernel.T
    if one:  # softmax over (0, x) is the sigmoid of x
        head, bias = np.pad(head, ((1, 0), (0, 0))), np.pad(bias, (1, 0))
    weights |= {"head.weight": head, "head.bias": bias}
    classifier.take(Fitted(classifier, labels, tokenizer, weights, None))
    return classifier


def _embedding(stack: Stack, vocabulary: Vocabulary, tokens: int) -> Floats:
    """The rows of all tokens: of unknown words, of words, of padding."""
    table = _array(stack.embedding.embeddings)
    rows = np.zeros((tokens, table.shape[1]), np.float32)
    if vocabulary.unknown is not None:
        rows[0] = table[vocabulary.unknown]
    words = len(vocabulary.numbers)
    rows[1 : words + 1] = table[vocabulary.numbers]
    rows[words + 1 :] = table[0]
    return rows


def _recurrent_weights(stack: Stack, shape: EncoderShape) -> dict[str, Floats]:
    """The weights of all layers in one shape.

    A smaller layer gets units whose weights are all zero: their states are zero at every step. So
    does the direction that a layer has not.
    """
    size, gates = shape.hidden_size, len(CELLS[shape.cell].gates)
    weights = {
        name: np.zeros(wanted, np.float32)
        for name, wanted in shape.weights().items()
        if name.startswith("recurrent.")
    }
    columns: NDArray[np.int64] = np.arange(shape.embedding_size)
    for number, directions in enumerate(stack.recurrent):
        for layer, ending in zip(directions, shape.endings(number), strict=False):
            rows = (np.arange(gates)[:, None] * size + np.arange(layer.units)).ravel()
            inputs, states, *biases = (part.detach().numpy() for part in kernel_weights(layer.cell))
            weights[f"recurrent.weight_ih_{ending}"][np.ix_(rows, columns)] = inputs
            weights[f"recurrent.weight_hh_{ending}"][rows, : layer.units] = states
            for name, bias in zip(("bias_ih", "bias_hh"), biases, strict=False):
                weights[f"recurrent.{name}_{ending}"][rows] = bias
        columns = _columns(directions, size)
    return weights


def _columns(directions: list[Any], size: int) -> NDArray[np.int64]:
    """Where the states of a layer stand among those of all directions of `size` units."""
    return np.concatenate(
        [number * size + np.arange(layer.units) for number, layer in enumerate(directions)]
    )


def _array(variable: Any) -> Floats:
    return np.asarray(variable.value.detach().cpu().numpy(), np.float32)


def _check_answers(
    classifier: TextClassifier,
    model: Any,
    vocabulary: Vocabulary,
    length: int | None,
    padding: Side,
    truncating: Side,
) -> None:
    """Refuse a model that answers anything else: its layers may be connected in other ways."""
    random = np.random.default_rng(0)
    longest = min(length or 50, 200)
    texts = [
        " ".join(random.choice(vocabulary.tokens[1:], count))
        for count in (1, 2, 3, *random.integers(1, longest + 5, 13))
    ]
    numbers = vocabulary.tokenizer.texts_to_sequences(texts)
    padded = pad_sequences(numbers, maxlen=length, padding=padding, truncating=truncating)
    expected = np.asarray(model.predict(padded, verbose=0))
    if expected.shape[1] == 1:
        expected = np.concatenate([1 - expected, expected], axis=1)
    error = float(np.abs(classifier.predict_proba(texts) - expected).max())
    if not error <= TOLERANCE:
        raise DataError(
            "from_keras cannot take this model over: its layers are those of a classifier, but its "
            f"answers are others, by up to {error:.2g}. Are they connected one after the other?"
        )
