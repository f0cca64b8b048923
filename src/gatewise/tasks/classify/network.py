"""The trainable network of a classifier."""

from __future__ import annotations

from dataclasses import dataclass

import torch
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
        """Weighted mean of the cross-entropy of every text."""
        scores = self(batch.ids, batch.offsets)
        if self.multiple:
            every = functional.binary_cross_entropy_with_logits(
                scores, batch.targets, reduction="none"
            )
            losses = every.mean(dim=1)
        else:
            losses = functional.cross_entropy(scores, batch.targets, reduction="none")
        return (losses * batch.weights).sum() / batch.weights.sum().clamp(min=1e-12)

    def arrays(self) -> dict[str, Tensor]:
        """The weights under the names that the answering side reads."""
        return {
            name.removeprefix("encoder."): weight for name, weight in self.state_dict().items()
        }
