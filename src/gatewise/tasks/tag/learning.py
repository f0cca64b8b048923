"""How a tagger's network learns: its parts, its batches, the loop over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from gatewise.data.batches import bucketed
from gatewise.nn.character_cnn import CharacterCNN
from gatewise.nn.encoder import Encoder
from gatewise.nn.table import distinct
from gatewise.shapes import FilterShape
from gatewise.tasks.tag.encoded import Encoded
from gatewise.tasks.tag.network import Batch, TaggerNetwork
from gatewise.tasks.tag.prepared import Prepared
from gatewise.tasks.tag.shapes import character_shape, sentence_shape
from gatewise.tasks.tag.tags import Tags
from gatewise.tasks.transfer import fill, rates
from gatewise.text.spans import OUTSIDE
from gatewise.training.loop import train
from gatewise.training.progress import Epoch, Progress


def network_of(prepared: Prepared) -> TaggerNetwork:
    """A new network for what is prepared; it starts from the language model, if there is one."""
    chosen, lexicon = prepared.chosen, prepared.lexicon
    dropout, precision = chosen.dropout, prepared.training.precision
    assert dropout is not None
    assert chosen.embedding_dropout is not None
    encoder = Encoder(
        sentence_shape(chosen, lexicon),
        embedding_dropout=chosen.embedding_dropout,
        dropout=dropout,
        weight_dropout=chosen.weight_dropout,
        precision=precision,
        as_unknown=True,
    )
    if chosen.subwords:
        encoder.embedding.know(prepared.pieces)
    characters: Encoder | CharacterCNN | None = None
    if chosen.characters:
        shape = character_shape(chosen, lexicon)
        characters = (
            CharacterCNN(shape)
            if isinstance(shape, FilterShape)
            else Encoder(shape, dropout=dropout, precision=precision)
        )
    network = TaggerNetwork(
        encoder,
        len(prepared.tags.names),
        characters=characters,
        vectors=prepared.vectors,
        shape_size=chosen.shape_size or 0,
        crf=bool(chosen.crf),
    )
    if prepared.model is not None:
        fill(encoder, prepared.model)
    return network


def learn(
    network: TaggerNetwork,
    prepared: Prepared,
    score: Callable[[], float | None],
    stop: int | None = None,
) -> list[Epoch]:
    """Run the loop to its end; the network then holds the best weights.

    Args:
        network: with new weights, or those of a language model.
        prepared: what it learns from.
        score: how good the network is on the dev sentences; None without them.
        stop: the epoch after which to stop, and whose weights to keep, as if all were to come.
    """
    encoded, training = prepared.encoded, prepared.training

    def places(epoch: int) -> list[NDArray[np.int64]]:
        assert training.batch_size is not None
        return bucketed(
            encoded.words.lengths,
            batch_size=training.batch_size,
            batch_tokens=training.batch_tokens,
            seed=training.seed,
            epoch=epoch,
        )

    def batches(epoch: int) -> Iterator[Batch]:
        return (batch_of(encoded, rows, prepared) for rows in places(epoch))

    assert training.epochs is not None
    steps = sum(len(places(epoch)) for epoch in range(1, training.epochs + 1))
    metric = "accuracy" if prepared.tags.scheme is None else "span F1"
    epochs = training.epochs if stop is None else stop
    training = replace(training, epochs=epochs)
    tokens = epochs * len(encoded.words.values)
    with Progress(tokens, epochs, metric, quiet=training.quiet) as progress:
        for warning in prepared.warnings:
            progress.warn(warning)
        slower = None
        if prepared.model is not None:
            layers = network.encoder.shape.num_layers
            slower = rates(network, layers, training.layer_decay, steps, None)
        loop = train(
            network,
            network.loss,
            batches,
            score,
            training,
            steps,
            progress,
            slower,
            keep_last=stop is not None,
        )
        return list(loop)


def batch_of(encoded: Encoded, rows: NDArray[np.int64], prepared: Prepared) -> Batch:
    """Sentences as the network takes them."""
    words, forms = encoded.words.take(rows), encoded.forms.take(rows)
    different, spelling = distinct(forms.values, len(prepared.spellings))
    spelled = prepared.spellings.take(different)
    arrays = (
        words.values,
        words.offsets,
        encoded.tags.take(rows).values,
        prepared.shapes[forms.values],
        spelling,
        spelled.values,
        spelled.offsets,
    )
    return Batch(*map(torch.from_numpy, arrays))


def lower_outside(network: TaggerNetwork, tags: Tags, amount: float) -> None:
    """Let "O" score so much less, see `gatewise.tasks.tag.balance`."""
    if amount:
        network.head.bias.data[tags.number[OUTSIDE]] -= amount
