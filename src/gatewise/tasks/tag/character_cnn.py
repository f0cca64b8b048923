"""A convolution over the characters of tokens and its maximum, to answer without PyTorch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gatewise.encoder import Floats
from gatewise.ragged import Ragged, spaced
from gatewise.shapes import FilterShape


class CharacterCNN:
    """What `gatewise.nn.character_cnn.CharacterCNN` has learned, laid out for answering.

    Args:
        shape: what it is made of.
        weights: arrays by name, of the shapes that `shape.weights()` says.
    """

    def __init__(self, shape: FilterShape, weights: Mapping[str, Floats]) -> None:
        self.shape = shape
        self._bias = weights["convolution.bias"]
        table = np.einsum("ve,few->wvf", weights["embedding.weight"], weights["convolution.weight"])
        # Of every place in a filter and every character; the last is the zero between tokens.
        self._table = np.pad(table, ((0, 0), (0, 1), (0, 0))).astype(np.float32)

    def pool(self, ids: Ragged, threads: int | None = None) -> Floats:
        """The filters' maxima of every token, (B, F).

        Args:
            ids: of the characters of every token.
            threads: not used: it is the sum of a few rows of a table.
        """
        rows, bounds = spaced(ids, self.shape.width - 1, self.shape.vocabulary_size)
        lengths = np.diff(bounds)
        order = np.argsort(-lengths, kind="stable")
        starts, lengths = bounds[order], lengths[order]
        most = np.full((len(ids), self.shape.filters), -np.inf, np.float32)
        for place in range(lengths.max(initial=0)):
            # One window of every token that has so many, the longest tokens first.
            first = starts[: np.searchsorted(-lengths, -place)] + place
            window = self._table[0].take(rows[first], axis=0)
            for later, table in enumerate(self._table[1:], start=1):
                window += table.take(rows[first + later], axis=0)
            np.maximum(most[: len(first)], window, out=most[: len(first)])
        result = np.empty_like(most)
        result[order] = most + self._bias
        return result
