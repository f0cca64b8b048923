"""The trainable network of text to text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gatewise.nn.attention import Attention, KeysValues, padding
from gatewise.nn.dropout import locked_dropout
from gatewise.nn.encoder import RecurrentStack
from gatewise.nn.recurrent import State
from gatewise.nn.softmax import (
    blocks_of_scores,
    chances,
    cross_entropy,
    log_shares,
    sampled_cross_entropy,
)
from gatewise.ragged import Ragged


@dataclass(frozen=True, eq=False)
class Batch:
    """B pairs of texts, an end behind each; N tokens of all targets together, S of all sources.

    Args:
        source_ids: (S,).
        source_offsets: where sources start and end, (B + 1,).
        target_ids: (N,).
        target_offsets: where targets start and end, (B + 1,).
        before: the token before every target token; before the first stands an end, (N,).
    """

    source_ids: Tensor
    source_offsets: Tensor
    target_ids: Tensor
    target_offsets: Tensor
    before: Tensor

    @classmethod
    def of(cls, sources: Ragged, targets: Ragged, end: int) -> Batch:
        """From the ids of sources and targets."""
        arrays = (
            sources.values.astype(np.int64),
            sources.offsets,
            targets.values.astype(np.int64),
            targets.offsets,
            targets.before(end).astype(np.int64),
        )
        return cls(*map(torch.from_numpy, arrays))

    @property
    def tokens(self) -> int:
        """Tokens of the targets, which the loss is the mean of."""
        return len(self.target_ids)


class Output(nn.Module):
    """A bias for every class, (K,): at first the logarithm of how often it occurs."""

    def __init__(self, counts: NDArray[np.int64]) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.from_numpy(log_shares(counts)))


class Seq2SeqNetwork(nn.Module):
    """Embedding, encoder, decoder, attention and the scores of all classes.

    The same vectors read sources, read targets and score them (Press & Wolf 2017).

    Args:
        encoder: the recurrent layers that read sources, in both directions.
        decoder: those that write targets.
        attention: from the decoder's states to the encoder's.
        counts: how often every class occurs in the targets, (K,).
        samples: classes that a training step scores; 0 for all.
        smoothing: share of the truth that all classes have alike (Szegedy et al. 2016).
        embedding_dropout: share of the tokens whose vector a step leaves out.

    Attributes:
        sampling: share of the target tokens that a step reads as the network foretells them.
    """

    def __init__(
        self,
        encoder: RecurrentStack,
        decoder: RecurrentStack,
        attention: Attention,
        *,
        counts: NDArray[np.int64],
        samples: int,
        smoothing: float,
        embedding_dropout: float,
    ) -> None:
        super().__init__()
        size = encoder.shape.embedding_size
        self.embedding = nn.Embedding(len(counts), size)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.encoder = encoder
        self.decoder = decoder
        self.attention = attention
        self.projection = nn.Linear(decoder.shape.hidden_size, size)
        self.output = Output(counts)
        self.smoothing = smoothing
        self.embedding_dropout = embedding_dropout
        self.sampling = 0.0
        self.feeding = decoder.shape.embedding_size > size
        self._chance = torch.from_numpy(chances(counts, samples or len(counts))).float()

    @property
    def classes(self) -> int:
        """Tokens of the vocabulary and the end of a text, K."""
        return self.embedding.num_embeddings

    def loss(self, batch: Batch) -> Tensor:
        """Mean cross-entropy of a batch's targets, smoothed."""
        if self.sampling:
            batch = self._sampled(batch)
        drawn = torch.nonzero(torch.rand(self.classes) < self._chance)[:, 0]
        targets = batch.target_ids
        # One look-up for all that a step reads and scores: its gradient is as large as the table.
        read = self.embedding(torch.cat([batch.source_ids, batch.before, targets, drawn]))
        sources, before, wanted, vectors = read.split(
            [len(batch.source_ids), len(targets), len(targets), len(drawn)]
        )
        outputs = self._outputs(batch, sources, before)
        bias = self.output.bias
        own = (outputs * wanted).sum(dim=1) + bias[targets]
        corrected = bias[drawn] - self._chance[drawn].log()
        loss = sampled_cross_entropy(
            outputs, vectors, corrected, own, targets, drawn, self.encoder.precision
        )
        # The share of all classes alike needs no sample: a mean of scores is the score of a mean.
        alike = outputs.mean(dim=0) @ self.embedding.weight.mean(dim=0) + bias.mean()
        smoothed: Tensor = loss + self.smoothing * (own.mean() - alike)
        return smoothed

    @torch.no_grad()
    def nats(self, batch: Batch) -> float:
        """Mean exact cross-entropy of a batch's targets, not smoothed."""
        return cross_entropy(*self._scoring(batch), batch.target_ids, self.encoder.precision)

    @torch.no_grad()
    def _sampled(self, batch: Batch) -> Batch:
        """A batch in which some tokens before a target token are the network's own likeliest.

        Scheduled sampling (Bengio et al. 2015) in two passes: the first foretells all tokens from
        the true ones, the second reads some of them (Duckworth et al. 2019, arXiv 1906.04331).
        """
        blocks = blocks_of_scores(*self._scoring(batch), self.encoder.precision)
        foretold = torch.cat([scored.argmax(dim=1) for scored in blocks])
        chosen = torch.rand(len(foretold)) < self.sampling
        chosen[batch.target_offsets[:-1]] = False  # before the first stands an end
        return replace(batch, before=torch.where(chosen, foretold.roll(1), batch.before))

    def _scoring(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Outputs before every target token, and vectors and bias of all classes."""
        sources, before = self.embedding(batch.source_ids), self.embedding(batch.before)
        outputs = self._outputs(batch, sources, before)
        return outputs, self.embedding.weight, self.output.bias

    def _outputs(self, batch: Batch, sources: Tensor, before: Tensor) -> Tensor:
        """What is compared with the classes before every target token, (N, E).

        Args:
            batch: the pairs.
            sources: vectors of the source tokens.
            before: vectors of the tokens before every target token.
        """
        offsets = batch.source_offsets
        hidden, finals = self.encoder.walk(self._tokens_dropped(sources, batch.source_ids), offsets)
        dropout = self.encoder.dropout if self.training else 0.0
        keys_values = self.attention.keys_values(locked_dropout(hidden, offsets, dropout), offsets)
        start = [_both_ways(final) for final in finals]
        before = self._tokens_dropped(before, batch.before)
        offsets = batch.target_offsets
        if self.feeding:
            return self._step_by_step(before, offsets, keys_values, start, dropout)
        decoded, _ = self.decoder.walk(before, offsets, start)
        decoded = locked_dropout(decoded, offsets, dropout)
        places, real = padding(offsets)
        attended, _ = self.attention(decoded[places], keys_values)
        outputs = torch.tanh(self.projection(decoded) + attended[real])
        return locked_dropout(outputs, offsets, dropout)

    def _step_by_step(
        self,
        before: Tensor,
        offsets: Tensor,
        keys_values: KeysValues,
        start: list[State],
        dropout: float,
    ) -> Tensor:
        """The same where a step reads the output of the step before (Luong et al. 2015).

        Args:
            before: vectors of the tokens before every target token, (N, E).
            offsets: where targets start and end, (B + 1,).
            keys_values: of the sources.
            start: states of the decoder.
            dropout: share of features left out, the same at every token of a text.
        """
        # Longest targets first: those that go on are always the first ones.
        lengths, order = torch.sort(offsets.diff(), descending=True, stable=True)
        keys_values = KeysValues(*(part[order] for part in keys_values))
        states = [layer.each(lambda part: part[:, order]) for layer in start]
        layers, hidden_size = self.decoder.shape.num_layers, self.decoder.shape.hidden_size
        widths = [self.decoder.shape.embedding_size] + [hidden_size] * layers + [before.shape[1]]
        kept = [
            before.new_empty(len(order), width).bernoulli_(1 - dropout).div_(1 - dropout)
            for width in widths
        ]
        outputs = before.new_zeros(len(order), before.shape[1])
        found = []
        for step in range(int(lengths[0])):
            count = int((lengths > step).sum())
            rows = offsets[order[:count]] + step
            some = [mask[:count] for mask in kept]
            hidden, states = self.decoder.walk(
                torch.cat([before[rows], outputs[:count]], dim=1),
                torch.arange(count + 1),
                [layer.each(partial(_first, count=count)) for layer in states],
                some[:layers],
            )
            hidden = hidden * some[layers]
            attended, _ = self.attention(
                hidden[:, None], KeysValues(*(part[:count] for part in keys_values))
            )
            outputs = torch.tanh(self.projection(hidden) + attended[:, 0]) * some[-1]
            found.append((rows, outputs))
        places = torch.cat([rows for rows, _ in found])
        return torch.cat([rows for _, rows in found])[torch.argsort(places)]

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Copies of the weights, under the names that the answering side reads."""
        return {name: weight.numpy().copy() for name, weight in self.state_dict().items()}

    def _tokens_dropped(self, vectors: Tensor, ids: Tensor) -> Tensor:
        """Leave whole tokens out of a step, wherever they stand (Gal & Ghahramani 2016)."""
        share = self.embedding_dropout
        if not self.training or not share:
            return vectors
        kept = vectors.new_empty(self.classes, 1).bernoulli_(1 - share).div_(1 - share)
        return vectors * kept[ids]


def _both_ways(final: State) -> State:
    """States that a decoder starts from: the mean of the directions, (D, B, H) → (1, B, H)."""
    return final.each(lambda part: part.mean(dim=0, keepdim=True))


def _first(part: Tensor, count: int) -> Tensor:
    return part[:, :count]
