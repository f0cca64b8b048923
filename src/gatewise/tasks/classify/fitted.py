"""What a classifier has learned: everything that answering needs, in one piece."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gatewise.encoder import Encoder, Floats
from gatewise.ragged import Ragged
from gatewise.tasks.classify.card import pictures
from gatewise.tasks.classify.labels import Labels
from gatewise.tasks.classify.report import Report
from gatewise.text.pairs import pair_scores
from gatewise.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from gatewise.tasks.classify.task import TextClassifier


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
        weights = self.weights
        pooled = self.encoder.pool(ids, unknown, threads, precision)
        scores: Floats = pooled @ weights["head.weight"].T + weights["head.bias"]
        if not self.chosen.token_pairs:
            return scores
        linear = pair_scores(
            ids,
            len(self.tokenizer),
            weights["pairs.weight"],
            weights["pairs.bias"],
            weights["pairs.rarity"],
        )
        return np.asarray(scores + linear, np.float32)

    def drawn(self) -> dict[str, bytes]:
        """The pictures of the folder, drawn now if there are none yet."""
        if self.pictures is not None:
            return self.pictures
        return pictures(self.report) if self.report else {}
