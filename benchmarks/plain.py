"""The default classifier's network as plain torch has it: padded batches or packed sequences.

Sizes, cells, dropouts, pooling and head are the default classifier's. Left out are the vectors of
word pieces and the linear part over token pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from steps import Places, Reviews
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.optim import AdamW

from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.tasks.classify.task import TextClassifier


@dataclass(frozen=True)
class PaddedBatch:
    """B texts of at most T tokens: ids (B, T), lengths (B,), targets (B,)."""

    ids: Tensor
    lengths: Tensor
    targets: Tensor

    @classmethod
    def of(cls, reviews: Reviews, places: Places) -> PaddedBatch:
        """Pad the rows at these places."""
        rows = [torch.from_numpy(reviews.known[place]) for place in places]
        lengths = torch.from_numpy(reviews.known.lengths[places])
        targets = torch.from_numpy(reviews.targets[places])
        return cls(pad_sequence(rows, batch_first=True), lengths, targets)


class PlainNetwork(nn.Module):
    """Embedding, nn.LSTM, pooling "concat", linear layer.

    Args:
        chosen: the classifier whose options it takes.
        vocabulary: V.
        labels: L.
        packed: whether the LSTM gets packed sequences. Otherwise it gets padded ones, and its
            backward direction starts in the padding.
    """

    def __init__(
        self, chosen: TextClassifier, vocabulary: int, labels: int, *, packed: bool
    ) -> None:
        super().__init__()
        assert chosen.embedding_size is not None
        assert chosen.hidden_size is not None
        self.chosen, self.packed, self.size = chosen, packed, chosen.hidden_size
        self.embedding = nn.Embedding(vocabulary, chosen.embedding_size)
        self.recurrent = nn.LSTM(
            chosen.embedding_size, self.size, batch_first=True, bidirectional=True
        )
        self.head = nn.Linear(6 * self.size, labels)

    def loss(self, batch: PaddedBatch) -> Tensor:
        """Mean cross-entropy."""
        hidden, final = self.recur(self.embed(batch), batch)
        return self.classify(hidden, final, batch)

    def embed(self, batch: PaddedBatch) -> Tensor:
        """Vectors of all tokens, (B, T, E), without the words and features that are dropped."""
        values: Tensor = self.embedding(batch.ids)
        if self.training:
            words = values.new_ones(len(self.embedding.weight), 1)
            words = functional.dropout(words, self.chosen.embedding_dropout or 0.0)
            values = values * words[batch.ids]
        return self._locked_dropout(values)

    def recur(self, values: Tensor, batch: PaddedBatch) -> tuple[Tensor, Tensor]:
        """Hidden states (B, T, 2 * H) and the final ones (B, 2 * H)."""
        if self.packed:
            packed = pack_padded_sequence(
                values, batch.lengths, batch_first=True, enforce_sorted=False
            )
            states, (final, _) = self.recurrent(packed)
            hidden, _ = pad_packed_sequence(states, batch_first=True)
            return hidden, final.transpose(0, 1).flatten(1)
        hidden, _ = self.recurrent(values)
        last = hidden[torch.arange(len(hidden)), batch.lengths - 1, : self.size]
        return hidden, torch.cat([last, hidden[:, 0, self.size :]], dim=1)

    def classify(self, hidden: Tensor, final: Tensor, batch: PaddedBatch) -> Tensor:
        """Mean cross-entropy of what the states say."""
        return functional.cross_entropy(self.scores(hidden, final, batch), batch.targets)

    def scores(self, hidden: Tensor, final: Tensor, batch: PaddedBatch) -> Tensor:
        """Pooling and head: (B, L)."""
        hidden = self._locked_dropout(hidden)
        present = (torch.arange(hidden.shape[1]) < batch.lengths[:, None])[:, :, None]
        greatest = hidden.masked_fill(~present, float("-inf")).amax(1)
        mean = (hidden * present).sum(1) / batch.lengths[:, None]
        pooled = torch.cat([greatest, mean, final], dim=1)
        found: Tensor = self.head(
            functional.dropout(pooled, self.chosen.head_dropout, self.training)
        )
        return found

    def _locked_dropout(self, values: Tensor) -> Tensor:
        if not self.training:
            return values
        kept = values.new_ones(len(values), 1, values.shape[2])
        return values * functional.dropout(kept, self.chosen.dropout)


class PlainOptimizer:
    """Clipping and torch's AdamW at the classifier's default rate, in the calls of Gatewise's."""

    def __init__(self, network: PlainNetwork, *, fused: bool) -> None:
        defaults = ClassifierTraining()
        self._parameters, self._clip = list(network.parameters()), defaults.clip
        self._adamw = AdamW(
            self._parameters,
            defaults.learning_rate,
            weight_decay=defaults.weight_decay,
            fused=fused or None,
        )

    def zero_grad(self) -> None:
        self._adamw.zero_grad()

    def gradient_norm(self) -> float:
        """The norm; the gradients are clipped at once."""
        return nn.utils.clip_grad_norm_(self._parameters, self._clip).item()

    def step(self, gradient_norm: float) -> None:
        self._adamw.step()
