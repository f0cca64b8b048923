"""Fitting a TextClassifier: the only part of it that needs PyTorch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gatewise.baselines import need_linear
from gatewise.data.batches import bucketed
from gatewise.nn.embedding import WordEmbedding
from gatewise.nn.encoder import Encoder
from gatewise.nn.pairs import PairScores
from gatewise.ragged import Ragged
from gatewise.tasks.classify.fitted import Fitted
from gatewise.tasks.classify.network import Batch, ClassifierNetwork
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.tasks.classify.prepared import Prepared, prepare
from gatewise.tasks.classify.report import Report
from gatewise.tasks.classify.rows import Given, Rows
from gatewise.tasks.classify.scoring import (
    calibrate,
    evaluated,
    linear_figures,
    probabilities,
)
from gatewise.tasks.classify.transfer import Beginning
from gatewise.tasks.report import epoch_figures
from gatewise.tasks.transfer import rates
from gatewise.text.pairs import pair_buckets, rarity
from gatewise.text.subwords import subword_buckets
from gatewise.training.loop import INTERRUPTED, train
from gatewise.training.progress import Epoch, Progress
from gatewise.training.schedule import Rate
from gatewise.training.settings import torch_settings, versions

if TYPE_CHECKING:
    from gatewise.tasks.classify.task import TextClassifier


def fit(
    classifier: TextClassifier,
    given: Given,
    training: ClassifierTraining,
    earlier: Fitted | None,
) -> None:
    """Fit a classifier in place.

    Args:
        classifier: the options.
        given: to learn from.
        training: how.
        earlier: what was learned before, to go on from it; None to start anew.
    """
    if training.baseline:
        need_linear()
    started = time.perf_counter()
    beginning = Beginning.of(classifier, earlier)
    prepared = prepare(classifier, given, training, beginning)
    labels, rows, dev_rows = prepared.labels, prepared.rows, prepared.dev_rows
    with torch_settings(prepared.training):
        network = network_of(prepared)
        beginning.fill(network)
        history = learn(network, network.loss, prepared, _rates(network, prepared, beginning))
        calibrate(network, dev_rows, prepared.dev_ids, labels)
        weights = network.arrays()
        found = probabilities(network, prepared.dev_ids, labels)
    evaluation = evaluated(found, dev_rows, labels)
    learned = labels
    if labels.multiple and evaluation:
        learned = labels.with_thresholds(found, dev_rows.targets)
    report = Report(
        rows=len(rows),
        dev_rows=len(dev_rows),
        shortened=prepared.longer,
        vocabulary_size=len(prepared.tokenizer),
        scales=network.scales,
        weights=sum(weight.size for weight in weights.values()),
        seconds=time.perf_counter() - started,
        training=prepared.training,
        versions=versions(),
        data=prepared.fingerprint(),
        warnings=prepared.warnings,
        epochs=epoch_figures(history),
        stop=history[-1].stop,
        evaluation=evaluation,
    )
    # The model stands before anything is compared with it: nothing can take it away any more.
    classifier.take(Fitted(prepared.chosen, learned, prepared.tokenizer, weights, report))
    if training.baseline and len(dev_rows) and report.stop != INTERRUPTED:
        with suppress(KeyboardInterrupt):
            classifier.report_ = replace(report, **linear_figures(rows, dev_rows, labels, found))


def network_of(prepared: Prepared) -> ClassifierNetwork:
    """A new network for what is prepared."""
    chosen, labels = prepared.chosen, prepared.labels
    shape = chosen.shape(len(prepared.tokenizer))
    encoder = Encoder(
        shape,
        embedding_dropout=chosen.embedding_dropout or 0.0,
        dropout=chosen.dropout,
        weight_dropout=chosen.weight_dropout,
        precision=prepared.training.precision,
    )
    teach_words(encoder.embedding, prepared)
    pairs = None
    if chosen.token_pairs:
        buckets = pair_buckets(prepared.ids, len(prepared.tokenizer), chosen.token_pairs)
        counts = rarity(buckets, chosen.token_pairs)
        pairs = PairScores(chosen.token_pairs, len(labels.names), len(prepared.tokenizer), counts)
    network = ClassifierNetwork(
        encoder,
        len(labels.names),
        multiple=labels.multiple,
        head_dropout=chosen.head_dropout,
        pairs=pairs,
    )
    if labels.multiple:
        network.start_from(prepared.rows.targets.mean(axis=0))
    return network


def teach_words(embedding: WordEmbedding, prepared: Prepared) -> None:
    """Let an embedding know the pieces of all words, and the vectors that there are for them."""
    if embedding.subwords is not None:
        # The token of all unknown words is no word itself: it has no pieces.
        words = ["", *prepared.tokenizer.vocabulary[1:], *prepared.unknown]
        embedding.know(subword_buckets(words, len(embedding.subwords)))
    if prepared.vectors is not None:
        embedding.take_vectors(*prepared.vectors)


def learn(
    network: nn.Module,
    loss: Callable[[Batch], Tensor],
    prepared: Prepared,
    slower: dict[str, Rate] | None = None,
) -> list[Epoch]:
    """Run the loop to its end; the network then holds the best weights.

    Args:
        network: from ids and offsets to scores.
        loss: of a batch.
        prepared: rows to learn from and to choose the best epoch on, and how.
        slower: rates of the weights that do not learn at the usual one, by their names.
    """
    rows, ids, training, labels = prepared.rows, prepared.ids, prepared.training, prepared.labels

    def batches(epoch: int) -> Iterator[Batch]:
        return (_batch(rows, ids, places) for places in _places(ids, training, epoch))

    def score() -> float | None:
        found = probabilities(network, prepared.dev_ids, labels)
        evaluation = evaluated(found, prepared.dev_rows, labels)
        return evaluation.score if evaluation else None

    assert training.epochs is not None
    metric = "macro-F1" if labels.multiple else "accuracy"
    tokens, steps = training.epochs * len(ids.values), _steps(prepared)
    with Progress(tokens, training.epochs, metric, quiet=training.quiet) as progress:
        for warning in prepared.warnings:
            progress.warn(warning)
        return list(train(network, loss, batches, score, training, steps, progress, slower))


def _rates(
    network: ClassifierNetwork, prepared: Prepared, beginning: Beginning
) -> dict[str, Rate] | None:
    if not beginning:
        return None
    gradual = prepared.training.gradual and beginning.model is not None
    training, layers = prepared.training, network.encoder.shape.num_layers
    epochs = training.epochs if gradual else None
    return rates(network, layers, training.layer_decay, _steps(prepared), epochs)


def _steps(prepared: Prepared) -> int:
    """Batches of all epochs, counted one by one: with a limit on tokens, epochs differ."""
    assert prepared.training.epochs is not None
    epochs = range(1, prepared.training.epochs + 1)
    return sum(len(_places(prepared.ids, prepared.training, epoch)) for epoch in epochs)


def _places(ids: Ragged, training: ClassifierTraining, epoch: int) -> list[NDArray[np.int64]]:
    """The rows of every batch of an epoch."""
    assert training.batch_size is not None
    return bucketed(
        ids.lengths,
        batch_size=training.batch_size,
        batch_tokens=training.batch_tokens,
        seed=training.seed,
        epoch=epoch,
    )


def _batch(rows: Rows, ids: Ragged, places: NDArray[np.int64]) -> Batch:
    taken = ids.take(places)
    return Batch(
        torch.from_numpy(taken.values),
        torch.from_numpy(taken.offsets),
        torch.from_numpy(rows.targets[places]),
        torch.from_numpy(rows.weights[places]),
    )
