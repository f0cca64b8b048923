"""What is given to a model in place of a batch of numbers, found out before Keras sees it."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from gatewise.errors import DataError

_HOW_TO_NUMBER = (
    "Turn texts into numbers first: Tokenizer of gatewise.keras.preprocessing.text, then "
    "pad_sequences; or use gatewise.TextClassifier, which reads texts as they are."
)


def check_inputs(model: Any, method: str, x: Any, y: Any = None) -> None:
    """Refuse what cannot be inputs and targets of a model with one input.

    What is no array or list (a generator, a data set) is left to Keras.

    Raises:
        DataError: x holds texts, rows of different lengths, one text alone instead of a batch, or
            rows of another shape than the model's; or y holds texts.
    """
    if _holds_texts(x):
        raise DataError(
            f"{method} reads numbers, one for every word. Got texts in x, such as "
            f"{_first_text(x)!r}. {_HOW_TO_NUMBER}"
        )
    if _holds_texts(y):
        raise DataError(
            f"{method} compares with numbers. Got texts in y, such as {_first_text(y)!r}. Number "
            "the classes, 0, 1, 2, …, and for categorical_crossentropy call to_categorical."
        )
    lengths = _row_lengths(x)
    if len(set(lengths)) > 1:
        raise DataError(
            f"All rows of x must have the same length. Got lengths from {min(lengths)} to "
            f"{max(lengths)}. Bring them to one with pad_sequences, and give the Embedding "
            "mask_zero=True, so that the zeros are not read."
        )
    if lengths:
        raise DataError(
            f"{method} reads arrays. Got a list of {len(lengths)} rows in x, which Keras would "
            "take for as many inputs. Make it an array: numpy.array(x)."
        )
    if getattr(model, "_functional", None) is None or not isinstance(model.input_shape, tuple):
        return
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        _check_shape(method, tuple(x.shape), model.input_shape)


def _check_shape(method: str, shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> None:
    if len(shape) == len(wanted) - 1 and _fits(shape, wanted[1:]):
        raise DataError(
            f"{method} reads a batch, an array of shape {_named(wanted)}. Got {shape}, one text or "
            "series alone. Put it into a batch of one: x[None]."
        )
    if len(shape) == 1 and len(wanted) == 2:
        raise DataError(
            f"{method} reads a batch, an array of shape {_named(wanted)}: a row for every text. "
            f"Got one vector of {shape[0]} numbers. Cut it into texts, and bring these to one "
            "length with pad_sequences."
        )
    if len(shape) != len(wanted) or not _fits(shape[1:], wanted[1:]):
        hint = " Bring rows to one length with pad_sequences." if len(wanted) == 2 else ""
        if len(shape) == len(wanted) - 1 and _fits((*shape[1:], 1), wanted[1:]):
            hint = " Give every step its one number: x[..., None]."
        raise DataError(
            f"{method} reads an array of shape {_named(wanted)} with this model. Got {shape}.{hint}"
        )


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return all(size in (None, got) for got, size in zip(shape, wanted, strict=True))


def _named(shape: tuple[int | None, ...]) -> str:
    sizes = ["any" if size is None else str(size) for size in shape[1:]]
    rows = "rows" if shape[0] is None else str(shape[0])
    return f"({', '.join([rows, *sizes])})"


def _holds_texts(given: Any) -> bool:
    return _first_text(given) is not None


def _first_text(given: Any) -> str | None:
    """The first text in a text, an array, or a list (of lists), if there is any."""
    if isinstance(given, str):
        return given
    if isinstance(given, np.ndarray) and given.dtype.kind in "OUS":
        given = given.ravel()[:100].tolist()
    if type(given).__name__ == "Series":  # of pandas
        given = given.iloc[:100].tolist()
    if not isinstance(given, (list, tuple)):
        return None
    for part in islice(given, 100):
        found = _first_text(part)
        if found is not None:
            return found
    return None


def _row_lengths(x: Any) -> list[int]:
    """Lengths of the rows of a list of lists of numbers, or of an array of lists; else none."""
    if isinstance(x, np.ndarray) and x.dtype == object:
        x = x.tolist()
    if not isinstance(x, list) or not all(isinstance(row, (list, tuple)) for row in x):
        return []
    return [len(row) for row in x]
