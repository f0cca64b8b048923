"""From token ids to hidden states and one vector per text, without PyTorch.

The same kernel that trained the weights answers with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatewise import kernels
from gatewise.ragged import Ragged, reduce_rows
from gatewise.shapes import EncoderShape
from gatewise.text.subwords import subword_buckets

Floats = NDArray[np.float32]
MANY = 512
"""Tokens among which so many come again that it is worth looking for them."""


class State(NamedTuple):
    """States of one layer for every text and direction, (D, B, H); `cell` None but for an lstm."""

    hidden: Floats
    cell: Floats | None

    def each(self, change: Callable[[Floats], Floats]) -> State:
        """The same with every state changed."""
        return State(change(self.hidden), None if self.cell is None else change(self.cell))


class Encoder:
    """Embedding, recurrent layers and pooling over ragged batches.

    Args:
        shape: what it is made of.
        weights: arrays by name, of the shapes that `shape.weights()` says.
    """

    def __init__(self, shape: EncoderShape, weights: Mapping[str, Floats]) -> None:
        self.shape = shape
        self._weights = weights
        self._table = weights["embedding.weight"]
        self._prepared: dict[str, list[kernels.Prepared]] = {}
        self._products: kernels.TokenProducts | None = None

    def layers(self, precision: str) -> list[kernels.Prepared]:
        """The recurrent layers, packed for a precision of `gatewise.kernels` when first asked."""
        if precision not in self._prepared:
            self._prepared[precision] = [
                kernels.Prepared(self.shape.cell, self._directions(layer), precision=precision)
                for layer in range(self.shape.num_layers)
            ]
        return self._prepared[precision]

    def _directions(self, layer: int) -> list[kernels.Weights]:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return [
            kernels.Weights(*(self._weights[f"recurrent.{name}_{end}"] for name in names))
            for end in self.shape.endings(layer)
        ]

    def vectors(self, words: Sequence[str]) -> Floats:
        """Vectors of words that are not in the vocabulary, from their n-grams: (U, E)."""
        vectors = self._table[:1].repeat(len(words), axis=0)
        if self.shape.subwords and len(words):
            grams = subword_buckets(words, self.shape.subwords)
            vectors += _mean(self._weights["subwords.weight"].take(grams.values, axis=0), grams)
        return vectors

    def states(
        self,
        ids: Ragged,
        unknown: Floats | None = None,
        threads: int | None = None,
        precision: str = "fp32",
    ) -> tuple[Floats, Floats]:
        """Hidden states of the last layer, (N, P), and the final ones of every text, (B, P).

        Args:
            ids: token ids; those from the vocabulary's size on are rows of `unknown`.
            unknown: vectors of unknown words, (U, E), as `vectors` makes them.
            threads: by default all cores.
            precision: of the recurrent layers' products, see `gatewise.kernels`.

        Raises:
            ValueError: an id has no vector, neither here nor in `unknown`; or `threads` is no
                whole number of at least 1.
            OptionError: there is no such precision, or the processor does not have it.
        """
        inputs = self.inputs(ids.values, threads, precision, unknown)
        values, finals = self.walk(inputs, ids.offsets, None, threads, precision)
        final = finals[-1].hidden
        # (D, B, H) → (B, D * H): the directions of a text beside each other.
        return values, final.transpose(1, 0, 2).reshape(len(ids), self.shape.state_size)

    def embedded(self, ids: NDArray[np.integer], unknown: Floats | None = None) -> Floats:
        """The vectors of tokens: (N,) → (N, E). `unknown` and errors as `states`."""
        known, more = len(self._table), 0 if unknown is None else len(unknown)
        greatest = ids.max(initial=0)
        if greatest >= known + more:
            raise ValueError(
                f"Token ids must be below {known + more}: {known} are in the vocabulary, {more} in "
                f"'unknown'. Got {greatest}. Give the vectors of all unknown words as 'unknown'."
            )
        # "clip": an unknown word takes the last known one's vector until it has its own.
        values = self._table.take(ids, axis=0, mode="clip")
        if unknown is not None and greatest >= known:
            places = np.flatnonzero(ids >= known)
            values[places] = unknown[ids[places] - known]
        return values

    def inputs(
        self,
        ids: NDArray[np.integer],
        threads: int | None,
        precision: str,
        unknown: Floats | None = None,
    ) -> Floats | kernels.Projected:
        """What the first layer takes of tokens, (N,): products where it can go on from them.

        `unknown` and errors as `states`.
        """
        first = self.layers(precision)[0]
        if not first.projects:
            return self.embedded(ids, unknown)
        if self._products is None and kernels.TokenProducts.fit_memory(first, self._table):
            self._products = kernels.TokenProducts(first, self._table)
        if self._products is not None and ids.max(initial=0) < len(self._table):
            return self._products.look_up(ids, threads)
        if len(ids) < MANY:
            return self.embedded(ids, unknown)
        different, places = np.unique(ids, return_inverse=True)
        return kernels.Projected(first.project(self.embedded(different, unknown), threads), places)

    def walk(
        self,
        values: Floats | kernels.Projected,
        offsets: NDArray[np.int64],
        start: Sequence[State] | None = None,
        threads: int | None = None,
        precision: str = "fp32",
    ) -> tuple[Floats, list[State]]:
        """All recurrent layers over vectors, from any states on.

        Args:
            values: (N, E), or what the first layer has made of them.
            offsets: where texts start and end, (B + 1,).
            start: of every layer, the states before the first token; zeros if None.
            threads: by default all cores.
            precision: of the recurrent layers' products, see `gatewise.kernels`.

        Returns:
            Hidden states of the last layer, (N, P), and the states of every layer after each text.
        """
        finals = []
        for number, layer in enumerate(self.layers(precision)):
            hidden0, cell0 = (None, None) if start is None else start[number]
            output = layer.forward(values, offsets, hidden0=hidden0, cell0=cell0, threads=threads)
            values = hidden = output.hidden
            finals.append(State(output.final_hidden, output.final_cell))
        return hidden, finals

    def traced(
        self,
        values: Floats,
        offsets: NDArray[np.int64],
        start: Sequence[State] | None = None,
        threads: int | None = None,
        precision: str = "fp32",
    ) -> list[kernels.Output]:
        """What every layer answers, with the gates and cell states of every token.

        The same numbers as `walk`, by the same kernel, which keeps what it has computed. Arguments
        as `walk`.
        """
        outputs = []
        for number, layer in enumerate(self.layers(precision)):
            hidden0, cell0 = (None, None) if start is None else start[number]
            output = layer.forward(
                values, offsets, hidden0=hidden0, cell0=cell0, save=True, threads=threads
            )
            outputs.append(output)
            values = output.hidden
        return outputs

    def pool(
        self,
        ids: Ragged,
        unknown: Floats | None = None,
        threads: int | None = None,
        precision: str = "fp32",
    ) -> Floats:
        """One vector per text, (B, pooled_size). Empty texts give zeros. Arguments as `states`."""
        hidden, final = self.states(ids, unknown, threads, precision)
        match self.shape.pooling:
            case "last":
                return final
            case "mean":
                return _mean(hidden, ids)
            case "max":
                return reduce_rows(np.maximum, hidden, ids)
            case "concat":
                parts = reduce_rows(np.maximum, hidden, ids), _mean(hidden, ids), final
                return np.concatenate(parts, axis=1)
            case "attention":
                weights = self.attention(hidden, ids)
                return reduce_rows(np.add, hidden * weights[:, None], ids)

    def attention(self, hidden: Floats, ids: Ragged) -> Floats:
        """How much attention pooling lets every token count in its text, (N,): hidden (N, P)."""
        projection = self._weights["pooling.projection.weight"]
        projected = hidden @ projection.T + self._weights["pooling.projection.bias"]
        scores = np.tanh(projected) @ self._weights["pooling.query"]
        text = np.repeat(np.arange(len(ids)), ids.lengths)
        powers = np.exp(scores - reduce_rows(np.maximum, scores, ids)[text])
        return np.asarray(powers / reduce_rows(np.add, powers, ids)[text])


def _mean(values: Floats, rows: Ragged) -> Floats:
    means = reduce_rows(np.add, values, rows)
    means /= np.maximum(rows.lengths, 1).astype(np.float32)[:, None]
    return means
