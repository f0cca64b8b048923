"""What the kernel's arrays must be: it trusts its arguments, so everything is checked here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.cells import CELLS, Weights
from gatewise.kernels.machine import compiled

Floats = NDArray[np.float32]
Offsets = NDArray[np.int64]


def _fits(array: Any, dtype: type[np.generic], dimensions: int) -> bool:
    return (
        isinstance(array, np.ndarray)
        and array.ndim == dimensions
        and array.dtype == dtype
        and array.flags.c_contiguous
    )


def check_array(name: str, array: Any, shape: tuple[int, ...], whose: str = "") -> None:
    """One sentence about the type, the shape or the layout of an array that does not fit."""
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name} must be a NumPy array. Got {type(array).__name__}.")  # noqa: TRY004
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}{whose}. Got {array.shape}.")
    if array.dtype != np.float32:
        raise ValueError(f"{name} must be float32. Got {array.dtype}.")
    if not array.flags.c_contiguous:
        raise ValueError(f"{name} must be C-contiguous. Make it so with numpy.ascontiguousarray.")


def check_weights(cell: str, weights: Sequence[Weights]) -> tuple[int, int]:
    """E and H of a layer."""
    if cell not in CELLS:
        raise ValueError(f"The cell must be one of {', '.join(CELLS)}. Got {cell!r}.")
    if len(weights) not in (1, 2):
        raise ValueError(f"A layer must have weights of 1 or 2 directions. Got {len(weights)}.")
    for name in ("weight_ih", "weight_hh"):
        array = getattr(weights[0], name)
        if not isinstance(array, np.ndarray) or array.ndim != 2 or 0 in array.shape:
            raise ValueError(
                f"{name} must be a two-dimensional array of weights. Got {_shape(array)}."
            )
    input_size, size = weights[0].weight_ih.shape[1], weights[0].weight_hh.shape[1]
    rows = len(CELLS[cell].gates) * size
    shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, size)}
    for direction in weights:
        if (direction.bias_ih is None) != (weights[0].bias_ih is None) or (
            direction.bias_hh is None
        ) != (weights[0].bias_ih is None):
            raise ValueError("Every direction must have both biases or none has any.")
        for name, array in direction._asdict().items():
            if array is not None:
                shape = shapes.get(name, (rows,))
                whose = f" for {_article(cell)} of hidden size {size}"
                if isinstance(array, np.ndarray) and array.shape != shape:
                    raise ValueError(
                        f"{name} must have shape {shape}{whose}. "
                        f"Got {array.shape}{_likely_cell(array, shape, size)}."
                    )
                check_array(name, array, shape)
    return input_size, size


def _shape(array: Any) -> str:
    return str(array.shape) if isinstance(array, np.ndarray) else type(array).__name__


def _article(cell: str) -> str:
    return f"a {cell}" if cell.startswith("g") else f"an {cell}"


def _likely_cell(array: NDArray[Any], shape: tuple[int, ...], size: int) -> str:
    """The cell whose weights would have this shape, as the end of an error sentence."""
    if array.ndim == len(shape) and array.shape[1:] == shape[1:]:
        for cell in CELLS.values():
            if array.shape[0] == len(cell.gates) * size:
                return f", the shape of {_article(cell.name)}"
    return ""


def check_batch(x: Floats, offsets: Offsets, input_size: int) -> tuple[int, int]:
    """N and B of a ragged batch."""
    tokens = len(x) if isinstance(x, np.ndarray) and x.ndim else 0
    # One text takes some fifty microseconds: what is as it should be passes by a few comparisons.
    if not _fits(x, np.float32, 2) or x.shape[1] != input_size:
        check_array("x", x, (tokens, input_size), f" for an input size of {input_size}")
    check_offsets(offsets, tokens, "rows of x")
    return tokens, len(offsets) - 1


def check_projected(rows: Floats, places: Offsets, offsets: Offsets, width: int) -> tuple[int, int]:
    """N and B of a ragged batch whose inputs are rows of a layer's products, (U, width)."""
    count = len(rows) if isinstance(rows, np.ndarray) and rows.ndim else 0
    if not width:
        raise ValueError("Projected inputs need a layer in fp32. Give x itself.")
    check_array("rows", rows, (count, width), " of this layer's products")
    if not _fits(places, np.int64, 1):
        raise ValueError(
            "places must be a contiguous one-dimensional int64 array. "
            f"Got {getattr(places, 'dtype', type(places).__name__)} of shape {_shape(places)}."
        )
    if not compiled.within(places, count):
        if not count:
            raise ValueError("places must be empty where there are no rows.")
        raise ValueError(
            f"places must be from 0 to {count - 1}, the rows. Got {places.min()} to {places.max()}."
        )
    check_offsets(offsets, len(places), "places")
    return len(places), len(offsets) - 1


def check_offsets(offsets: Offsets, tokens: int, counted: str) -> None:
    """Offsets must rise from 0 to the number of what is counted."""
    if not _fits(offsets, np.int64, 1) or len(offsets) == 0:
        raise ValueError(
            "offsets must be a contiguous one-dimensional int64 array of at least one entry. "
            f"Got {getattr(offsets, 'dtype', type(offsets).__name__)} of shape {_shape(offsets)}."
        )
    if not compiled.rises(offsets, tokens):
        raise ValueError(
            f"offsets must rise from 0 to {tokens}, the number of {counted}. "
            f"Got offsets from {offsets[0]} to {offsets[-1]}."
        )


def check_start(
    cell: str, hidden0: Floats | None, cell0: Floats | None, shape: tuple[int, ...]
) -> None:
    """Start states must have the shape (D, B, H), and only an lstm has cell states."""
    if hidden0 is not None:
        check_array("hidden0", hidden0, shape)
    if cell0 is not None:
        if not CELLS[cell].has_cell:
            raise ValueError(f"cell0 must be None for cells without a cell state. Got {cell}.")
        check_array("cell0", cell0, shape)
