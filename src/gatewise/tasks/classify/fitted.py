"""What a classifier has learned: everything that answering needs, in one piece."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gatewise.data.batches import in_order
from gatewise.encoder import Encoder, Floats
from gatewise.kernels import Linear
from gatewise.ragged import Ragged
from gatewise.tasks.classify.labels import Labels
from gatewise.tasks.classify.pictures import pictures
from gatewise.tasks.classify.report import Report
from gatewise.text.pairs import pair_scores
from gatewise.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from gatewise.tasks.classify.task import TextClassifier

ANSWER_TOKENS = 32_768
"""Tokens that are answered at once: enough to keep the kernel busy, few enough to bound memory."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """A classifier's options with all values, its labels, tokenizer and weights.

    `pictures` are those of the folder that it came from; after a fit there are none yet.
    """

    chosen: TextClassifier
    labels: Labels
    tokenizer: Tokenizer
    weights: dict[str, Floats]
    report: Report | None
    pictures: dict[str, bytes] | None = None

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder with its weights laid out for answering."""
        return Encoder(self.chosen.shape(len(self.tokenizer)), self.weights)

    def encode(self, texts: list[str]) -> tuple[Ragged, list[str]]:
        """Token ids of whole texts, and the unknown words that the last ids stand for."""
        if self.chosen.subwords:
            return self.tokenizer.encode_open(texts)
        return self.tokenizer.encode(texts), []

    def scores(self, ids: Ragged, unknown: Floats, threads: int | None, precision: str) -> Floats:
        """Scores of a batch, (B, L): what recurrent layers and token pairs say together.

        Args:
            ids: token ids as `encode` gives them.
            unknown: vectors of the unknown words, (U, E).
            threads: by default all cores.
            precision: of the recurrent layers' products, see `gatewise.kernels`.
        """
        return together(*self.parts(ids, unknown, threads, precision))

    def batched_scores(
        self, ids: Ragged, unknown: Floats, threads: int | None, precision: str
    ) -> Floats:
        """`scores` of any number of texts, in batches that bound memory."""
        batches = in_order(ids.lengths, batch_size=512, batch_tokens=ANSWER_TOKENS)
        if len(batches) == 1:
            return self.scores(ids, unknown, threads, precision)
        scores = np.empty((len(ids), len(self.labels.names)), np.float32)
        for rows in batches:
            scores[rows] = self.scores(ids.take(rows), unknown, threads, precision)
        return scores

    @cached_property
    def head(self) -> Linear:
        """What scores the labels, laid out for answering."""
        return Linear(self.weights["head.weight"], self.weights["head.bias"])

    def parts(
        self, ids: Ragged, unknown: Floats, threads: int | None, precision: str
    ) -> tuple[Floats, Floats | None]:
        """What recurrent layers and token pairs say, (B, L) each; None without token pairs.

        Arguments as `scores`.
        """
        weights = self.weights
        pooled = self.encoder.pool(ids, unknown, threads, precision)
        recurrent = self.head(pooled, threads)
        if not self.chosen.token_pairs:
            return recurrent, None
        linear = pair_scores(
            ids,
            len(self.tokenizer),
            weights["pairs.weight"],
            weights["pairs.bias"],
            weights["pairs.rarity"],
        )
        return recurrent, linear

    def drawn(self) -> dict[str, bytes]:
        """The pictures of the folder, drawn now if there are none yet."""
        if self.pictures is not None:
            return self.pictures
        return pictures(self.report) if self.report else {}


def together(recurrent: Floats, linear: Floats | None) -> Floats:
    """The scores of both parts, (B, L): their sum."""
    return recurrent if linear is None else np.asarray(recurrent + linear, np.float32)
