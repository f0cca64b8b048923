"""The trainable network of a language model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gatewise.nn.dropout import locked_dropout
from gatewise.nn.encoder import Encoder
from gatewise.nn.recurrent import State
from gatewise.nn.softmax import chances, cross_entropy, log_shares, sampled_cross_entropy
from gatewise.nn.table import Table, distinct
from gatewise.tasks.language.windows import Window


class Output(nn.Module):
    """Bias of every class, (K,), and unless `size` is None a vector of its own, (K, size)."""

    def __init__(self, bias: NDArray[np.float32], size: int | None) -> None:
        super().__init__()
        self.weight = None if size is None else Table(torch.empty(len(bias), size).normal_(std=0.1))
        self.bias = nn.Parameter(torch.from_numpy(bias))


class LanguageNetwork(nn.Module):
    """Encoder, a projection where sizes differ, and scores of all classes.

    Args:
        encoder: from ids to hidden states.
        tied: whether classes are scored by the vectors that read them (Press & Wolf 2017).
        counts: how often every class occurs, (K,).
        samples: classes that a training step scores; 0 for all.
        dropout: share of the features of outputs left out.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        tied: bool,
        counts: NDArray[np.int64],
        samples: int,
        dropout: float,
    ) -> None:
        super().__init__()
        shape = encoder.shape
        self.encoder = encoder
        self.projection = None
        if shape.hidden_size != shape.embedding_size:
            self.projection = nn.Linear(shape.hidden_size, shape.embedding_size)
        self.output = Output(log_shares(counts), None if tied else shape.embedding_size)
        self.dropout = dropout
        self._chance = torch.from_numpy(chances(counts, samples or len(counts))).float()

    @property
    def classes(self) -> int:
        """Tokens of the vocabulary and the end of a text, K."""
        return self.encoder.shape.vocabulary_size

    def loss(self, window: Window, start: list[State] | None) -> tuple[Tensor, list[State]]:
        """Mean cross-entropy of a window's targets, and the states at its end.

        Args:
            window: N tokens in R rows.
            start: states of every layer before every row, (D, R, H); zeros if None.
        """
        targets = self._targets(window)
        read, read_places = distinct(window.ids, self.classes)
        drawn = torch.nonzero(torch.rand(self.classes) < self._chance)[:, 0]
        wanted, places = distinct(np.concatenate([drawn.numpy(), targets.numpy()]), self.classes)
        if self.output.weight is not None:
            scoring = self.output.weight.read(torch.from_numpy(wanted))
            reading = self.encoder.embedding.weight.read(torch.from_numpy(read))
        else:
            # A step reads a table once: all rows that it reads or scores.
            rows, both = distinct(np.concatenate([read, wanted]), self.classes)
            table = self.encoder.embedding.weight.read(torch.from_numpy(rows))
            reading, scoring = _rows(table, both[: len(read)]), _rows(table, both[len(read) :])
        reading = self._words_dropped(reading)
        outputs, states = self._outputs(_rows(reading, read_places), window, start)
        bias = self.output.bias
        vectors = _rows(scoring, places[: len(drawn)])
        own = (outputs * _rows(scoring, places[len(drawn) :])).sum(dim=1) + bias[targets]
        corrected = bias[drawn] - self._chance[drawn].log()
        loss = sampled_cross_entropy(
            outputs, vectors, corrected, own, targets, drawn, self.encoder.precision
        )
        return loss, states

    @torch.no_grad()
    def nats(self, window: Window, start: list[State] | None) -> tuple[float, list[State]]:
        """Mean exact cross-entropy of a window's targets, and the states at its end."""
        table = self.encoder.embedding.weight
        vectors = functional.embedding(torch.from_numpy(window.ids), table)
        outputs, states = self._outputs(vectors, window, start)
        if self.output.weight is not None:
            table = self.output.weight
        targets, precision = self._targets(window), self.encoder.precision
        return cross_entropy(outputs, table, self.output.bias, targets, precision), states

    def _targets(self, window: Window) -> Tensor:
        """The token after each and, from a network that reads both ways, those before."""
        following = torch.from_numpy(window.following)
        if not self.encoder.shape.bidirectional:
            return following
        return torch.cat([following, torch.from_numpy(window.previous)])

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Copies of the weights, under the names that the answering side reads."""
        state = self.state_dict()
        return {name.removeprefix("encoder."): w.numpy().copy() for name, w in state.items()}

    @torch.no_grad()
    def take(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """Start from the arrays of another network of the same shape."""
        for name, weight in self.named_parameters():
            weight.copy_(torch.from_numpy(weights[name.removeprefix("encoder.")]))

    def _outputs(
        self, vectors: Tensor, window: Window, start: list[State] | None
    ) -> tuple[Tensor, list[State]]:
        offsets = torch.from_numpy(window.offsets)
        hidden, states = self.encoder.walk(vectors, offsets, start)
        dropout = self.dropout if self.training else 0.0
        outputs = locked_dropout(hidden, offsets, dropout)
        if self.encoder.shape.bidirectional:
            forwards, backwards = outputs.chunk(2, dim=1)  # (N, H) each
            outputs = torch.cat([forwards, backwards[torch.from_numpy(window.preceded)]])
        return (outputs if self.projection is None else self.projection(outputs)), states

    def _words_dropped(self, vectors: Tensor) -> Tensor:
        """Leave whole words out of a step, wherever they stand (Gal & Ghahramani 2016)."""
        share = self.encoder.embedding.dropout
        if not self.training or not share:
            return vectors
        return vectors * vectors.new_empty(len(vectors), 1).bernoulli_(1 - share).div_(1 - share)


def _rows(table: Tensor, places: NDArray[Any]) -> Tensor:
    return functional.embedding(torch.from_numpy(places), table)


def grown(
    weights: Mapping[str, NDArray[np.float32]], tokens: int, wanted: int
) -> dict[str, NDArray[np.float32]]:
    """The arrays of a network whose vocabulary grew from `tokens` to `wanted`.

    New tokens start from the mean of the others (Howard & Ruder 2018), and as rare as the rarest.
    """
    found = dict(weights)
    for name in ("embedding.weight", "output.weight", "output.bias"):
        if name not in weights or wanted == tokens:
            continue
        old = weights[name]
        new = old.min() if name == "output.bias" else old.mean(axis=0)
        rows = np.broadcast_to(new, (wanted - tokens, *old.shape[1:]))
        found[name] = np.concatenate([old[:tokens], rows, old[tokens:]])
    return found
