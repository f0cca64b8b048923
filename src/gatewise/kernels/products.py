"""What the first recurrent layer makes of tokens, kept by id: it is the same at every place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.kernels.checks import Floats
from gatewise.kernels.layer import Prepared, Projected

MOST_KEPT = 32_000_000
"""Numbers that the products of a whole vocabulary may have to be kept: 128 MB."""


class TokenProducts:
    """Products of tokens, each made when it is first met.

    Args:
        layer: the first recurrent layer, in fp32.
        vectors: of all tokens, (V, E).
    """

    def __init__(self, layer: Prepared, vectors: Floats) -> None:
        self._layer = layer
        self._vectors = vectors
        # The system gives memory for a row when it is first written.
        self._rows = np.empty((len(vectors), layer.projected_size), np.float32)
        self._met = np.zeros(len(vectors), np.bool_)

    def __reduce__(self) -> tuple[Any, ...]:
        return TokenProducts, (self._layer, self._vectors)  # copies meet all tokens anew

    @staticmethod
    def fit_memory(layer: Prepared, vectors: Floats) -> bool:
        """Whether those of all tokens are few enough to be kept."""
        return len(vectors) * layer.projected_size <= MOST_KEPT

    def look_up(self, ids: NDArray[np.integer], threads: int | None) -> Projected:
        """Of tokens, (N,)."""
        met = self._met.take(ids)
        if not met.all():
            fresh = np.unique(ids[~met])
            self._rows[fresh] = self._layer.project(self._vectors.take(fresh, axis=0), threads)
            # Last, so that whoever finds a token met finds its row. Two callers write the same.
            self._met[fresh] = True
        return Projected(self._rows, ids.astype(np.int64))
