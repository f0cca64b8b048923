"""A linear layer: its outputs, or the likeliest of very many classes without a table of all."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatewise.kernels.checks import Floats, check_array
from gatewise.kernels.machine import compiled, thread_count


class Likeliest(NamedTuple):
    """The classes of greatest score of R rows.

    Args:
        ids: greatest score first, of equal ones the first class, (R, count); -1 where no score is
            greater than -inf.
        scores: theirs, (R, count).
        log_totals: the logarithms of the sums of the exponentials of all scores, (R,): a class's
            log-probability is its score less this.
    """

    ids: NDArray[np.int32]
    scores: Floats
    log_totals: NDArray[np.float64]


class Linear:
    """Weights of a linear layer, packed once; immutable, so any threads may share it.

    A row's answer is the same to the bit alone or beside others, with any number of threads, which
    are those of the recurrent layers: NumPy's own would get into their way.

    Args:
        weight: (O, I).
        bias: (O,); None for none.
        threads: to pack with; by default all cores.

    Raises:
        ValueError: a shape or type does not fit, or `threads` is no whole number of at least 1.
    """

    def __init__(self, weight: Floats, bias: Floats | None = None, threads: int | None = None):
        shape = weight.shape if isinstance(weight, np.ndarray) else ()
        if len(shape) != 2 or 0 in shape:
            raise ValueError(f"weight must be a two-dimensional array of weights. Got {shape}.")
        check_array("weight", weight, shape)
        if bias is not None:
            check_array("bias", bias, shape[:1], f" for {shape[0]} outputs")
        self.weight, self.bias = weight, bias
        self._packed = compiled.Linear(weight, bias, thread_count(threads))

    def __reduce__(self) -> tuple[Any, ...]:
        return Linear, (self.weight, self.bias)

    def __call__(self, x: Floats, threads: int | None = None) -> Floats:
        """The outputs: (R, I) → (R, O).

        Raises:
            ValueError: a shape or type does not fit, or `threads` is no whole number of at least 1.
        """
        outputs = np.empty((self._rows(x), len(self.weight)), np.float32)
        self._packed.outputs(x, outputs, thread_count(threads))
        return outputs

    def likeliest(self, x: Floats, count: int, threads: int | None = None) -> Likeliest:
        """The `count` greatest outputs, as scores of classes: (R, I) → (R, count).

        They and the sums of all exponentials are taken from the product while it is being made.

        Raises:
            ValueError: a shape or type does not fit, `count` is not from 0 to O, or `threads` is no
                whole number of at least 1.
        """
        rows = self._rows(x)
        if not 0 <= count <= len(self.weight):
            raise ValueError(
                f"count must be from 0 to {len(self.weight)}, the outputs. Got {count!r}."
            )
        found = Likeliest(
            np.empty((rows, count), np.int32),
            np.empty((rows, count), np.float32),
            np.empty(rows, np.float64),
        )
        self._packed.likeliest(x, *found, thread_count(threads))
        return found

    def log_probabilities(
        self, x: Floats, classes: NDArray[np.integer[Any]], threads: int | None = None
    ) -> NDArray[np.float64]:
        """Log-probability of one class after every row, in nats: (R, I), (R,) → (R,).

        Raises:
            ValueError: a shape or type does not fit, there is no such class, or `threads` is no
                whole number of at least 1.
        """
        rows, count = self._rows(x), len(self.weight)
        if classes.shape != (rows,):
            raise ValueError(
                f"classes must have shape {(rows,)}, one for every row of x. Got {classes.shape}."
            )
        if rows and not 0 <= classes.min() <= classes.max() < count:
            raise ValueError(
                f"classes must be from 0 to {count - 1}. Got {classes.min()} to {classes.max()}."
            )
        own = np.einsum("ri,ri->r", x, self.weight[classes])
        if self.bias is not None:
            own += self.bias[classes]
        # The two sums round apart, which must not make a class more than certain.
        logarithms = own - self.likeliest(x, 0, threads).log_totals
        return np.asarray(np.minimum(logarithms, 0.0))

    def _rows(self, x: Floats) -> int:
        rows, size = len(x) if isinstance(x, np.ndarray) and x.ndim else 0, self.weight.shape[1]
        check_array("x", x, (rows, size), f" for an input size of {size}")
        return rows
