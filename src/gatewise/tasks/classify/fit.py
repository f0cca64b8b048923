"""Fitting a TextClassifier: the only part of it that needs PyTorch."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from gatewise import kernels, options
from gatewise.data.batches import bucketed
from gatewise.data.checks import check_rows, check_texts
from gatewise.errors import OptionError
from gatewise.nn.encoder import Encoder
from gatewise.nn.pairs import PairScores
from gatewise.ragged import Ragged
from gatewise.tasks.classify.defaults import WITHOUT_SUBWORDS, Defaults
from gatewise.tasks.classify.fitted import Fitted
from gatewise.tasks.classify.labels import Labels
from gatewise.tasks.classify.network import Batch, ClassifierNetwork
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.tasks.classify.report import EpochFigures, Report
from gatewise.tasks.classify.rows import (
    ClassWeight,
    Rows,
    check_lengths,
    list_of_texts,
    read_rows,
    split_rows,
)
from gatewise.tasks.classify.scoring import (
    calibrate,
    evaluated,
    linear_figures,
    probabilities,
)
from gatewise.tasks.classify.transfer import Beginning, rates
from gatewise.text.pairs import pair_buckets, rarity
from gatewise.text.subwords import subword_buckets
from gatewise.text.tokenizer import Tokenizer
from gatewise.text.vectors import read_vectors
from gatewise.training.loop import INTERRUPTED, train
from gatewise.training.progress import Epoch, Progress
from gatewise.training.settings import torch_settings, versions

if TYPE_CHECKING:
    from gatewise.tasks.classify.task import TextClassifier

Vectors = tuple[NDArray[np.float32], NDArray[np.bool_]]
"""Pretrained vectors of the vocabulary, (V, E), and which of them there are, (V,)."""
FEW_VECTORS = 0.2
"""Share of the vocabulary with vectors under which something is likely wrong."""


def fit(
    classifier: TextClassifier,
    texts: Sequence[str],
    given: Any,
    dev: tuple[Sequence[str], Any] | None,
    label_names: Sequence[Any] | None,
    sample_weight: Sequence[float] | None,
    class_weight: ClassWeight,
    training: ClassifierTraining,
    earlier: Fitted | None,
) -> None:
    """Fit a classifier in place; the arguments are those of `TextClassifier.fit`.

    `earlier` is what was learned before, to go on from it; None to start anew.
    """
    started = time.perf_counter()
    precision = kernels.chosen_precision(training.precision)
    assert precision != "int8"  # which is not among the choices for training
    training = replace(training, precision=precision)
    texts = list_of_texts(texts)
    check_lengths(texts, given, "labels")
    beginning = Beginning.of(classifier, earlier)
    labels = beginning.labels(given, label_names)
    rows = read_rows(texts, given, labels, sample_weight, class_weight)
    warnings = _warnings(rows, labels, training)
    if dev is None:
        rows, dev_rows = split_rows(rows, labels, training)
    else:
        dev_rows = read_rows(*dev, labels)

    wanted = beginning.options(classifier)
    tokenizer = beginning.tokenizer(wanted, rows.texts)
    # One call for both, so that an unknown word has the same id in both.
    encoded, unknown = tokenizer.encode_open([*rows.texts, *dev_rows.texts])
    longer = int((encoded.lengths[: len(rows)] > wanted.max_length).sum())
    if longer:
        warnings.append(
            f"{longer} texts are longer than {wanted.max_length} tokens: only the first and "
            "last of them are read. Raise max_length to read more."
        )
    encoded, _ = encoded.shortened(wanted.max_length)
    ids = encoded.take(np.arange(len(rows)))
    dev_ids = encoded.take(np.arange(len(rows), len(encoded)))
    vectors = None
    if wanted.vectors is not None:
        vectors = read_vectors(wanted.vectors, tokenizer.vocabulary)
        share = vectors[1].mean()
        if share < FEW_VECTORS:
            warnings.append(
                f"{wanted.vectors} has vectors for {share:.1%} of the vocabulary only. Is it "
                "of this language, and of words?"
            )
    defaults = Defaults.derive(len(rows), len(ids.values), len(labels.names))
    chosen = _resolved(wanted, defaults, vectors)
    training = replace(
        training,
        epochs=training.epochs or defaults.epochs,
        batch_size=training.batch_size or defaults.batch_size,
        threads=training.threads or kernels.default_threads(),
    )

    with torch_settings(training):
        network = _network(chosen, tokenizer, labels, unknown, rows, vectors, ids, training)
        beginning.fill(network)
        history = _train(
            network,
            rows,
            ids,
            dev_rows,
            dev_ids,
            labels,
            training,
            warnings,
            beginning,
        )
        calibrate(network, dev_rows, dev_ids, labels)
        weights = network.arrays()
        found = probabilities(network, dev_ids, labels)
    evaluation = evaluated(found, dev_rows, labels)
    learned = labels
    if labels.multiple and evaluation:
        learned = labels.with_thresholds(found, dev_rows.targets)
    report = Report(
        rows=len(rows),
        dev_rows=len(dev_rows),
        shortened=longer,
        vocabulary_size=len(tokenizer),
        scales=network.scales,
        weights=sum(weight.size for weight in weights.values()),
        seconds=time.perf_counter() - started,
        training=training,
        versions=versions(),
        data=_fingerprint(rows),
        warnings=tuple(warnings),
        epochs=tuple(EpochFigures(e.loss, e.dev_score, e.best, e.seconds) for e in history),
        stop=history[-1].stop,
        evaluation=evaluation,
    )
    # The model stands before anything is compared with it: nothing can take it away any more.
    classifier.take(Fitted(chosen, learned, tokenizer, weights, report))
    if training.baseline and len(dev_rows) and report.stop != INTERRUPTED:
        with suppress(KeyboardInterrupt):
            classifier.report_ = replace(report, **linear_figures(rows, dev_rows, labels, found))


def _train(
    network: ClassifierNetwork,
    rows: Rows,
    ids: Ragged,
    dev_rows: Rows,
    dev_ids: Ragged,
    labels: Labels,
    training: ClassifierTraining,
    warnings: Sequence[str],
    beginning: Beginning,
) -> list[Epoch]:
    """Run the loop to its end; the network then holds the best weights."""

    def batches(epoch: int) -> Iterator[Batch]:
        return (_batch(rows, ids, places) for places in _places(ids, training, epoch))

    def score() -> float | None:
        found = evaluated(probabilities(network, dev_ids, labels), dev_rows, labels)
        return found.score if found else None

    assert training.epochs is not None
    # Counted one by one: with a limit on tokens, epochs differ in their number of batches.
    epochs = range(1, training.epochs + 1)
    steps = sum(len(_places(ids, training, epoch)) for epoch in epochs)
    slower = None
    if beginning:
        gradual = training.gradual and beginning.model is not None
        slower = rates(network, training, steps, gradual=gradual)
    metric = "macro-F1" if labels.multiple else "accuracy"
    tokens = training.epochs * len(ids.values)
    with Progress(tokens, training.epochs, metric, quiet=training.quiet) as progress:
        for warning in warnings:
            progress.warn(warning)
        return list(train(network, network.loss, batches, score, training, steps, progress, slower))


def _warnings(rows: Rows, labels: Labels, training: ClassifierTraining) -> list[str]:
    """What a user should know of the rows before they are learned from."""
    if rows.targets.ndim == 2:
        return check_texts(rows.texts)
    named = [str(labels.names[target]) for target in rows.targets]
    return check_rows(rows.texts, named, max_classes=training.max_classes)


def _resolved(
    classifier: TextClassifier, defaults: Defaults, vectors: Vectors | None
) -> TextClassifier:
    """A classifier whose options all have a value."""
    given = {name: getattr(classifier, name) for name in options.names(classifier)}
    derived = {name: value for name, value in vars(defaults).items() if name in given}
    if classifier.level != "word":
        derived["subwords"] = 0
    if derived["subwords"] == 0 or classifier.subwords == 0:
        derived["embedding_dropout"] = WITHOUT_SUBWORDS
    if vectors is not None:
        derived["embedding_size"] = vectors[0].shape[1]
    filled = {n: derived[n] for n, value in given.items() if value is None and n in derived}
    if classifier.level != "word" and classifier.subwords:
        raise OptionError("'subwords' are pieces of words. With another 'level' it must be 0.")
    chosen = replace(classifier, **filled)
    if vectors is not None and chosen.embedding_size != vectors[0].shape[1]:
        raise OptionError(
            f"The vectors of {classifier.vectors} have {vectors[0].shape[1]} numbers, but "
            f"embedding_size is {chosen.embedding_size}. Leave it out."
        )
    return chosen


def _network(
    chosen: TextClassifier,
    tokenizer: Tokenizer,
    labels: Labels,
    unknown: list[str],
    rows: Rows,
    vectors: Vectors | None,
    ids: Ragged,
    training: ClassifierTraining,
) -> ClassifierNetwork:
    shape = chosen.shape(len(tokenizer))
    encoder = Encoder(
        shape,
        embedding_dropout=chosen.embedding_dropout or 0.0,
        dropout=chosen.dropout,
        weight_dropout=chosen.weight_dropout,
        precision=training.precision,
    )
    if shape.subwords:
        # The token of all unknown words is no word itself: it has no pieces.
        words = ["", *tokenizer.vocabulary[1:], *unknown]
        encoder.embedding.know(subword_buckets(words, shape.subwords))
    if vectors is not None:
        encoder.embedding.take_vectors(*vectors)
    pairs = None
    if chosen.token_pairs:
        buckets = pair_buckets(ids, len(tokenizer), chosen.token_pairs)
        counts = rarity(buckets, chosen.token_pairs)
        pairs = PairScores(chosen.token_pairs, len(labels.names), len(tokenizer), counts)
    network = ClassifierNetwork(
        encoder,
        len(labels.names),
        multiple=labels.multiple,
        head_dropout=chosen.head_dropout,
        pairs=pairs,
    )
    if labels.multiple:
        network.start_from(rows.targets.mean(axis=0))
    return network


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


def _fingerprint(rows: Rows) -> str:
    """SHA-256 of the training texts and targets: equal data has an equal fingerprint."""
    digest = hashlib.sha256()
    for text in rows.texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    digest.update(np.ascontiguousarray(rows.targets).tobytes())
    return digest.hexdigest()[:16]
