"""Keras's layers: those that read sequences are Gatewise's, all others Keras's own objects."""

from __future__ import annotations

from typing import Any

import keras

from gatewise.keras.declared import TakesInputShape, refused
from gatewise.keras.recurrent import GRU, LSTM, SimpleRNN

__all__ = ["GRU", "LSTM", "Bidirectional", "CuDNNGRU", "CuDNNLSTM", "Embedding", "SimpleRNN"]


@keras.saving.register_keras_serializable("gatewise")
class Bidirectional(TakesInputShape, keras.layers.Bidirectional):
    """keras.layers.Bidirectional, with its arguments and a shape as `LSTM` takes it.

    Its two layers run on the kernel if the layer that it is given is one of `gatewise.keras`.
    """

    _shape_names = ("steps", "features")

    def __init__(self, layer: Any, *args: Any, **kwargs: Any) -> None:
        declared = {"input_shape", "batch_input_shape", "input_dim"} & kwargs.keys()
        if not declared and hasattr(layer, "_input_shape_arg"):
            kwargs["input_shape"] = layer._input_shape_arg
        super().__init__(layer, *args, **kwargs)


@keras.saving.register_keras_serializable("gatewise")
class Embedding(TakesInputShape, keras.layers.Embedding):
    """keras.layers.Embedding, with its arguments and Keras 2's `input_length`.

    Raises:
        DataError: at a call: a number is below 0 or not below `input_dim`.
    """

    def __init__(
        self, input_dim: int, output_dim: int, *args: Any, input_length: Any = None, **kwargs: Any
    ) -> None:
        if input_length is not None:
            kwargs.setdefault("input_shape", input_length)
        super().__init__(input_dim, output_dim, *args, **kwargs)

    def call(self, inputs: Any) -> Any:
        """Vectors of numbers, (B, T) → (B, T, output_dim)."""
        if inputs.device.type == "cpu" and inputs.numel():
            least, greatest = (int(bound) for bound in inputs.aminmax())
            if least < 0 or greatest >= self.input_dim:
                raise refused(
                    f"Embedding(input_dim={self.input_dim}) knows the numbers 0 to "
                    f"{self.input_dim - 1}. Got {least if least < 0 else greatest}. With a word "
                    "index whose numbers start at 1, input_dim must be len(word_index) + 1."
                )
        return super().call(inputs)


# What Keras 2 once called the layers that a GPU ran fast.
CuDNNLSTM, CuDNNGRU = LSTM, GRU


def __getattr__(name: str) -> Any:
    return getattr(keras.layers, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(keras.layers)})


__all__ += [name for name in dir(keras.layers) if not name.startswith("_")]  # for "import *"
