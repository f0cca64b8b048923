"""The language model of `gatewise` from torch's own layers: what the benchmark races against.

Only the cross-entropy over drawn classes is that of `gatewise`: both shall pay the same for it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gatewise.nn.softmax import sampled_cross_entropy
from gatewise.tasks.language.network import LanguageNetwork
from gatewise.tasks.language.windows import Window

States = tuple[Tensor, Tensor]


class PlainLanguageModel(nn.Module):
    """nn.Embedding, nn.LSTM over equal windows (its best case) and tied scores.

    Args:
        network: of the same shape; its weights are copied.
        chance: of every class to be drawn in a step, as the network draws them; None for all.
    """

    def __init__(self, network: LanguageNetwork, chance: Tensor | None) -> None:
        super().__init__()
        shape = network.encoder.shape
        self.embedding = nn.Embedding(shape.vocabulary_size, shape.embedding_size)
        self.lstm = nn.LSTM(
            shape.embedding_size, shape.hidden_size, shape.num_layers, batch_first=True
        )
        self.projection = network.projection and nn.Linear(shape.hidden_size, shape.embedding_size)
        self.bias = nn.Parameter(torch.zeros(shape.vocabulary_size))
        self.dropout = network.dropout
        self._chance = chance
        with torch.no_grad():
            self.embedding.weight.copy_(network.encoder.embedding.weight)
            self.lstm.load_state_dict(network.encoder.recurrent.state_dict())
            if self.projection is not None and network.projection is not None:
                self.projection.load_state_dict(network.projection.state_dict())
            self.bias.copy_(network.output.bias)

    def loss(self, window: Window, columns: int, states: States | None) -> tuple[Tensor, States]:
        """Mean cross-entropy of a window of equal columns, and the states at its end."""
        ids = torch.from_numpy(window.ids.astype(np.int64)).view(columns, -1)
        targets = torch.from_numpy(window.following)
        vectors = self._dropped(self.embedding(ids))
        hidden, (final, cell) = self.lstm(vectors, states)
        outputs = self._dropped(hidden).flatten(0, 1)
        if self.projection is not None:
            outputs = self.projection(outputs)
        found = final.detach(), cell.detach()
        weight = self.embedding.weight
        if self._chance is None:
            return functional.cross_entropy(outputs @ weight.T + self.bias, targets), found
        drawn = torch.nonzero(torch.rand(len(self._chance)) < self._chance)[:, 0]
        own = (outputs * self.embedding(targets)).sum(dim=1) + self.bias[targets]
        corrected = self.bias[drawn] - self._chance[drawn].log()
        vectors = self.embedding(drawn)
        loss = sampled_cross_entropy(outputs, vectors, corrected, own, targets, drawn, "fp32")
        return loss, found

    def _dropped(self, values: Tensor) -> Tensor:
        """One mask for all steps of a column."""
        mask = values.new_empty(len(values), 1, values.shape[2]).bernoulli_(1 - self.dropout)
        return values * mask / (1 - self.dropout)

    @torch.inference_mode()
    def write(self, tokens: int, start: int) -> list[int]:
        """So many tokens drawn one after another, as one would with torch."""
        found, states = [start], None
        for _ in range(tokens):
            vector = self.embedding(torch.tensor([[found[-1]]]))
            hidden, states = self.lstm(vector, states)
            if self.projection is not None:
                hidden = self.projection(hidden)
            scores = functional.linear(hidden[0, 0], self.embedding.weight, self.bias)
            found.append(int(torch.multinomial(scores.softmax(dim=0), 1)))
        return found
