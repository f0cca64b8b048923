"""The trainable network of a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gatewise.nn.encoder import Encoder
from gatewise.nn.pooling import Pooling


@dataclass(frozen=True)
class Batch:
    """B texts of N tokens: ids (N,), offsets (B + 1,), targets and how much every text counts.

    Targets are label numbers (B,) or, for many labels at once and for probabilities, (B, L).
    """

    ids: Tensor
    offsets: Tensor
    targets: Tensor
    weights: Tensor

    @property
    def tokens(self) -> int:
        """Tokens of all texts together."""
        return len(self.ids)


class ClassifierNetwork(nn.Module):
    """Encoder, pooling and one linear layer.

    Args:
        encoder: from ids to hidden states.
        labels: number of labels, L.
        multiple: whether a text can have many labels at once.
        head_dropout: share of the pooled features that a training step leaves out.
    """

    def __init__(
        self, encoder: Encoder, labels: int, *, multiple: bool, head_dropout: float
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.pooling = Pooling(encoder.shape.pooling, encoder.shape.state_size)
        self.head = nn.Linear(self.pooling.output_size, labels)
        self.multiple = multiple
        self.head_dropout = head_dropout

    def forward(self, ids: Tensor, offsets: Tensor) -> Tensor:
        """Raw scores of every label: ids (N,), offsets (B + 1,) → (B, L)."""
        hidden, final = self.encoder(ids, offsets)
        pooled = self.pooling(hidden, offsets, final)
        scores: Tensor = self.head(
            functional.dropout(pooled, self.head_dropout, training=self.training)
        )
        return scores

    def loss(self, batch: Batch) -> Tensor:
        """Mean of the cross-entropy of every text, summed over many labels, times its weight.

        Divided by the texts, not by their weights: a batch of light texts shall move less.
        """
        scores = self(batch.ids, batch.offsets)
        if self.multiple:
            every = functional.binary_cross_entropy_with_logits(
                scores, batch.targets, reduction="none"
            )
            losses = every.sum(dim=1)
        else:
            losses = functional.cross_entropy(scores, batch.targets, reduction="none")
        return (losses * batch.weights).mean()

    @torch.no_grad()
    def start_from(self, shares: NDArray[np.floating[Any]]) -> None:
        """Let a new network answer with how often each label occurs, (L,)."""
        self.head.bias.copy_(torch.from_numpy(shares).clamp(1e-4, 1 - 1e-4).logit())

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Copies of the weights, under the names and in the form that the answering side reads."""
        found = {
            name.removeprefix("encoder."): weight for name, weight in self.state_dict().items()
        }
        found["embedding.weight"] = self.encoder.embedding.folded()
        if "embedding.subwords" in found:
            found["subwords.weight"] = found.pop("embedding.subwords")
        return {name: weight.numpy().copy() for name, weight in found.items()}
