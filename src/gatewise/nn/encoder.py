"""The trainable encoder: embedding, dropout in its recurrent forms, recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from gatewise.nn.dropout import locked_dropout
from gatewise.nn.embedding import WordEmbedding
from gatewise.nn.modules import GRU, LSTM, RNN
from gatewise.nn.recurrent import State, recurrent_layer
from gatewise.shapes import EncoderShape

MODULES = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


class RecurrentStack(nn.Module):
    """Recurrent layers on top of each other, with dropout in its recurrent forms.

    Args:
        shape: what they are made of; vectors of `embedding_size` numbers go in.
        dropout: share of features left out before every layer, the same at every token of a text.
        weight_dropout: share of the recurrent weights left out (Merity et al. 2018).
        precision: of the recurrent layers' products on the CPU, fp32 or bf16.
    """

    def __init__(
        self,
        shape: EncoderShape,
        *,
        dropout: float = 0.0,
        weight_dropout: float = 0.0,
        precision: str = "fp32",
    ) -> None:
        super().__init__()
        self.shape = shape
        self.dropout = dropout
        self.weight_dropout = weight_dropout
        self.precision = precision
        self.recurrent = MODULES[shape.cell](
            shape.input_size,
            shape.hidden_size,
            shape.num_layers,
            bidirectional=shape.bidirectional,
        )
        self._reset()

    def walk(
        self,
        values: Tensor,
        offsets: Tensor,
        start: list[State] | None = None,
        kept: Sequence[Tensor] | None = None,
    ) -> tuple[Tensor, list[State]]:
        """All recurrent layers over vectors, from any states on.

        Args:
            values: what the first layer reads, (N, E).
            offsets: where texts start and end, (B + 1,).
            start: of every layer, the states before the first token; zeros if None.
            kept: of every layer, what the features of each text are multiplied with in place of
                dropout, (B, F); for walks of one token a text, which a text goes through in turn.

        Returns:
            Hidden states of the last layer, (N, P), and the states of every layer after each text.
        """
        dropout = self.dropout if self.training else 0.0
        finals = []
        for layer in range(self.shape.num_layers):
            if kept is None:
                values = locked_dropout(values, offsets, dropout)
            else:
                values = values * kept[layer]
            values, final = recurrent_layer(
                self.shape.cell,
                values,
                offsets,
                self._layer_weights(layer),
                None if start is None else start[layer],
                precision=self.precision,
            )
            finals.append(final)
        return values, finals

    @torch.no_grad()
    def _reset(self) -> None:
        """Glorot input weights, orthogonal recurrent ones, and an open forget gate.

        With the forget gate's bias at 1 a new LSTM remembers (Jozefowicz et al. 2015); orthogonal
        matrices keep the size of what they carry (Saxe et al. 2014).
        """
        size = self.shape.hidden_size
        for name, weight in self.recurrent.named_parameters():
            for gate, part in enumerate(torch.split(weight, size)):
                if name.startswith("weight_ih"):
                    nn.init.xavier_uniform_(part)
                elif name.startswith("weight_hh"):
                    nn.init.orthogonal_(part)
                else:
                    forget = self.shape.cell == "lstm" and name.startswith("bias_ih") and gate == 1
                    part.fill_(1.0 if forget else 0.0)

    def _layer_weights(self, layer: int) -> list[list[Tensor]]:
        count = 2 if self.shape.bidirectional else 1
        rows = self.recurrent.all_weights[layer * count : (layer + 1) * count]
        directions: list[list[Tensor]] = [[*weights] for weights in rows]
        if self.training and self.weight_dropout:
            for weights in directions:
                weights[1] = functional.dropout(weights[1], self.weight_dropout)
        return directions


class Encoder(RecurrentStack):
    """From token ids to hidden states.

    Its state dict has the names that `gatewise.encoder.Encoder` reads.

    Args:
        shape: what it is made of.
        embedding_dropout: share of the words that a training step leaves out.
        dropout: share of features left out before every layer, the same at every token of a text.
        weight_dropout: share of the recurrent weights left out (Merity et al. 2018).
        precision: of the recurrent layers' products on the CPU, fp32 or bf16.
        as_unknown: whether words that are left out are read as unknown ones, see `WordEmbedding`.
    """

    def __init__(
        self,
        shape: EncoderShape,
        *,
        embedding_dropout: float = 0.0,
        dropout: float = 0.0,
        weight_dropout: float = 0.0,
        precision: str = "fp32",
        as_unknown: bool = False,
    ) -> None:
        # Made before the layers: a seed gives the first weights that it always gave.
        embedding = WordEmbedding(
            shape.vocabulary_size,
            shape.embedding_size,
            shape.subwords,
            embedding_dropout,
            as_unknown=as_unknown,
        )
        super().__init__(shape, dropout=dropout, weight_dropout=weight_dropout, precision=precision)
        self.embedding = embedding

    def forward(self, ids: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states of the last layer and the final ones of every text.

        Args:
            ids: token ids of all texts, (N,).
            offsets: where texts start and end, (B + 1,).

        Returns:
            (N, P) and (B, P), where P is the width of all directions together.
        """
        values, finals = self.walk(self.embedding(ids), offsets)
        # (D, B, H) → (B, D * H): the directions of a text beside each other.
        return values, finals[-1].hidden.transpose(0, 1).flatten(1)
