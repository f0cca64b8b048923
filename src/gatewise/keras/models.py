"""Sequential as programs of Keras 2 use it; everything else of keras.models is Keras's own."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from gatewise.keras.inputs import check_inputs
from gatewise.keras.saved import OURS, with_our_layers

__all__ = ["Sequential", "load_model"]


@keras.saving.register_keras_serializable("gatewise")
class Sequential(keras.Sequential):
    """keras.Sequential whose shapes are known after `add`, as in Keras 2.

    If the first layer is an Embedding without a length, texts may have any length. `fit`,
    `evaluate`, `predict` and the like refuse texts, and arrays that cannot be a batch of inputs,
    with a sentence (DataError). `predict_classes`, `predict_proba` and `reset_states` are there as
    in Keras 2.
    """

    _implied_input = False

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top of the others."""
        if not self._layers:
            batch_shape = getattr(layer, "_batch_shape_arg", None)
            implied = isinstance(layer, keras.layers.Embedding) and not hasattr(
                layer, "_input_shape_arg"
            )
            if batch_shape is not None:
                super().add(keras.layers.InputLayer(batch_shape=batch_shape))
            elif implied:
                super().add(keras.layers.InputLayer(shape=(None,)))
                self._implied_input = True
        super().add(layer, rebuild=rebuild)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of a shape, which may say what an Embedding left open."""
        if self._implied_input and input_shape is not None and self._layers:
            shape = tuple(input_shape)
            if shape != self._layers[0].batch_shape:
                self._layers[0] = keras.layers.InputLayer(batch_shape=shape)
                self._functional = None
        super().build(input_shape)

    def fit(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As keras.Model.fit; the history holds plain numbers, as in Keras 2, not tensors."""
        check_inputs(self, "fit", x, y)
        history = super().fit(x, y, *args, **kwargs)
        for name, values in history.history.items():
            history.history[name] = [
                value.tolist() if hasattr(value, "tolist") else value for value in values
            ]
        return history

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As keras.Model.evaluate."""
        check_inputs(self, "evaluate", x, y)
        return super().evaluate(x, y, *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """As keras.Model.predict."""
        check_inputs(self, "predict", x)
        return super().predict(x, *args, **kwargs)

    def train_on_batch(self, x: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As keras.Model.train_on_batch."""
        check_inputs(self, "train_on_batch", x, y)
        return super().train_on_batch(x, y, *args, **kwargs)

    def predict_proba(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """`predict`, under the name that it had besides in Keras 2."""
        return self.predict(x, *args, **kwargs)

    def predict_classes(self, x: Any, *args: Any, **kwargs: Any) -> NDArray[np.int64]:
        """The class with the greatest output, (B,); for one sigmoid output 0 or 1, (B, 1)."""
        answers = self.predict(x, *args, **kwargs)
        if answers.shape[-1] > 1:
            return np.asarray(answers.argmax(axis=-1))
        return np.asarray(answers > 0.5, np.int64)

    def reset_states(self) -> None:
        """Set the states of all stateful layers to zero."""
        for layer in self._flatten_layers():
            if isinstance(layer, keras.layers.RNN):
                layer.reset_state()


def load_model(
    filepath: Any, custom_objects: dict[str, Any] | None = None, *args: Any, **kwargs: Any
) -> Any:
    """As keras.models.load_model; layers of `keras.layers` that are among ours become ours."""
    named = {**OURS, "Sequential": Sequential} if _is_hdf5(filepath) else {}
    named |= custom_objects or {}
    with TemporaryDirectory() as folder:
        file = filepath
        if isinstance(filepath, (str, Path)):
            file = with_our_layers(Path(filepath), Path(folder))
        return keras.models.load_model(file, named, *args, **kwargs)


def _is_hdf5(filepath: Any) -> bool:
    return str(filepath).endswith((".h5", ".hdf5"))


def __getattr__(name: str) -> Any:
    return getattr(keras.models, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(keras.models)})


__all__ += [name for name in dir(keras.models) if not name.startswith("_")]  # for "import *"
