"""Shapes that a layer is told beforehand, as layers of Keras 2 were."""

from __future__ import annotations

from typing import Any

from gatewise.errors import DataError, OptionError


class TakesInputShape:
    """A layer that takes the shape of its input as an argument, without Keras 3's warning.

    A Sequential model that begins with it then knows the shapes of all its layers.
    """

    _shape_names: tuple[str, ...] = ()
    """What the input has for every text; empty if it may be anything."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        batch = kwargs.pop("batch_input_shape", None)
        shape = kwargs.pop("input_shape", None)
        features, steps = kwargs.pop("input_dim", None), kwargs.pop("input_length", None)
        super().__init__(*args, **kwargs)
        if features is not None and shape is None:
            shape = (steps, features)
        if batch is not None and shape is None:
            shape = tuple(batch)[1:]
        if shape is None:
            return
        shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
        wanted = self._shape_names
        if wanted and len(shape) != len(wanted):
            raise OptionError(
                f"The 'input_shape' of {type(self).__name__} must be ({', '.join(wanted)}), the "
                f"shape of one text or series without the batch: {_example(shape)}. "
                f"Got {shape}."
            )
        self._input_shape_arg = shape
        self._batch_shape_arg = None if batch is None else tuple(batch)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Keras's call; an input of the wrong number of dimensions is refused with a sentence."""
        inputs = args[0] if args else next(iter(kwargs.values()), None)
        shape = getattr(inputs, "shape", None)
        wanted = self._shape_names
        if wanted and shape is not None and len(shape) != len(wanted) + 1:
            raise refused(_wrong_input(type(self).__name__, wanted, tuple(shape)))
        return super().__call__(*args, **kwargs)  # type: ignore[misc]


def refused(sentence: str) -> DataError:
    """An error that Keras passes on as it is; others it wraps in the arguments of the call."""
    error = DataError(sentence)
    error._keras_call_info_injected = True  # type: ignore[attr-defined]
    return error


def _example(shape: tuple[Any, ...]) -> str:
    if len(shape) == 1:
        return (
            f"({shape[0]}, 1) for {shape[0]} steps of one number each, (1, {shape[0]}) for one "
            f"step of {shape[0]} numbers"
        )
    return "(None, 16) for any number of steps of 16 numbers each"


def _wrong_input(layer: str, wanted: tuple[str, ...], shape: tuple[Any, ...]) -> str:
    sentence = f"{layer} reads an input of shape (texts, {', '.join(wanted)}). Got {shape}"
    if len(shape) != 2:
        return f"{sentence}."
    return (
        f"{sentence}, one vector per text, in which there are no steps to walk. Numbers of words "
        "need an Embedding before this layer; a recurrent layer before it needs "
        "return_sequences=True; a vector that stands for a whole text (TF-IDF, a mean of word "
        "vectors) has no order left to read: give it to Dense."
    )
