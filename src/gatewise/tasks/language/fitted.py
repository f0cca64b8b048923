"""What a language model has learned: everything that answering needs, in one piece."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gatewise.encoder import Encoder, Floats, State
from gatewise.kernels import Linear
from gatewise.ragged import Ragged
from gatewise.text.rules import END
from gatewise.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from gatewise.tasks.language.report import Report
    from gatewise.tasks.language.task import LanguageModel


class Cache(NamedTuple):
    """Numbers of the continuous cache (Grave et al. 2017), chosen on dev rows.

    A word that followed a state like the present one counts exp(flatness * likeness); the cache
    has `share` of the answer.
    """

    flatness: float
    share: float


@dataclass(frozen=True, eq=False)
class Fitted:
    """A language model's options with all values, its tokenizer and weights.

    The classes of its answers are the V tokens of the vocabulary and, as the last one, the end of a
    text, which also stands before every text: K = V + 1.
    """

    chosen: LanguageModel
    tokenizer: Tokenizer
    weights: dict[str, Floats]
    cache: Cache
    report: Report | None

    @cached_property
    def encoder(self) -> Encoder:
        """The recurrent layers that read forwards, laid out for answering."""
        shape = replace(self.chosen.shape(len(self.tokenizer)), bidirectional=False)
        return Encoder(shape, self.weights)

    @property
    def end(self) -> int:
        """The id of the end of a text."""
        return len(self.tokenizer)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """What people call the classes, (K,): the tokens by id and, last, END."""
        return (*self.tokenizer.vocabulary, END)

    @cached_property
    def output_weight(self) -> Floats:
        """What an output is multiplied with to score all classes, (K, E)."""
        tied = "output.weight" not in self.weights
        return self.weights["embedding.weight" if tied else "output.weight"]

    def outputs(
        self,
        ids: Ragged,
        start: Sequence[State] | None = None,
        threads: int | None = None,
        precision: str = "fp32",
    ) -> tuple[Floats, list[State]]:
        """What is compared with the classes after every token, (N, E), and the states at the end.

        Arguments as `walk`.
        """
        hidden, states = self.walk(ids, start, threads, precision)
        return self.projected(hidden, threads), states

    def walk(
        self,
        ids: Ragged,
        start: Sequence[State] | None = None,
        threads: int | None = None,
        precision: str = "fp32",
    ) -> tuple[Floats, list[State]]:
        """Hidden states of the last layer after every token, (N, H), and all states at the end.

        Args:
            ids: of tokens and ends; each row continues the states of `start`, zeros if None.
            start: of every layer, (1, B, H).
            threads: by default all cores.
            precision: of the recurrent layers' products, see `gatewise.kernels`.
        """
        inputs = self.encoder.inputs(ids.values, threads, precision)
        return self.encoder.walk(inputs, ids.offsets, start, threads, precision)

    def projected(self, hidden: Floats, threads: int | None = None) -> Floats:
        """Outputs of hidden states: (N, H) → (N, E)."""
        return hidden if self._projection is None else self._projection(hidden, threads)

    @cached_property
    def _projection(self) -> Linear | None:
        if "projection.weight" not in self.weights:
            return None
        return Linear(self.weights["projection.weight"], self.weights["projection.bias"])

    @cached_property
    def output_layer(self) -> Linear:
        """What scores all classes, laid out for answering."""
        return Linear(self.output_weight, self.weights["output.bias"])

    @cached_property
    def _folded(self) -> Linear | None:
        """Projection and scores of all classes in one; None where two are faster.

        Writing is bound by the weights that every token has to read: with few classes one product
        of K * H weights needs fewer of them.
        """
        classes, size = self.output_weight.shape
        if "projection.weight" not in self.weights:
            return None
        hidden_size = self.weights["projection.weight"].shape[1]
        if classes * hidden_size >= size * (classes + hidden_size):
            return None
        weight = self.output_weight.astype(np.float64)
        bias = weight @ self.weights["projection.bias"] + self.weights["output.bias"]
        folded = weight @ self.weights["projection.weight"]
        return Linear(folded.astype(np.float32), bias.astype(np.float32))

    def next_scores(self, hidden: Floats, threads: int | None = None) -> Floats:
        """Raw scores of all classes after hidden states: (N, H) → (N, K)."""
        if self._folded is not None:
            return self._folded(hidden, threads)
        return self.output_layer(self.projected(hidden, threads), threads)

    def encode(self, texts: Sequence[str]) -> Ragged:
        """Every text as the ids of its tokens and the end behind them.

        Where texts are joined, every line of one is a text of its own, as in training: an end
        stands for every line break.
        """
        joined = self.chosen.documents == "joined"
        parts = [text.split("\n") if joined else [text] for text in texts]
        ids = self.tokenizer.encode(list(itertools.chain.from_iterable(parts))).ended(self.end)
        counts = itertools.accumulate(map(len, parts), initial=0)
        return Ragged(ids.values, ids.offsets[list(counts)])
