"""The names and shapes of an encoder's weights, the same for training and for answering."""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.cells import CELLS
from gatewise.options import CellName, PoolingName


@dataclass(frozen=True)
class EncoderShape:
    """What an encoder is made of: it decides the names and shapes of all its weights.

    `subwords` is the number of n-gram vectors, 0 for none; `more` how many numbers stand beside a
    token's vector in what the first layer reads.
    """

    cell: CellName
    vocabulary_size: int
    embedding_size: int
    subwords: int
    hidden_size: int
    num_layers: int
    bidirectional: bool
    pooling: PoolingName
    more: int = 0

    @property
    def input_size(self) -> int:
        """Numbers of a token that the first layer reads."""
        return self.embedding_size + self.more

    @property
    def state_size(self) -> int:
        """Width of the hidden states of all directions of a layer, P."""
        return self.hidden_size * (2 if self.bidirectional else 1)

    @property
    def pooled_size(self) -> int:
        """Width of the vector of a text."""
        return self.state_size * (3 if self.pooling == "concat" else 1)

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Shape of every weight by its name; the recurrent ones are named as in torch.nn.LSTM."""
        shapes: dict[str, tuple[int, ...]] = {
            "embedding.weight": (self.vocabulary_size, self.embedding_size)
        }
        if self.subwords:
            shapes["subwords.weight"] = (self.subwords, self.embedding_size)
        gates = len(CELLS[self.cell].gates) * self.hidden_size
        for layer in range(self.num_layers):
            width = self.state_size if layer else self.input_size
            for end in self.endings(layer):
                shapes[f"recurrent.weight_ih_{end}"] = (gates, width)
                shapes[f"recurrent.weight_hh_{end}"] = (gates, self.hidden_size)
                shapes[f"recurrent.bias_ih_{end}"] = (gates,)
                shapes[f"recurrent.bias_hh_{end}"] = (gates,)
        if self.pooling == "attention":
            shapes["pooling.projection.weight"] = (self.state_size, self.state_size)
            shapes["pooling.projection.bias"] = (self.state_size,)
            shapes["pooling.query"] = (self.state_size,)
        return shapes

    def endings(self, layer: int) -> list[str]:
        """How the names of a layer's weights end, by direction."""
        return [f"l{layer}", f"l{layer}_reverse"] if self.bidirectional else [f"l{layer}"]


@dataclass(frozen=True)
class FilterShape:
    """What a convolution over characters is made of: the names and shapes of its weights."""

    vocabulary_size: int
    embedding_size: int
    filters: int
    width: int

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Shape of every weight by its name, as in torch.nn.Conv1d."""
        return {
            "embedding.weight": (self.vocabulary_size, self.embedding_size),
            "convolution.weight": (self.filters, self.embedding_size, self.width),
            "convolution.bias": (self.filters,),
        }
