"""Sources that were read, and writing after them: attention and one step of the decoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatewise.encoder import Floats, State
from gatewise.kernels import Projected
from gatewise.ragged import Ragged
from gatewise.tasks.seq2seq.fitted import Fitted

Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sources:
    """Sources as the decoder attends to them; see `gatewise.nn.attention.KeysValues`.

    Args:
        keys: (B, S, H).
        values: (B, S, E).
        real: which of them stand for tokens, (B, S).
        start: states that the decoder starts from, of every layer, (1, B, H).
    """

    keys: Floats
    values: Floats
    real: NDArray[np.bool_]
    start: list[State]

    @classmethod
    def read(cls, fitted: Fitted, ids: Ragged, threads: int | None, precision: str) -> Sources:
        """Let the encoder read sources, the end behind each of them."""
        inputs = fitted.encoder.inputs(ids.values, threads, precision)
        hidden, finals = fitted.encoder.walk(inputs, ids.offsets, None, threads, precision)
        steps = np.arange(ids.lengths.max())
        real = steps < ids.lengths[:, None]
        places = np.where(real, ids.offsets[:-1, None] + steps, 0)
        keys = fitted.key(hidden, threads)[places]
        values = fitted.value(hidden, threads)[places]
        return cls(keys, values, real, [_both_ways(final) for final in finals])

    def take(self, texts: Places) -> Sources:
        """Some of the sources, without the states that a decoder starts from."""
        return Sources(self.keys[texts], self.values[texts], self.real[texts], [])

    def attend(
        self, fitted: Fitted, queries: Floats, sizes: Places, threads: int | None
    ) -> tuple[Floats, Floats]:
        """Answers and weights for R queries: (R, H), (B,) → (R, E), (R, S).

        Args:
            fitted: the model.
            queries: states of the decoder, all those of a source beside each other.
            sizes: queries of every source.
            threads: by default all cores.
        """
        if fitted.query is not None:
            queries = fitted.query(queries, threads)
        text = np.repeat(np.arange(len(sizes)), sizes)
        slot = np.arange(len(queries)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        side = np.zeros((len(sizes), int(sizes.max()), queries.shape[1]), np.float32)
        side[text, slot] = queries
        if fitted.query is None:
            scores = side @ self.keys.transpose(0, 2, 1)
        else:
            both = np.tanh(side[:, :, None] + self.keys[:, None])
            scores = both @ fitted.weights["attention.energy"]
        scores = np.where(self.real[:, None], scores, np.float32(-np.inf))
        scores -= scores.max(axis=2, keepdims=True)
        weights = np.exp(scores, out=scores)
        weights /= weights.sum(axis=2, keepdims=True)
        return (weights @ self.values)[text, slot], weights[text, slot]


class SourceWriter:
    """Writes after sources step by step; what `decoding.beam` asks.

    Args:
        fitted: the model.
        sources: that were read.
        threads: by default all cores.
        precision: of the recurrent layers' products.
    """

    def __init__(
        self, fitted: Fitted, sources: Sources, threads: int | None, precision: str
    ) -> None:
        self._fitted = fitted
        self._sources = sources
        self._texts = np.arange(len(sources.keys))
        self._threads = threads
        self._precision = precision
        self._states = sources.start
        size = fitted.chosen.embedding_size if fitted.chosen.input_feeding else 0
        self._fed: Floats = np.zeros((len(sources.keys), size), np.float32)

    def next(
        self, texts: Places, parents: Places, tokens: NDArray[np.int32], count: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """See `gatewise.decoding.beam.Writer`."""
        outputs, _ = self.step(texts, parents, tokens)
        layer = self._fitted.output_layer
        found = layer.likeliest(outputs, min(count, len(layer.weight)), self._threads)
        return found.ids, found.scores - found.log_totals[:, None]

    def step(
        self, texts: Places, parents: Places, tokens: NDArray[np.int32]
    ) -> tuple[Floats, Floats]:
        """What is compared with the classes, (R, E), and the weights of attention, (R, S)."""
        start = [layer.each(lambda part: part.take(parents, axis=1)) for layer in self._states]
        decoder = self._fitted.decoder
        if self._fed.size:
            vectors = self._fitted.weights["embedding.weight"].take(tokens, axis=0)
            fed = self._fed.take(parents, axis=0)
            inputs: Floats | Projected = np.concatenate([vectors, fed], axis=1)
        else:
            inputs = decoder.inputs(tokens, self._threads, self._precision)
        hidden, self._states = decoder.walk(
            inputs, np.arange(len(tokens) + 1), start, self._threads, self._precision
        )
        some, sizes = np.unique(texts, return_counts=True)
        if len(some) < len(self._texts):  # texts that are done are not looked at any more
            self._sources = self._sources.take(np.searchsorted(self._texts, some))
            self._texts = some
        outputs, attention = self._sources.attend(self._fitted, hidden, sizes, self._threads)
        outputs += self._fitted.projection(hidden, self._threads)
        np.tanh(outputs, out=outputs)
        if self._fed.size:
            self._fed = outputs
        return outputs, attention


def _both_ways(final: State) -> State:
    """States that a decoder starts from: the mean of the directions, (D, B, H) → (1, B, H)."""
    return final.each(lambda part: part.mean(axis=0, keepdims=True))
