"""One run of one contestant: it learns the training rows and answers the dev and test rows."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gatewise.baselines import Linear
from gatewise.compare.contestants import Contestant
from gatewise.compare.peers import PeerNetwork
from gatewise.errors import TrainingError
from gatewise.ragged import Ragged
from gatewise.tasks.classify.fit import learn, network_of
from gatewise.tasks.classify.fitted import Fitted
from gatewise.tasks.classify.labels import Labels
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.tasks.classify.prepared import Prepared, prepare
from gatewise.tasks.classify.rows import Given, Rows, hard_targets, read_rows
from gatewise.tasks.classify.scoring import answers, calibrate, probabilities
from gatewise.tasks.classify.task import TextClassifier
from gatewise.tasks.classify.transfer import Beginning
from gatewise.text.subwords import subword_buckets
from gatewise.training.loop import INTERRUPTED
from gatewise.training.settings import torch_settings

TIMED = 100
"""Texts whose answers are timed, one by one."""

Probabilities = Callable[[list[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class Run:
    """What one run did: its answers, (rows,) or (rows, L), and what they cost.

    `milliseconds` is the median time of an answer to one text alone, `size` bytes on disk.
    """

    dev: NDArray[np.int64]
    test: NDArray[np.int64]
    seconds: float
    milliseconds: float
    size: int


class Arena:
    """The rows that all contestants learn from and are tested on.

    Args:
        classifier: the options that are common to all.
        train: texts and labels.
        dev: texts and labels to choose epochs and models on; None to hold some of `train` out.
        test: texts and labels.
        training: epochs and everything else, the same for all.

    Raises:
        DataError, OptionError: the rows cannot be learned from, or an option is not allowed.
    """

    def __init__(
        self,
        classifier: TextClassifier,
        train: tuple[Sequence[str], Any],
        dev: tuple[Sequence[str], Any] | None,
        test: tuple[Sequence[str], Any],
        training: ClassifierTraining,
    ) -> None:
        # scikit-learn takes seconds to import, which are nobody's.
        Linear(["one", "two"], np.arange(2), np.ones(2, np.float32))
        started = time.perf_counter()
        prepared = prepare(classifier, Given(*train, dev), training, Beginning())
        self._seconds = time.perf_counter() - started
        self.warnings = prepared.warnings
        # They are told once, not by every run.
        quiet = replace(prepared.training, quiet=True)
        self.prepared = replace(prepared, warnings=(), training=quiet)
        self.test = read_rows(*test, prepared.labels)

    @property
    def labels(self) -> Labels:
        """Of all rows."""
        return self.prepared.labels

    def truth(self, rows: Rows) -> NDArray[np.int64]:
        """The true answers of rows, (B,) or (B, L)."""
        return hard_targets(rows.targets, self.labels)

    def run(self, contestant: Contestant, seed: int) -> Run:
        """Let a contestant learn and answer.

        Raises:
            TrainingError: its training diverged.
            KeyboardInterrupt: it was interrupted.
        """
        training = replace(self.prepared.training, seed=seed)
        chosen = replace(self.prepared.chosen, **contestant.options)
        prepared = replace(self.prepared, training=training, chosen=chosen)
        fit = {"linear": _linear, "peer": _peer, "classifier": _classifier}[contestant.kind]
        assert training.threads is not None
        limits = threadpool_limits(training.threads)  # of what scikit-learn calls
        with torch_settings(training), limits, warnings.catch_warnings():
            # Long texts were told of already.
            warnings.filterwarnings("ignore", "[0-9]+ of [0-9]+ texts are longer than")
            started = time.perf_counter()
            try:
                asked, size = fit(contestant, prepared)
            except TrainingError as problem:
                raise TrainingError(f"{contestant.title}: {problem}") from None
            seconds = time.perf_counter() - started
            if contestant.kind != "linear":
                seconds += self._seconds  # reading words into ids, which is done once for all
            dev_rows, labels = prepared.dev_rows, self.labels
            found = asked(dev_rows.texts)
            if labels.multiple:
                labels = labels.with_thresholds(found, dev_rows.targets)
            return Run(
                dev=answers(found, dev_rows, self.labels),
                test=labels.decide(asked(self.test.texts)),
                seconds=seconds,
                milliseconds=_milliseconds(asked, self.test.texts),
                size=size,
            )


def _linear(_: Contestant, prepared: Prepared) -> tuple[Probabilities, int]:
    rows, labels = prepared.rows, prepared.labels
    model = Linear(rows.texts, hard_targets(rows.targets, labels), rows.weights)

    def asked(texts: list[str]) -> NDArray[np.float32]:
        columns = model.probabilities(texts)  # without labels that only dev rows have
        found = np.zeros((len(texts), len(labels.names)), np.float32)
        found[:, : columns.shape[1]] = columns
        return found

    return asked, model.size


def _classifier(_: Contestant, prepared: Prepared) -> tuple[Probabilities, int]:
    """A `TextClassifier`, which answers without PyTorch, as from its folder."""
    network = network_of(prepared)
    _refuse_interrupted(learn(network, network.loss, prepared)[-1].stop)
    calibrate(network, prepared.dev_rows, prepared.dev_ids, prepared.labels)
    classifier, weights = replace(prepared.chosen), network.arrays()
    classifier.threads = prepared.training.threads
    classifier.take(Fitted(classifier, prepared.labels, prepared.tokenizer, weights, None))
    numbers = sum(weight.size for weight in weights.values())
    return classifier.predict_proba, _size(numbers, prepared)


def _peer(contestant: Contestant, prepared: Prepared) -> tuple[Probabilities, int]:
    """A network that answers with PyTorch."""
    network = PeerNetwork(contestant.name, prepared)
    _refuse_interrupted(learn(network, network.loss, prepared)[-1].stop)
    tokenizer, embedding = prepared.tokenizer, network.embedding
    # Known words with their pieces in them, as in a model folder: only unknown ones have pieces.
    with torch.no_grad():
        embedding.weight.copy_(embedding.folded())
    no_pieces = np.zeros(len(tokenizer), np.int64)

    def asked(texts: list[str]) -> NDArray[np.float32]:
        ids, unknown = tokenizer.encode_open(texts)
        ids, _ = ids.shortened(prepared.chosen.max_length)
        if embedding.subwords is not None:
            grams = subword_buckets(unknown, len(embedding.subwords))
            embedding.know(Ragged(grams.values, np.concatenate([no_pieces, grams.offsets])))
        return probabilities(network, ids, prepared.labels)

    return asked, _size(sum(weight.numel() for weight in network.parameters()), prepared)


def _refuse_interrupted(stop: str) -> None:
    if stop == INTERRUPTED:
        raise KeyboardInterrupt


def _size(numbers: int, prepared: Prepared) -> int:
    """Bytes that a network takes on disk: numbers in float32, and the tokenizer."""
    return 4 * numbers + len(prepared.tokenizer.to_json().encode())


def _milliseconds(asked: Probabilities, texts: list[str]) -> float:
    taken = []
    for text in [texts[0], *texts[:TIMED]]:
        started = time.perf_counter()
        asked([text])
        taken.append(time.perf_counter() - started)
    return 1000 * median(taken[1:])  # the first one warms up
