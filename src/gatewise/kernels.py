"""The only door to the C++ kernel: recurrent layers over ragged batches, on NumPy arrays.

One call is one layer with one or two directions. N tokens in B texts, E input size, H hidden size,
D directions, G gates, S saved blocks; all arrays are float32 and C-contiguous, offsets int64:

    x (N, E)         hidden (N, D*H)           gates (D, N, S*H)   saved blocks, `Cell.saved` order
    offsets (B+1,)   final_hidden (D, B, H)    cells (D, N, H)     cell states, lstm only
    hidden0, cell0   final_cell (D, B, H)

Text i owns the tokens offsets[i] .. offsets[i + 1]; direction 1 walks backwards; the final state
of an empty text is its start state. Results are the same to the bit for any number of threads, and
for a text alone or in any batch. The interpreter lock is released during the work.

`precision` is that of the numbers that are multiplied: "fp32"; "bf16" (bfloat16), which rounds them
to 8 bits of mantissa; or, to answer only, "int8", which rounds every row of weights and operands to
whole numbers up to 127 times a scale. The latter two need a processor with instructions for them.
Sums, states and everything that goes in or out are float32 in all three.

The environment variable GATEWISE_KERNEL forces an instruction set; `describe()` names them.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gatewise.cells import CELLS
from gatewise.cells import Weights as Weights  # noqa: PLC0414 - for whoever calls
from gatewise.errors import OptionError

Floats = NDArray[np.float32]
Offsets = NDArray[np.int64]

try:
    _kernel: Any = importlib.import_module("gatewise._kernel")
except ImportError as error:
    raise ImportError(
        "The compiled part of Gatewise, gatewise._kernel, is missing or cannot be loaded "
        f"({error}). Build it in the source folder with: pip install --no-build-isolation -e ."
    ) from None

_forced = os.environ.get("GATEWISE_KERNEL")
if _forced is not None and not _kernel.use_target(_forced):
    raise OptionError(
        "The environment variable GATEWISE_KERNEL must be one of "
        f"{', '.join(_kernel.available_targets())} on this machine. Got {_forced!r}."
    )

_KINDS = {name: kind for kind, name in enumerate(CELLS)}
Precision = Literal["fp32", "bf16", "int8"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "int8")


def describe() -> dict[str, Any]:
    """The instruction set in use, those available here, and whose threads do this one's work."""
    return {
        "in_use": _kernel.target(),
        "available": _kernel.available_targets(),
        "precisions": precisions(),
        "threads": default_threads(),
        "team": _kernel.team(),
    }


def precisions() -> tuple[Precision, ...]:
    """The precisions that the instruction set in use has."""
    return tuple(p for number, p in enumerate(PRECISIONS) if _kernel.has_precision(number))


def chosen_precision(wanted: str) -> Precision:
    """The precision that fp32, bf16, int8 or auto stands for on this machine.

    Auto is bf16 on the matrix unit of Intel's processors and on AMD's. Others with AVX512-BF16 do
    half as many of its products per second as of fp32.

    Raises:
        OptionError: the instruction set in use has no such products.
    """
    if wanted == "auto":
        wanted = "bf16" if _kernel.prefers_bfloat16() else "fp32"
    return PRECISIONS[_precision(wanted)]


def default_threads() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def fma_peak(threads: int | None = None) -> float:
    """The most float32 GFLOP/s that the instruction set in use can do, measured for some 0.1 s.

    Multiplications and additions in registers alone: what no program on this machine exceeds.
    """
    return float(_kernel.peak(_threads(threads))) / 1e9


def share_threads() -> None:
    """Do the calling thread's work on torch's threads from now on, if torch is loaded.

    For threads that run torch's operations too: two teams disturb each other.
    """
    _kernel.share_threads()


@dataclass(eq=False, slots=True)
class Output:
    """What a layer answers.

    Attributes:
        hidden: (N, D*H), the hidden state of every token.
        final_hidden: (D, B, H), after the last token walked.
        final_cell: (D, B, H) for an lstm, else None.
        saved_gates: (D, N, S*H) if asked for with save=True, else None.
        saved_cells: (D, N, H) for an lstm with save=True, else None.
    """

    cell: str
    hidden: Floats
    final_hidden: Floats
    final_cell: Floats | None
    saved_gates: Floats | None
    saved_cells: Floats | None

    @property
    def gates(self) -> dict[str, Floats]:
        """Views (D, N, H) of the saved gates by name, for instance gates["forget"]."""
        if self.saved_gates is None:
            raise ValueError(
                "The gates of a layer are kept only if forward is called with save=True."
            )
        names = CELLS[self.cell].saved
        size = self.final_hidden.shape[2]
        return {
            name: self.saved_gates[:, :, block * size : (block + 1) * size]
            for block, name in enumerate(names)
        }


@dataclass(frozen=True, eq=False)
class Gradients:
    """What `backward` answers; d_cell0 is None unless the cell is an lstm."""

    d_x: Floats | None  # (N, E)
    d_weights: list[Weights]  # per direction
    d_hidden0: Floats  # (D, B, H)
    d_cell0: Floats | None  # (D, B, H)


class Prepared:
    """A layer's weights, packed once for answering; immutable, so any threads may share it.

    A copy or an unpickled one packs the same weights anew, as the machine it is on wants them.

    Raises:
        ValueError: a shape or type does not fit, in one sentence.
    """

    def __init__(
        self,
        cell: str,
        weights: Sequence[Weights],
        threads: int | None = None,
        precision: str = "fp32",
    ) -> None:
        self.cell = cell
        self.precision = precision
        self.weights = tuple(weights)
        self.input_size, self.hidden_size = _check_weights(cell, weights)
        self.directions = len(weights)
        self._packed = _kernel.Packed(
            _KINDS[cell], *_columns(weights), _precision(precision), _threads(threads)
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return Prepared, (self.cell, self.weights, None, self.precision)

    def forward(
        self,
        x: Floats,
        offsets: Offsets,
        *,
        hidden0: Floats | None = None,
        cell0: Floats | None = None,
        save: bool = False,
        threads: int | None = None,
    ) -> Output:
        """The layer's answer to a ragged batch; `save` keeps gates and cells for the gradient."""
        has_cell = CELLS[self.cell].has_cell
        tokens, texts = _check_batch(x, offsets, self.input_size)
        state = (self.directions, texts, self.hidden_size)
        _check_start(self.cell, hidden0, cell0, state)
        blocks = len(CELLS[self.cell].saved)
        output = Output(
            self.cell,
            np.empty((tokens, self.directions * self.hidden_size), np.float32),
            np.empty(state, np.float32),
            np.empty(state, np.float32) if has_cell else None,
            np.empty((self.directions, tokens, blocks * self.hidden_size), np.float32)
            if save
            else None,
            np.empty((self.directions, tokens, self.hidden_size), np.float32)
            if save and has_cell
            else None,
        )
        self._packed.forward(
            x,
            offsets,
            hidden0,
            cell0,
            output.hidden,
            output.final_hidden,
            output.final_cell,
            output.saved_gates,
            output.saved_cells,
            _threads(threads),
        )
        return output


def forward(
    cell: str,
    x: Floats,
    offsets: Offsets,
    weights: Sequence[Weights],
    *,
    hidden0: Floats | None = None,
    cell0: Floats | None = None,
    save: bool = False,
    threads: int | None = None,
    precision: str = "fp32",
) -> Output:
    """One layer over a ragged batch: pack the weights, then answer. One `Weights` per direction.

    Raises:
        ValueError: a shape or type does not fit, in one sentence.
    """
    prepared = Prepared(cell, weights, threads, precision)
    return prepared.forward(x, offsets, hidden0=hidden0, cell0=cell0, save=save, threads=threads)


def backward(
    cell: str,
    x: Floats,
    offsets: Offsets,
    weights: Sequence[Weights],
    output: Output,
    *,
    d_hidden: Floats | None = None,
    d_final_hidden: Floats | None = None,
    d_final_cell: Floats | None = None,
    hidden0: Floats | None = None,
    cell0: Floats | None = None,
    input_gradient: bool = True,
    threads: int | None = None,
    precision: str = "fp32",
) -> Gradients:
    """Every gradient of `forward`, which must have been called with save=True.

    Takes forward's own arguments, its output and the gradients of hidden (N, D*H) and of the final
    states (D, B, H); those that are None count as zeros. Without `input_gradient`, d_x is left out.
    The output is not changed: the gradient may be taken any number of times.

    Raises:
        ValueError: a shape or type does not fit, or the output holds no gates.
    """
    input_size, size = _check_weights(cell, weights)
    tokens, texts = _check_batch(x, offsets, input_size)
    state = (len(weights), texts, size)
    has_cell = CELLS[cell].has_cell
    _check_start(cell, hidden0, cell0, state)
    if precision == "int8":
        raise OptionError("The precision int8 is for answers: it has no gradient.")
    if output.saved_gates is None:
        raise ValueError("The gradient of a layer needs the gates: call forward with save=True.")
    _check_array("hidden", output.hidden, (tokens, len(weights) * size))
    blocks = len(CELLS[cell].saved)
    _check_array("saved_gates", output.saved_gates, (len(weights), tokens, blocks * size))
    if has_cell:
        _check_array("saved_cells", output.saved_cells, (len(weights), tokens, size))
    if d_hidden is not None:
        _check_array("d_hidden", d_hidden, output.hidden.shape)
    if d_final_hidden is not None:
        _check_array("d_final_hidden", d_final_hidden, state)
    if d_final_cell is not None:
        if not has_cell:
            raise ValueError(
                f"d_final_cell must be None for cells without a cell state. Got {cell}."
            )
        _check_array("d_final_cell", d_final_cell, state)
    gradients = Gradients(
        np.empty_like(x) if input_gradient else None,
        [
            Weights(*(None if part is None else np.empty_like(part) for part in weight))  # type: ignore[arg-type]
            for weight in weights
        ],
        np.empty(state, np.float32),
        np.empty(state, np.float32) if has_cell else None,
    )
    weight_ih, weight_hh, _, _ = _columns(weights)
    _kernel.backward(
        _KINDS[cell],
        x,
        offsets,
        weight_ih,
        weight_hh,
        hidden0,
        cell0,
        output.hidden,
        output.saved_gates,
        output.saved_cells,
        d_hidden,
        d_final_hidden,
        d_final_cell,
        gradients.d_x,
        *_columns(gradients.d_weights),
        gradients.d_hidden0,
        gradients.d_cell0,
        _precision(precision),
        _threads(threads),
    )
    return gradients


def _columns(weights: Sequence[Weights]) -> tuple[list[Any], ...]:
    """Lists over the directions of weight_ih, weight_hh, bias_ih, bias_hh, without the Nones."""
    return tuple(
        [part for part in parts if part is not None] for parts in zip(*weights, strict=True)
    )


def _threads(threads: int | None) -> int:
    if threads is None:
        return default_threads()
    if threads < 1:
        raise ValueError(f"threads must be at least 1. Got {threads}.")
    return threads


_NEEDS = {"bf16": "AMX or AVX512-BF16", "int8": "AVX512-VNNI"}


def _precision(precision: str) -> int:
    if precision not in PRECISIONS:
        raise OptionError(
            f"The precision must be one of {', '.join(PRECISIONS)}. Got {precision!r}."
        )
    number = PRECISIONS.index(precision)
    if not _kernel.has_precision(number):
        raise OptionError(
            f"The precision {precision} needs a processor with {_NEEDS[precision]}. The instruction "
            f"set in use here is {_kernel.target()}: choose {' or '.join(precisions())}."
        )
    return number


def _fits(array: Any, dtype: type[np.generic], dimensions: int) -> bool:
    return (
        isinstance(array, np.ndarray)
        and array.ndim == dimensions
        and array.dtype == dtype
        and array.flags.c_contiguous
    )


def _check_array(name: str, array: Any, shape: tuple[int, ...], whose: str = "") -> None:
    """One sentence about the type, the shape or the layout of an array that does not fit."""
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name} must be a NumPy array. Got {type(array).__name__}.")  # noqa: TRY004
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}{whose}. Got {array.shape}.")
    if array.dtype != np.float32:
        raise ValueError(f"{name} must be float32. Got {array.dtype}.")
    if not array.flags.c_contiguous:
        raise ValueError(f"{name} must be C-contiguous. Make it so with numpy.ascontiguousarray.")


def _check_weights(cell: str, weights: Sequence[Weights]) -> tuple[int, int]:
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
                _check_array(name, array, shape)
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


def _check_batch(x: Floats, offsets: Offsets, input_size: int) -> tuple[int, int]:
    """N and B of a ragged batch."""
    tokens = len(x) if isinstance(x, np.ndarray) and x.ndim else 0
    # One text takes some fifty microseconds: what is as it should be passes by a few comparisons.
    if not _fits(x, np.float32, 2) or x.shape[1] != input_size:
        _check_array("x", x, (tokens, input_size), f" for an input size of {input_size}")
    if not _fits(offsets, np.int64, 1) or len(offsets) == 0:
        raise ValueError(
            "offsets must be a contiguous one-dimensional int64 array of at least one entry. "
            f"Got {getattr(offsets, 'dtype', type(offsets).__name__)} of shape {_shape(offsets)}."
        )
    if not _kernel.rises(offsets, tokens):
        raise ValueError(
            f"offsets must rise from 0 to {tokens}, the number of rows of x. "
            f"Got offsets from {offsets[0]} to {offsets[-1]}."
        )
    return tokens, len(offsets) - 1


def _check_start(
    cell: str, hidden0: Floats | None, cell0: Floats | None, shape: tuple[int, ...]
) -> None:
    if hidden0 is not None:
        _check_array("hidden0", hidden0, shape)
    if cell0 is not None:
        if not CELLS[cell].has_cell:
            raise ValueError(f"cell0 must be None for cells without a cell state. Got {cell}.")
        _check_array("cell0", cell0, shape)
