"""Scores from tokens and token pairs alone, learned beside the recurrent layers."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gatewise.nn.bags import bag_sums
from gatewise.nn.table import Table, distinct
from gatewise.ragged import Ragged
from gatewise.text.pairs import SCALE, pair_buckets, weighed


class PairScores(nn.Module):
    """A linear layer over the tokens and pairs of a text: the "wide" part of Cheng et al. (2016).

    On the CPU only: pairs are hashed and weighed in NumPy, as they are when the model answers.

    Args:
        buckets: into which tokens and pairs are hashed.
        labels: number of labels, L.
        known: number of known token ids.
        rarity: how much every bucket counts, (buckets,).
    """

    rarity: Tensor

    def __init__(self, buckets: int, labels: int, known: int, rarity: NDArray[np.float32]) -> None:
        super().__init__()
        self.known = known
        self.weight = Table(torch.zeros(buckets, labels))
        self.bias = nn.Parameter(torch.zeros(labels))
        self.register_buffer("rarity", torch.from_numpy(rarity))

    def forward(self, ids: Tensor, offsets: Tensor) -> Tensor:
        """Scores of every label: ids (N,), offsets (B + 1,) → (B, L)."""
        texts = Ragged(ids.numpy(), offsets.numpy())
        rows = pair_buckets(texts, self.known, len(self.weight))
        weights = SCALE * weighed(rows, self.rarity.numpy())
        found, places = distinct(rows.values, len(self.weight))
        scores = bag_sums(
            self.weight.read(torch.from_numpy(found)),
            torch.from_numpy(places),
            torch.from_numpy(rows.offsets),
            torch.from_numpy(weights),
        )
        return scores + self.bias
