"""Networks that are here to be compared with: averaged words, a CNN and a small Transformer.

They read the same word vectors as the recurrent ones, with the same dropout, and end in the same
head; only what stands between differs. They learn and answer in this process, and are not saved.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from gatewise.nn.dropout import kept_features, locked_dropout
from gatewise.nn.embedding import WordEmbedding
from gatewise.nn.pooling import Pooling
from gatewise.options import PoolingName
from gatewise.tasks.classify.fit import teach_words
from gatewise.tasks.classify.network import Batch, losses_of
from gatewise.tasks.classify.prepared import Prepared

WIDTHS = (3, 4, 5)
"""Tokens that the filters of the CNN see at once (Kim 2014)."""
HEADS, LAYERS = 4, 2


class AveragedWords(nn.Module):
    """The mean of the word vectors, without their order (as in fastText, Joulin et al. 2017)."""

    pooling: PoolingName = "mean"

    def __init__(self, embedding_size: int, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.size = embedding_size

    def forward(self, values: Tensor, offsets: Tensor) -> Tensor:
        """The vectors as they are."""
        return values


class Convolutions(nn.Module):
    """`hidden_size` filters over 3, 4 and 5 words each, and the greatest of each (Kim 2014)."""

    pooling: PoolingName = "max"

    def __init__(self, embedding_size: int, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.size = len(WIDTHS) * hidden_size
        self.filters = nn.ModuleList(
            nn.Conv1d(embedding_size, hidden_size, width) for width in WIDTHS
        )

    def forward(self, values: Tensor, offsets: Tensor) -> Tensor:
        """What every filter finds around every token; beyond the ends of a text there are zeros."""
        texts, real = padded(values, offsets)
        texts = texts.transpose(1, 2)  # (B, E, T)
        found = [
            # As many zeros as keep a state for every token.
            conv(functional.pad(texts, ((width - 1) // 2, width // 2)))
            for width, conv in zip(WIDTHS, self.filters, strict=True)
        ]
        return torch.cat(found, dim=1).transpose(1, 2)[real].relu()


class Transformer(nn.Module):
    """Two layers of self-attention with fixed positions (Vaswani et al. 2017), norms first."""

    pooling: PoolingName = "mean"

    def __init__(self, embedding_size: int, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.size = embedding_size
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                embedding_size,
                math.gcd(embedding_size, HEADS),
                4 * embedding_size,
                dropout,
                batch_first=True,
                norm_first=True,
            )
            for _ in range(LAYERS)
        )
        self.norm = nn.LayerNorm(embedding_size)

    def forward(self, values: Tensor, offsets: Tensor) -> Tensor:
        """Every token after it has looked at all tokens of its text."""
        texts, real = padded(values * math.sqrt(self.size), offsets)
        texts = texts + positions(texts.shape[1], self.size)
        hidden = ~real
        hidden[:, :1] = False  # who sees nothing at all, in an empty text, would see no number
        for layer in self.layers:
            texts = layer(texts, src_key_padding_mask=hidden)
        states: Tensor = self.norm(texts[real])
        return states


PEERS: dict[str, type[AveragedWords | Convolutions | Transformer]] = {
    "words": AveragedWords,
    "cnn": Convolutions,
    "transformer": Transformer,
}
"""By the names of the contestants."""


class PeerNetwork(nn.Module):
    """Word vectors, what stands in the middle, pooling and one linear layer.

    Args:
        name: of the middle in `PEERS`.
        prepared: sizes, dropout, words and labels.
    """

    def __init__(self, name: str, prepared: Prepared) -> None:
        super().__init__()
        chosen, self.multiple = prepared.chosen, prepared.labels.multiple
        shape = chosen.shape(len(prepared.tokenizer))
        sizes = shape.vocabulary_size, shape.embedding_size, shape.subwords
        self.embedding = WordEmbedding(*sizes, chosen.embedding_dropout or 0.0)
        teach_words(self.embedding, prepared)
        self.middle = PEERS[name](shape.embedding_size, shape.hidden_size, chosen.dropout)
        self.pooling = Pooling(self.middle.pooling, self.middle.size)
        self.head = nn.Linear(self.middle.size, len(prepared.labels.names))
        self.dropout, self.head_dropout = chosen.dropout, chosen.head_dropout

    def forward(self, ids: Tensor, offsets: Tensor) -> Tensor:
        """Raw scores of every label: ids (N,), offsets (B + 1,) → (B, L)."""
        dropout = self.dropout if self.training else 0.0
        values = locked_dropout(self.embedding(ids), offsets, dropout)
        hidden = self.middle(values, offsets)
        kept = kept_features(hidden, len(offsets) - 1, dropout) if dropout else None
        pooled = self.pooling(hidden, offsets, hidden.new_empty(0), kept)
        dropped = functional.dropout(pooled, self.head_dropout, training=self.training)
        scores: Tensor = self.head(dropped)
        return scores

    def loss(self, batch: Batch) -> Tensor:
        """Mean of the cross-entropy of every text times its weight."""
        losses = losses_of(self(batch.ids, batch.offsets), batch, self.multiple)
        return (losses * batch.weights).mean()


def padded(values: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """Texts of equal length, (B, T, E), and which of their tokens are real, (B, T).

    T is at least 1. `texts[real]` are the values again, in their order.
    """
    lengths = offsets.diff()
    steps = torch.arange(max(1, int(lengths.max())), device=values.device)
    real = steps < lengths[:, None]
    texts = values.new_zeros(*real.shape, values.shape[1])
    return texts.masked_scatter(real[:, :, None], values), real


def positions(length: int, size: int) -> Tensor:
    """Sines and cosines of the place of every token, (T, E)."""
    places = torch.arange(length)[:, None]
    rates = torch.exp(torch.arange(0, size, 2) * (-math.log(10_000) / size))
    table = torch.empty(length, size)
    table[:, 0::2] = torch.sin(places * rates)
    table[:, 1::2] = torch.cos(places * rates[: size // 2])
    return table
