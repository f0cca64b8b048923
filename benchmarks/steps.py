"""What the training benchmark trains on: IMDB as ids, batches of an epoch, Gatewise's network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gatewise.data.batches import bucketed
from gatewise.data.tables import open_table
from gatewise.nn.dropout import locked_dropout
from gatewise.nn.encoder import Encoder
from gatewise.nn.pairs import PairScores
from gatewise.nn.recurrent import recurrent_layer
from gatewise.ragged import Ragged
from gatewise.tasks.classify.defaults import WITHOUT_SUBWORDS, Defaults
from gatewise.tasks.classify.network import Batch, ClassifierNetwork, losses_of
from gatewise.tasks.classify.task import TextClassifier
from gatewise.text.pairs import pair_buckets, rarity
from gatewise.text.subwords import subword_buckets
from gatewise.text.tokenizer import Tokenizer

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Reviews:
    """Tokenized reviews and what the defaults make of them.

    In `ids` every unknown word has an id of its own, in `known` they share id 0.
    """

    ids: Ragged
    known: Ragged
    targets: NDArray[np.int64]
    tokenizer: Tokenizer
    unknown: list[str]
    defaults: Defaults

    @classmethod
    def read(cls, folder: Path, rows: int | None) -> Reviews:
        """The first rows of train.csv.zst, in a shuffled order."""
        columns = open_table(folder / "train.csv.zst").read(["text", "label"])
        order = np.random.default_rng(0).permutation(len(columns["text"]))[:rows]
        texts = [columns["text"][row] for row in order]
        labels = [columns["label"][row] for row in order]
        names = sorted(set(labels))
        tokenizer = Tokenizer.train(texts)
        encoded, unknown = tokenizer.encode_open(texts)
        ids, _ = encoded.shortened(TextClassifier().max_length)
        known = Ragged(np.where(ids.values < len(tokenizer), ids.values, 0), ids.offsets)
        targets = np.array([names.index(label) for label in labels], np.int64)
        defaults = Defaults.derive(len(ids), len(ids.values), len(names))
        return cls(ids, known, targets, tokenizer, unknown, defaults)

    def batch(self, places: Places) -> Batch:
        """These rows as Gatewise's network takes them."""
        taken = self.ids.take(places)
        return Batch(
            torch.from_numpy(taken.values),
            torch.from_numpy(taken.offsets),
            torch.from_numpy(self.targets[places]),
            torch.ones(len(places)),
        )

    def sorted_batches(self) -> list[Places]:
        """The batches of an epoch as Gatewise makes them: rows of similar length together."""
        return bucketed(
            self.ids.lengths,
            batch_size=self.defaults.batch_size,
            batch_tokens=16_384,
            seed=0,
            epoch=1,
        )

    def shuffled_batches(self) -> list[Places]:
        """The batches of an epoch as most programs make them: rows of any lengths."""
        size = self.defaults.batch_size
        order = np.random.default_rng(0).permutation(len(self.ids))
        return [order[start : start + size] for start in range(0, len(order), size)]

    def sample(self, batches: list[Places], count: int) -> list[Places]:
        """So many batches that stand for all: evenly from the fewest to the most tokens."""
        tokens = [int(self.ids.lengths[places].sum()) for places in batches]
        ordered = np.argsort(tokens, kind="stable")
        chosen = ordered[((np.arange(count) + 0.5) / count * len(batches)).astype(int)]
        return [batches[at] for at in np.random.default_rng(0).permutation(chosen)]


class GatewiseNetwork(ClassifierNetwork):
    """The default classifier's network, whose step can be cut into the parts that a twin has.

    Args:
        reviews: what it learns from.
        everything: with the vectors of word pieces and the linear part over token pairs.
        precision: of the recurrent layer's products.
    """

    def __init__(
        self, reviews: Reviews, *, everything: bool = False, precision: str = "fp32"
    ) -> None:
        defaults, known = reviews.defaults, len(reviews.tokenizer)
        self.chosen = replace(
            TextClassifier(),
            embedding_size=defaults.embedding_size,
            hidden_size=defaults.hidden_size,
            subwords=defaults.subwords if everything else 0,
            token_pairs=defaults.token_pairs if everything else 0,
            embedding_dropout=defaults.embedding_dropout if everything else WITHOUT_SUBWORDS,
        )
        shape = self.chosen.shape(known)
        assert self.chosen.embedding_dropout is not None
        encoder = Encoder(
            shape,
            embedding_dropout=self.chosen.embedding_dropout,
            dropout=self.chosen.dropout,
            precision=precision,
        )
        pairs = None
        if everything:
            words = ["", *reviews.tokenizer.vocabulary[1:], *reviews.unknown]
            encoder.embedding.know(subword_buckets(words, shape.subwords))
            buckets = pair_buckets(reviews.ids, known, defaults.token_pairs)
            counts = rarity(buckets, defaults.token_pairs)
            pairs = PairScores(defaults.token_pairs, 2, known, counts)
        head_dropout = self.chosen.head_dropout
        super().__init__(encoder, 2, multiple=False, head_dropout=head_dropout, pairs=pairs)

    def embed(self, batch: Batch) -> Tensor:
        """Vectors of all tokens, (N, E), dropout included."""
        values = self.encoder.embedding(batch.ids)
        return locked_dropout(values, batch.offsets, self.encoder.dropout)

    def recur(self, values: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Hidden states (N, 2 * H) and the final ones (B, 2 * H)."""
        weights: Any = self.encoder.recurrent.all_weights
        hidden, final = recurrent_layer(
            "lstm", values, batch.offsets, weights, precision=self.encoder.precision
        )
        return hidden, final.hidden.transpose(0, 1).flatten(1)

    def classify(self, hidden: Tensor, final: Tensor, batch: Batch) -> Tensor:
        """The loss: pooling and head, and what the token pairs say."""
        loss = losses_of(self.recurrent_scores(hidden, batch.offsets, final), batch, self.multiple)
        if self.pairs is not None:
            loss = loss + losses_of(self.pairs(batch.ids, batch.offsets), batch, self.multiple)
        return (loss * batch.weights).mean()
