"""The vectors of words: their own, and the mean of their character n-grams'."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gatewise.nn.bags import bag_sums
from gatewise.nn.table import Table, distinct
from gatewise.ragged import Ragged


class WordEmbedding(nn.Module):
    """Vectors of V known words and of any number of unknown ones.

    Ids from V on are words that are not in the vocabulary: they share the vector of id 0 and differ
    by their n-grams. In training whole words are left out, while their n-grams stay: the network
    learns to answer from n-grams alone, as it must for unknown words.

    Args:
        vocabulary_size: V.
        size: numbers of a vector, E.
        buckets: n-gram vectors, K; 0 for none.
        dropout: share of the words that a training step leaves out (embedding dropout of Gal &
            Ghahramani 2016 and Merity et al. 2018).
        as_unknown: whether words that are left out are read as unknown ones, whose vector is
            learned that way also where all training words are known; else only their n-grams are.
    """

    def __init__(
        self,
        vocabulary_size: int,
        size: int,
        buckets: int,
        dropout: float,
        *,
        as_unknown: bool = False,
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.as_unknown = as_unknown
        self.weight = Table(torch.empty(vocabulary_size, size).normal_(std=0.1))
        self.subwords = None
        self._grams = Ragged.from_rows([], np.int64)
        if buckets:
            # No Table: a batch reads about a third of all n-grams, many of them in many words.
            self.subwords = nn.Parameter(torch.empty(buckets, size).normal_(std=0.1))

    def know(self, grams: Ragged) -> None:
        """Take the n-gram buckets of all words, known ones first, as rows by id."""
        self._grams = grams

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of tokens: (N,) → (N, E)."""
        device = self.weight.device
        values = ids.cpu().numpy()
        words, places = distinct(values, int(values.max(initial=-1)) + 1)
        kept, scale = np.arange(len(words)), 1.0
        known = words < len(self.weight)
        if self.training and self.dropout:
            stay = torch.empty(len(words)).bernoulli_(1 - self.dropout).numpy() > 0
            if self.as_unknown:
                known &= stay
            else:
                kept, scale = np.flatnonzero(stay), 1 / (1 - self.dropout)
        own, own_places = distinct(np.where(known, words, 0)[kept], len(self.weight))
        # Only words that are kept are read: the others have no gradient in this step.
        vectors = functional.embedding(
            torch.from_numpy(own_places).to(device),
            self.weight.read(torch.from_numpy(own).to(device)),
        )
        means = self._subword_means(words)
        means = means.index_add(0, torch.from_numpy(kept).to(device), vectors, alpha=scale)
        return functional.embedding(torch.from_numpy(places).to(device), means)

    @torch.no_grad()
    def take_vectors(self, vectors: NDArray[np.float32], found: NDArray[np.bool_]) -> None:
        """Start from pretrained vectors, (V, E), where they were `found`, (V,)."""
        rows = torch.from_numpy(found)
        self.weight[rows] = torch.from_numpy(vectors)[rows].to(self.weight)

    @torch.no_grad()
    def folded(self) -> Tensor:
        """Vectors of all known words with their n-grams' in them, (V, E), ready to answer."""
        if self.subwords is None:
            return self.weight.detach().clone()
        return self.weight + self._subword_means(np.arange(len(self.weight)))

    @torch.no_grad()
    def unfold(self) -> None:
        """Take vectors that `folded` made, in place of those of words alone, apart again."""
        if self.subwords is not None:
            self.weight.sub_(self._subword_means(np.arange(len(self.weight))))

    def _subword_means(self, words: NDArray[np.int64]) -> Tensor:
        """Means of the n-grams' vectors of words: (U,) → (U, E), zeros without n-grams."""
        device = self.weight.device
        if self.subwords is None:
            return torch.zeros(len(words), self.weight.shape[1], device=device)
        grams = self._grams.take(words)
        shares = 1 / np.maximum(grams.lengths, 1).astype(np.float32)
        arrays = grams.values, grams.offsets, np.repeat(shares, grams.lengths)
        values, offsets, weights = (torch.from_numpy(array).to(device) for array in arrays)
        return bag_sums(self.subwords, values, offsets, weights.to(self.subwords.dtype))
