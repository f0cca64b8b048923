"""The trainable network of a classifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gatewise.nn.dropout import kept_features
from gatewise.nn.encoder import Encoder
from gatewise.nn.pairs import PairScores
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
    """Encoder, pooling and one linear layer; beside them a linear layer over token pairs.

    Args:
        encoder: from ids to hidden states.
        labels: number of labels, L.
        multiple: whether a text can have many labels at once.
        head_dropout: share of the pooled features that a training step leaves out.
        pairs: scores from token pairs, if they take part.
    """

    def __init__(
        self,
        encoder: Encoder,
        labels: int,
        *,
        multiple: bool,
        head_dropout: float,
        pairs: PairScores | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.pooling = Pooling(encoder.shape.pooling, encoder.shape.state_size)
        self.head = nn.Linear(self.pooling.output_size, labels)
        self.multiple = multiple
        self.head_dropout = head_dropout
        self.pairs = pairs
        self.scales: tuple[float, ...] = (1.0,) if pairs is None else (0.5, 0.5)
        """What the scores of recurrent layers and token pairs are multiplied with to answer."""

    def forward(self, ids: Tensor, offsets: Tensor) -> Tensor:
        """Raw scores of every label: ids (N,), offsets (B + 1,) → (B, L)."""
        parts = self.parts(ids, offsets)
        scaled = [scale * part for scale, part in zip(self.scales, parts, strict=True)]
        return torch.stack(scaled).sum(dim=0)

    def parts(self, ids: Tensor, offsets: Tensor) -> list[Tensor]:
        """Scores of the recurrent layers and, if there are any, of the token pairs."""
        hidden, final = self.encoder(ids, offsets)
        scores = self.recurrent_scores(hidden, offsets, final)
        return [scores] if self.pairs is None else [scores, self.pairs(ids, offsets)]

    def recurrent_scores(self, hidden: Tensor, offsets: Tensor, final: Tensor) -> Tensor:
        """Scores from what the encoder made of B texts: dropout, pooling and head, (B, L).

        Args:
            hidden: states of every token, (N, P).
            offsets: where texts start and end, (B + 1,).
            final: states after every text, (B, P).
        """
        kept = None
        if self.training and self.encoder.dropout:
            kept = kept_features(hidden, len(final), self.encoder.dropout)
        pooled = self.pooling(hidden, offsets, final, kept)
        dropped = functional.dropout(pooled, self.head_dropout, training=self.training)
        scores: Tensor = self.head(dropped)
        return scores

    def loss(self, batch: Batch) -> Tensor:
        """Mean of the cross-entropy of every text, summed over many labels, times its weight.

        Recurrent layers and token pairs learn each for itself, as if they were alone: learned
        together, the pairs soon know the training rows by heart and leave nothing to learn. The
        mean is over the texts, not over their weights: a batch of light texts shall move less.
        """
        parts = self.parts(batch.ids, batch.offsets)
        losses = torch.stack([losses_of(scores, batch, self.multiple) for scores in parts])
        return (losses.sum(dim=0) * batch.weights).mean()

    @torch.no_grad()
    def start_from(self, shares: NDArray[np.floating[Any]]) -> None:
        """Let a new network answer with how often each label occurs, (L,)."""
        log_odds = torch.from_numpy(shares).clamp(1e-4, 1 - 1e-4).logit()
        self.head.bias.copy_(log_odds)
        if self.pairs is not None:
            self.pairs.bias.copy_(log_odds)

    @torch.no_grad()
    def take(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """Start from arrays that `arrays` made, perhaps with fewer labels."""
        names = {"embedding.subwords": "subwords.weight"}
        for name, weight in self.state_dict().items():
            short = name.removeprefix("encoder.")
            given = torch.from_numpy(weights[names.get(short, short)])
            if given.shape == weight.shape:
                weight.copy_(given)
                continue
            # Of labels: rows or columns, the new ones behind those that were there.
            weight.zero_()
            weight[tuple(slice(length) for length in given.shape)] = given
        self.encoder.embedding.unfold()
        self.scales = (1.0,) * len(self.scales)  # they are in the weights already

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Copies of the weights, under the names and in the form that the answering side reads."""
        found = {
            name.removeprefix("encoder."): weight for name, weight in self.state_dict().items()
        }
        found["embedding.weight"] = self.encoder.embedding.folded()
        if "embedding.subwords" in found:
            found["subwords.weight"] = found.pop("embedding.subwords")
        # What answers just adds the parts up: their scales go into the weights.
        for part, scale in zip(("head", "pairs"), self.scales, strict=False):
            for name in (f"{part}.weight", f"{part}.bias"):
                found[name] = found[name] * scale
        return {name: weight.numpy().copy() for name, weight in found.items()}


def losses_of(scores: Tensor, batch: Batch, multiple: bool) -> Tensor:
    """Cross-entropy of every text, summed over the labels where many can hold: (B, L) → (B,)."""
    if multiple:
        every = functional.binary_cross_entropy_with_logits(scores, batch.targets, reduction="none")
        return every.sum(dim=1)
    return functional.cross_entropy(scores, batch.targets, reduction="none")
