"""Tables of vectors, of which a training step reads few rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional


class Table(nn.Parameter):
    """A parameter (V, E) that is read by whole rows, few of its V at a time.

    To any optimizer it is a parameter like others. One that follows its rows sets `reader`, which
    then hands out the rows of every step and gets their gradient in place of the parameter.
    """

    reader: Callable[[Tensor], Tensor] | None = None

    def read(self, rows: Tensor) -> Tensor:
        """Rows that are all different: (R,) → (R, E)."""
        if self.reader is not None and torch.is_grad_enabled():
            return self.reader(rows)
        return functional.embedding(rows, self)


def distinct(
    values: NDArray[np.integer], bound: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What np.unique(values, return_inverse=True) says, for values from 0 to below `bound`.

    It marks what it sees instead of sorting, which is several times faster.
    """
    seen = np.zeros(bound, np.bool_)
    seen[values] = True
    found = np.flatnonzero(seen)
    places = np.empty(bound, np.int64)
    places[found] = np.arange(len(found))
    return found, places[values]
