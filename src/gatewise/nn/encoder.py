"""The trainable encoder: embedding, dropout in its recurrent forms, recurrent layers."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gatewise.nn.dropout import locked_dropout, row_dropout
from gatewise.nn.recurrent import GRU, LSTM, RNN, recurrent_layer
from gatewise.shapes import EncoderShape

MODULES = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


class Encoder(nn.Module):
    """From token ids to hidden states.

    Its state dict has the names that `gatewise.encoder.Encoder` reads.

    Args:
        shape: what it is made of.
        embedding_dropout: share of the vocabulary that a training step leaves out.
        dropout: share of features left out before every layer and after the last, the same at
            every token of a text.
        weight_dropout: share of the recurrent weights left out (Merity et al. 2018).
    """

    def __init__(
        self,
        shape: EncoderShape,
        *,
        embedding_dropout: float = 0.0,
        dropout: float = 0.0,
        weight_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.shape = shape
        self.embedding_dropout = embedding_dropout
        self.dropout = dropout
        self.weight_dropout = weight_dropout
        self.embedding = nn.Embedding(shape.vocabulary_size, shape.embedding_size)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.recurrent = MODULES[shape.cell](
            shape.embedding_size,
            shape.hidden_size,
            shape.num_layers,
            bidirectional=shape.bidirectional,
        )

    def forward(self, ids: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states of the last layer and the final ones of every text.

        Args:
            ids: token ids of all texts, (N,).
            offsets: where texts start and end, (B + 1,).

        Returns:
            (N, P) and (B, P), where P is the width of all directions together.
        """
        table = self.embedding.weight
        dropout = self.dropout if self.training else 0.0
        if self.training:
            table = row_dropout(table, self.embedding_dropout)
        values = locked_dropout(functional.embedding(ids, table), offsets, dropout)
        for layer in range(self.shape.num_layers):
            values, final = recurrent_layer(
                self.shape.cell, values, offsets, self._layer_weights(layer)
            )
            values = locked_dropout(values, offsets, dropout)
        # (D, B, H) → (B, D * H): the directions of a text beside each other.
        return values, final.hidden.transpose(0, 1).flatten(1)

    @torch.no_grad()
    def take_vectors(self, vectors: NDArray[np.float32], found: NDArray[np.bool_]) -> None:
        """Start from pretrained word vectors, (V, E), where they were `found`, (V,)."""
        rows = torch.from_numpy(found)
        self.embedding.weight[rows] = torch.from_numpy(vectors)[rows]

    def _layer_weights(self, layer: int) -> list[list[Tensor]]:
        directions = self.recurrent.weights(layer)
        if self.training and self.weight_dropout:
            for weights in directions:
                weights[1] = functional.dropout(weights[1], self.weight_dropout)
        return directions
