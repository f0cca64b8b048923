"""The likeliest of very many classes, without a table of all their scores."""

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


class Softmax:
    """K classes whose scores are products, packed once; immutable, so any threads may share it.

    The greatest scores and the sum of all exponentials are taken from the product while it is being
    made. A row's answer is the same to the bit alone or beside others, with any number of threads.

    Args:
        weight: of every class, (K, E).
        bias: of every class, (K,).
        threads: to pack with; by default all cores.

    Raises:
        ValueError: a shape or type does not fit, or `threads` is no whole number of at least 1.
    """

    def __init__(self, weight: Floats, bias: Floats, threads: int | None = None) -> None:
        shape = weight.shape if isinstance(weight, np.ndarray) else ()
        if len(shape) != 2 or 0 in shape:
            raise ValueError(f"weight must be a two-dimensional array of weights. Got {shape}.")
        check_array("weight", weight, shape)
        check_array("bias", bias, shape[:1], f" for {shape[0]} classes")
        self.weight, self.bias = weight, bias
        self._packed = compiled.Softmax(weight, bias, thread_count(threads))

    def __reduce__(self) -> tuple[Any, ...]:
        return Softmax, (self.weight, self.bias)

    def likeliest(self, inputs: Floats, count: int, threads: int | None = None) -> Likeliest:
        """The `count` likeliest classes after every row of inputs, (R, E).

        Raises:
            ValueError: a shape or type does not fit, `count` is not from 0 to K, or `threads` is no
                whole number of at least 1.
        """
        classes, size = self.weight.shape
        rows = len(inputs) if isinstance(inputs, np.ndarray) and inputs.ndim else 0
        check_array("inputs", inputs, (rows, size), f" for an input size of {size}")
        if not 0 <= count <= classes:
            raise ValueError(f"count must be from 0 to {classes}, the classes. Got {count!r}.")
        found = Likeliest(
            np.empty((rows, count), np.int32),
            np.empty((rows, count), np.float32),
            np.empty(rows, np.float64),
        )
        self._packed.likeliest(inputs, *found, thread_count(threads))
        return found

    def log_probabilities(
        self, inputs: Floats, classes: NDArray[np.integer[Any]], threads: int | None = None
    ) -> NDArray[np.float64]:
        """Log-probability of one class after every row of inputs, in nats: (R, E), (R,) → (R,).

        Raises:
            ValueError: a shape or type does not fit, or `threads` is no whole number of at least 1.
            IndexError: there is no such class.
        """
        own = np.einsum("re,re->r", inputs, self.weight[classes]) + self.bias[classes]
        return np.asarray(own - self.likeliest(inputs, 0, threads).log_totals)
