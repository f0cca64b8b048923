"""One recurrent layer: prepared for answers, forward, and its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gatewise.cells import CELLS, Weights
from gatewise.errors import OptionError
from gatewise.kernels.checks import (
    Floats,
    Offsets,
    check_array,
    check_batch,
    check_projected,
    check_start,
    check_weights,
)
from gatewise.kernels.machine import KINDS, compiled, precision_number, thread_count


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


class Projected(NamedTuple):
    """Inputs that come again: what the walks take from each was made once.

    Args:
        rows: of U different inputs, as `Prepared.project` made them, (U, W).
        places: which of them the tokens have, (N,).
    """

    rows: Floats
    places: Offsets


class Prepared:
    """A layer's weights, packed once for answering; immutable, so any threads may share it.

    A copy or an unpickled one packs the same weights anew, as the machine it is on wants them.

    Args:
        cell: a name of `gatewise.cells.CELLS`.
        weights: of every direction.
        threads: to pack with; by default all cores.
        precision: of the products, see `gatewise.kernels`.

    Raises:
        ValueError: a shape or type does not fit, or `threads` is no whole number of at least 1.
        OptionError: there is no such precision, or the processor does not have it.
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
        self.input_size, self.hidden_size = check_weights(cell, weights)
        self.directions = len(weights)
        self._packed = compiled.Packed(
            KINDS[cell], *_columns(weights), precision_number(precision), thread_count(threads)
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return Prepared, (self.cell, self.weights, None, self.precision)

    @property
    def projected_size(self) -> int:
        """Numbers that `project` makes of an input, W; 0 where it cannot be asked."""
        return int(self._packed.projected_floats)

    @property
    def projects(self) -> bool:
        """Whether `project` can be asked: in fp32 alone the walk may go on from products."""
        return self.projected_size > 0

    def project(self, x: Floats, threads: int | None = None) -> Floats:
        """What `forward` takes from inputs: (U, E) → (U, W).

        An input that comes more than once costs its product only once: half of the work where E is
        as large as H. The answers are the same to the bit.

        Raises:
            ValueError: a shape or type does not fit, `threads` is no whole number of at least 1, or
                the precision is not fp32.
        """
        if not self.projects:
            raise ValueError(f"Inputs are projected in fp32 only. Got {self.precision}.")
        rows = len(x) if isinstance(x, np.ndarray) and x.ndim else 0
        check_array("x", x, (rows, self.input_size), f" for an input size of {self.input_size}")
        projected = np.empty((rows, self.projected_size), np.float32)
        self._packed.project(x, projected, thread_count(threads))
        return projected

    def forward(
        self,
        x: Floats | Projected,
        offsets: Offsets,
        *,
        hidden0: Floats | None = None,
        cell0: Floats | None = None,
        save: bool = False,
        threads: int | None = None,
    ) -> Output:
        """The layer's answer to a ragged batch; `save` keeps gates and cells for the gradient.

        Args:
            x: (N, E), or what `project` made of the inputs and which of its rows each token has.
            offsets: where texts start and end, (B + 1,).
            hidden0: states to start from, (D, B, H); zeros if None.
            cell0: likewise.
            save: whether to keep gates and cells.
            threads: by default all cores.

        Raises:
            ValueError: a shape or type does not fit, or `threads` is no whole number of at least 1.
        """
        has_cell = CELLS[self.cell].has_cell
        if isinstance(x, Projected):
            inputs: tuple[Any, ...] = (None, *x)
            tokens, texts = check_projected(*x, offsets, self.projected_size)
        else:
            inputs = (x, None, None)
            tokens, texts = check_batch(x, offsets, self.input_size)
        state = (self.directions, texts, self.hidden_size)
        check_start(self.cell, hidden0, cell0, state)
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
            *inputs,
            offsets,
            hidden0,
            cell0,
            output.hidden,
            output.final_hidden,
            output.final_cell,
            output.saved_gates,
            output.saved_cells,
            thread_count(threads),
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
        ValueError: a shape or type does not fit, or `threads` is no whole number of at least 1.
        OptionError: there is no such precision, or the processor does not have it.
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
        ValueError: a shape or type does not fit, the output holds no gates, or `threads` is no
            whole number of at least 1.
        OptionError: there is no such precision, the processor does not have it, or it is int8,
            which has no gradient.
    """
    input_size, size = check_weights(cell, weights)
    tokens, texts = check_batch(x, offsets, input_size)
    state = (len(weights), texts, size)
    has_cell = CELLS[cell].has_cell
    check_start(cell, hidden0, cell0, state)
    if precision == "int8":
        raise OptionError("The precision int8 is for answers: it has no gradient.")
    if output.saved_gates is None:
        raise ValueError("The gradient of a layer needs the gates: call forward with save=True.")
    check_array("hidden", output.hidden, (tokens, len(weights) * size))
    blocks = len(CELLS[cell].saved)
    check_array("saved_gates", output.saved_gates, (len(weights), tokens, blocks * size))
    if has_cell:
        check_array("saved_cells", output.saved_cells, (len(weights), tokens, size))
    if d_hidden is not None:
        check_array("d_hidden", d_hidden, output.hidden.shape)
    if d_final_hidden is not None:
        check_array("d_final_hidden", d_final_hidden, state)
    if d_final_cell is not None:
        if not has_cell:
            raise ValueError(
                f"d_final_cell must be None for cells without a cell state. Got {cell}."
            )
        check_array("d_final_cell", d_final_cell, state)
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
    compiled.backward(
        KINDS[cell],
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
        precision_number(precision),
        thread_count(threads),
    )
    return gradients


def _columns(weights: Sequence[Weights]) -> tuple[list[Any], ...]:
    """Lists over the directions of weight_ih, weight_hh, bias_ih, bias_hh, without the Nones."""
    return tuple(
        [part for part in parts if part is not None] for parts in zip(*weights, strict=True)
    )
