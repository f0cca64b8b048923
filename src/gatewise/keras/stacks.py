"""Which layers of Keras a text classifier is made of, as far as Gatewise's classifier has them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NoReturn

import keras

from gatewise.errors import DataError
from gatewise.keras.weights import cell_refusal, kernel_cell

_POOLING: dict[Any, Literal["mean", "max"]] = {
    keras.layers.GlobalAveragePooling1D: "mean",
    keras.layers.GlobalMaxPooling1D: "max",
}


@dataclass(frozen=True)
class Stack:
    """The layers of a classifier, from the embedding to the answer.

    Attributes:
        embedding: the Embedding.
        recurrent: per layer, its one or two directions, each an LSTM, a GRU or a SimpleRNN.
        pooling: how all states become one vector.
        head: the Dense layer.
        answer: its activation.
    """

    embedding: Any
    recurrent: list[list[Any]]
    pooling: Literal["last", "mean", "max"]
    head: Any
    answer: Literal["softmax", "sigmoid"]

    @property
    def cell(self) -> str:
        """The name of the cell of all layers in `gatewise.cells`."""
        return str(kernel_cell(self.recurrent[0][0]))


def read_stack(model: Any) -> Stack:
    """The layers of a model.

    Raises:
        DataError: it has other layers than a Stack, or in another order, or one of them does what
            Gatewise's classifier does not.
    """
    for operation in getattr(model, "operations", ()):
        # An Embedding with mask_zero=True puts the comparison that makes its mask into the graph.
        if not isinstance(operation, keras.layers.Layer) and type(operation).__name__ != "NotEqual":
            _refuse(operation, "it is no layer")
    left_out = (keras.layers.InputLayer, keras.layers.Dropout)  # SpatialDropout1D is a Dropout
    layers = [layer for layer in model.layers if not isinstance(layer, left_out)]
    if not layers or not isinstance(layers[0], keras.layers.Embedding):
        _refuse(layers[0] if layers else model, "an Embedding must come first")
    embedding, *layers = layers
    recurrent: list[list[Any]] = []
    while layers and isinstance(layers[0], (keras.layers.RNN, keras.layers.Bidirectional)):
        recurrent.append(_directions(layers.pop(0)))
    if not recurrent:
        _refuse(layers[0] if layers else embedding, "a recurrent layer must follow the Embedding")
    pooling: Literal["last", "mean", "max"] = "last"
    if layers and type(layers[0]) in _POOLING:
        pooling = _POOLING[type(layers.pop(0))]
        if pooling == "max" and embedding.mask_zero:
            _refuse(embedding, "GlobalMaxPooling1D reads steps that mask_zero=True leaves out")
    if not layers or type(layers[0]) is not keras.layers.Dense:
        _refuse(
            layers[0] if layers else recurrent[-1][0], "here must be the Dense layer that answers"
        )
    head, *layers = layers
    stack = Stack(embedding, recurrent, pooling, head, _answer(head, layers))
    _check_recurrent(stack)
    return stack


def _directions(layer: Any) -> list[Any]:
    if not isinstance(layer, keras.layers.Bidirectional):
        return [layer]
    if layer.merge_mode != "concat":
        _refuse(layer, f"merge_mode={layer.merge_mode!r} must be 'concat'")
    return [layer.forward_layer, layer.backward_layer]


def _answer(head: Any, layers: list[Any]) -> Literal["softmax", "sigmoid"]:
    """The activation of the Dense layer, its own or that of a layer behind it."""
    activation = head.activation
    if layers and activation is keras.activations.linear:
        if isinstance(layers[0], keras.layers.Softmax):
            activation = keras.activations.softmax
        else:
            activation = getattr(layers[0], "activation", None)
        layers = layers[1:]
    if layers:
        _refuse(head, f"{type(layers[0]).__name__} follows it, so it is not the answer")
    if activation is keras.activations.softmax and head.units > 1:
        return "softmax"
    if activation is not keras.activations.sigmoid:
        _refuse(head, "the last activation must be softmax, over two units or more, or sigmoid")
    return "sigmoid"


def _check_recurrent(stack: Stack) -> None:
    kinds = (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN)
    for directions in stack.recurrent:
        for number, layer in enumerate(directions):
            if not isinstance(layer, kinds):
                _refuse(layer, "it is no LSTM, GRU or SimpleRNN")
            reason = cell_refusal(layer)
            if kernel_cell(layer) == "rnn_relu":
                reason = "activation='relu'"
            if reason is not None:
                _refuse(layer, f"Gatewise's classifiers have no such cell ({reason})")
            for name in ("stateful", "return_state"):
                if getattr(layer, name):
                    _refuse(layer, f"{name}=True")
            # With a mask below them, layers above and a mean read no masked step.
            masked = stack.embedding.mask_zero and not layer.return_sequences
            if masked and layer.zero_output_for_mask:
                _refuse(layer, "zero_output_for_mask=True")
            if layer.go_backwards != (number == 1):
                _refuse(layer, "go_backwards=True outside of Bidirectional")
    every = [layer for directions in stack.recurrent for layer in directions]
    for one, other in pairwise(every):
        if kernel_cell(one) != kernel_cell(other):
            _refuse(other, "all recurrent layers must have the same cell")
    if every[-1].return_sequences == (stack.pooling == "last"):
        _refuse(
            every[-1],
            "return_sequences must be True in front of global pooling, and False without it",
        )


def _refuse(layer: Any, reason: str) -> NoReturn:
    raise DataError(
        "from_keras takes an Embedding, recurrent layers, a global pooling if there is one, and a "
        f"Dense layer with softmax or sigmoid, with dropout anywhere. The {type(layer).__name__} "
        f"{layer.name!r} cannot be taken over: {reason}."
    )
