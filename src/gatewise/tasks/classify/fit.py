"""Fitting a TextClassifier: the only part of it that needs PyTorch."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

import gatewise
from gatewise import kernels
from gatewise.baselines import linear
from gatewise.data.batches import bucketed, in_order
from gatewise.data.checks import check_rows, check_texts
from gatewise.evaluation import Evaluation, evaluate
from gatewise.nn.encoder import Encoder
from gatewise.errors import OptionError
from gatewise.options import Training
from gatewise.ragged import Ragged
from gatewise.tasks.classify.labels import Labels
from gatewise.tasks.classify.network import Batch, ClassifierNetwork
from gatewise.tasks.classify.report import EpochFigures, Report
from gatewise.tasks.classify.rows import (
    ClassWeight,
    Rows,
    check_lengths,
    hard_targets,
    list_of_texts,
    read_rows,
    split_rows,
)
from gatewise.text.subwords import subword_buckets
from gatewise.text.tokenizer import Tokenizer
from gatewise.text.vectors import read_vectors
from gatewise.training.loop import Epoch, train
from gatewise.training.progress import Progress

if TYPE_CHECKING:
    from gatewise.tasks.classify.task import TextClassifier

EMBEDDING_SIZE = 128
SCORING_TOKENS = 32_768
"""Tokens that are scored at once."""


def fit(
    classifier: TextClassifier,
    texts: Sequence[str],
    given: Any,
    dev: tuple[Sequence[str], Any] | None,
    label_names: Sequence[Any] | None,
    sample_weight: Sequence[float] | None,
    class_weight: ClassWeight,
    training: Training,
) -> None:
    """Fit a classifier in place; the arguments are those of `TextClassifier.fit`."""
    started = time.perf_counter()
    texts = list_of_texts(texts)
    check_lengths(texts, given, "labels")
    labels = Labels.learn(given, label_names)
    rows = read_rows(texts, given, labels, sample_weight, class_weight)
    warnings = _warnings(rows, labels, training)
    if dev is None:
        rows, dev_rows = split_rows(rows, labels, training)
    else:
        dev_rows = read_rows(*dev, labels)
    tokenizer = Tokenizer.train(
        rows.texts,
        level=classifier.level,
        lowercase=classifier.lowercase,
        max_vocabulary=classifier.max_vocabulary,
        min_count=classifier.min_count,
    )
    encoded, unknown = tokenizer.encode_open([*rows.texts, *dev_rows.texts])
    ids = encoded.take(np.arange(len(rows)))
    dev_ids = encoded.take(np.arange(len(rows), len(encoded)))
    ids, shortened = ids.shortened(classifier.max_length)
    dev_ids, _ = dev_ids.shortened(classifier.max_length)

    threads = training.threads or kernels.default_threads()
    epochs = training.epochs or default_epochs(len(ids.values))
    metric = "macro-F1" if labels.multiple else "accuracy"
    progress = Progress(epochs * len(ids.values), epochs, metric, quiet=training.quiet)
    with _torch_settings(threads, training.seed), progress:
        if shortened:
            warnings.append(
                f"{shortened} texts are longer than {classifier.max_length} tokens: only the first "
                "and last of them are read. Raise max_length to read more."
            )
        for warning in warnings:
            progress.say(f"warning: {warning}")
        network = _network(classifier, tokenizer, labels, unknown)
        history = list(
            train(
                network,
                network.loss,
                lambda epoch: (_batch(rows, ids, p) for p in _places(ids, training, epoch)),
                lambda: _score(network, dev_rows, dev_ids, labels),
                training,
                epochs,
                len(_places(ids, training, epoch=1)),
                progress,
            )
        )
        weights = network.arrays()
        dev_probabilities = _probabilities(network, dev_ids, labels)
    if labels.multiple and len(dev_rows):
        labels = labels.with_thresholds(dev_probabilities, dev_rows.targets)
    seconds = time.perf_counter() - started
    report = Report(
        rows=len(rows),
        dev_rows=len(dev_rows),
        shortened=shortened,
        vocabulary_size=len(tokenizer),
        weights=sum(weight.size for weight in weights.values()),
        seconds=seconds,
        seed=training.seed,
        threads=threads,
        versions=_versions(),
        data=_fingerprint(rows),
        warnings=tuple(warnings),
        epochs=tuple(EpochFigures(e.loss, e.dev_score, e.best, e.seconds) for e in history),
        stop=history[-1].stop,
        evaluation=_evaluation(dev_rows, labels, labels.decide(dev_probabilities)),
        **_linear_figures(rows, dev_rows, labels, training),
    )
    classifier.take(labels, tokenizer, weights, report)


def default_epochs(tokens: int) -> int:
    """Passes over the training rows: fewer over many tokens."""
    return int(np.clip(round(4 * (4e6 / max(tokens, 1)) ** 0.5), 4, 20))


def _warnings(rows: Rows, labels: Labels, training: Training) -> list[str]:
    """What a user should know of the rows before they are learned from."""
    if rows.targets.ndim == 2:
        return check_texts(rows.texts)
    named = [str(labels.names[target]) for target in rows.targets]
    return check_rows(rows.texts, named, max_classes=training.max_classes)


def _network(
    classifier: TextClassifier, tokenizer: Tokenizer, labels: Labels, unknown: list[str]
) -> ClassifierNetwork:
    size = classifier.embedding_size or EMBEDDING_SIZE
    if classifier.vectors is not None:
        vectors, found = read_vectors(classifier.vectors, tokenizer.vocabulary)
        size = vectors.shape[1]
        if classifier.embedding_size not in (None, size):
            raise OptionError(
                f"The vectors of {classifier.vectors} have {size} numbers, but embedding_size is "
                f"{classifier.embedding_size}. Leave it out."
            )
    encoder = Encoder(
        classifier.shape(len(tokenizer), size),
        embedding_dropout=classifier.embedding_dropout,
        dropout=classifier.dropout,
        weight_dropout=classifier.weight_dropout,
    )
    if encoder.shape.subwords:
        # The token of all unknown words is no word itself: it has no pieces.
        words = ["", *tokenizer.vocabulary[1:], *unknown]
        encoder.embedding.know(subword_buckets(words, encoder.shape.subwords))
    if classifier.vectors is not None:
        encoder.embedding.take_vectors(vectors, found)
    return ClassifierNetwork(
        encoder,
        len(labels.names),
        multiple=labels.multiple,
        head_dropout=classifier.head_dropout,
    )


def _places(ids: Ragged, training: Training, epoch: int) -> list[NDArray[np.int64]]:
    """The rows of every batch of an epoch."""
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


@torch.no_grad()
def _probabilities(network: ClassifierNetwork, ids: Ragged, labels: Labels) -> NDArray[np.float32]:
    """Probability of every label for every text, (B, L)."""
    network.eval()
    scores = np.zeros((len(ids), len(labels.names)), np.float32)
    for places in in_order(ids.lengths, batch_size=512, batch_tokens=SCORING_TOKENS):
        taken = ids.take(places)
        found = network(torch.from_numpy(taken.values), torch.from_numpy(taken.offsets))
        scores[places] = found.numpy()
    return labels.probabilities(scores)


def _score(
    network: ClassifierNetwork, dev_rows: Rows, dev_ids: Ragged, labels: Labels
) -> float | None:
    """The figure that chooses the best epoch; None without dev rows."""
    if not len(dev_rows):
        return None
    probabilities = _probabilities(network, dev_ids, labels)
    if labels.multiple:
        labels = labels.with_thresholds(probabilities, dev_rows.targets)
    found = _evaluation(dev_rows, labels, labels.decide(probabilities))
    return found.score if found else None


def _evaluation(rows: Rows, labels: Labels, answers: NDArray[np.int64]) -> Evaluation | None:
    if not len(rows):
        return None
    truth = hard_targets(rows.targets, labels)
    return evaluate(truth, answers, labels.names, multiple=labels.multiple)


def _linear_figures(
    rows: Rows, dev_rows: Rows, labels: Labels, training: Training
) -> dict[str, Any]:
    if not training.baseline or not len(dev_rows):
        return {"linear": None, "linear_seconds": 0.0}
    targets = hard_targets(rows.targets, labels)
    found = linear(rows.texts, targets, dev_rows.texts, multiple=labels.multiple)
    return {
        "linear": _evaluation(dev_rows, labels, found.answers),
        "linear_seconds": found.seconds,
    }


@contextmanager
def _torch_settings(threads: int, seed: int) -> Iterator[None]:
    """Seed and threads for one fit; the process has its own back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before)


def _versions() -> dict[str, str]:
    return {
        "gatewise": gatewise.__version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "Python": platform.python_version(),
    }


def _fingerprint(rows: Rows) -> str:
    """SHA-256 of the training texts and targets: equal data has an equal fingerprint."""
    digest = hashlib.sha256()
    for text in rows.texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    digest.update(np.ascontiguousarray(rows.targets).tobytes())
    return digest.hexdigest()[:16]
