"""Fitting a Seq2Seq: the only part of it that needs PyTorch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatewise.data.batches import bucketed, in_order
from gatewise.nn.attention import Attention
from gatewise.nn.encoder import RecurrentStack
from gatewise.ragged import Ragged
from gatewise.tasks.report import epoch_figures, perplexity_of
from gatewise.tasks.seq2seq.answering import answered
from gatewise.tasks.seq2seq.defaults import Defaults
from gatewise.tasks.seq2seq.evaluation import evaluate, need_figures
from gatewise.tasks.seq2seq.fitted import Fitted
from gatewise.tasks.seq2seq.network import Batch, Seq2SeqNetwork
from gatewise.tasks.seq2seq.options import Seq2SeqTraining
from gatewise.tasks.seq2seq.pairs import Pairs, fitting, held_out, swapped, whole_pairs
from gatewise.tasks.seq2seq.report import Report
from gatewise.tasks.seq2seq.search import Search
from gatewise.tasks.settings import filled, on_this_machine
from gatewise.text.tokenizer import Tokenizer
from gatewise.training.loop import INTERRUPTED, train
from gatewise.training.progress import Epoch, Progress
from gatewise.training.settings import torch_settings, versions

if TYPE_CHECKING:
    from gatewise.tasks.seq2seq.task import Seq2Seq

DEV_ANSWERS = 1000
"""Dev pairs whose answers the report evaluates, at most."""


class Rows:
    """Pairs as numbers, an end behind every text.

    Args:
        sources: ids.
        targets: ids.
        end: the id of an end.
    """

    def __init__(self, sources: Ragged, targets: Ragged, end: int) -> None:
        self.sources = sources
        self.targets = targets
        self._end = end

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def tokens(self) -> int:
        """Tokens of all targets together."""
        return len(self.targets.values)

    def take(self, places: NDArray[np.int64]) -> Rows:
        """The given rows, in the given order."""
        return Rows(self.sources.take(places), self.targets.take(places), self._end)

    def batch(self, places: NDArray[np.int64]) -> Batch:
        """The given rows for the network."""
        return Batch.of(self.sources.take(places), self.targets.take(places), self._end)

    def batches(self, training: Seq2SeqTraining, epoch: int) -> list[NDArray[np.int64]]:
        """The rows of every batch of an epoch."""
        assert training.batch_size is not None
        return bucketed(
            self._lengths(),
            batch_size=training.batch_size,
            batch_tokens=training.batch_tokens,
            seed=training.seed,
            epoch=epoch,
        )

    def in_order(self, training: Seq2SeqTraining) -> list[Batch]:
        """All rows in batches to score, not to train."""
        assert training.batch_size is not None
        size, most = training.batch_size, training.batch_tokens
        places = in_order(self._lengths(), batch_size=size, batch_tokens=most)
        return [self.batch(some) for some in places]

    def _lengths(self) -> NDArray[np.int64]:
        return np.maximum(self.sources.lengths, self.targets.lengths)


def fit(
    model: Seq2Seq,
    sources: Sequence[str],
    targets: Sequence[str],
    dev: tuple[Sequence[str], Sequence[str]] | None,
    training: Seq2SeqTraining,
) -> None:
    """Fit a model in place; the arguments are those of `Seq2Seq.fit`."""
    if dev is not None or training.dev_share:
        need_figures()
    started = time.perf_counter()
    training = on_this_machine(training)
    warnings: list[str] = []
    given = Pairs.of(sources, targets)
    pairs = whole_pairs(given, warnings)
    if dev is None:
        pairs, dev_pairs = held_out(pairs, training, warnings)
    else:
        dev_pairs = whole_pairs(Pairs.of(*dev), warnings, "dev ")
        warnings += filter(None, [swapped(pairs, dev_pairs)])
    tokenizer = Tokenizer.train(
        [*pairs.sources, *pairs.targets],
        level=model.level,
        lowercase=model.lowercase,
        max_vocabulary=model.max_vocabulary,
        min_count=model.min_count,
    )
    rows, dev_rows = _rows(pairs, tokenizer), _rows(dev_pairs, tokenizer)
    kept = fitting(pairs, rows.sources, rows.targets, training, warnings)
    rows = rows.take(kept)
    defaults = Defaults.derive(len(rows), rows.tokens, len(tokenizer) + 1)
    training = filled(training, defaults)

    with torch_settings(training):
        network = _network(model, tokenizer, rows, training)
        history = _train(network, rows, dev_rows, training, warnings)
        weights = network.arrays()
    report = Report(
        pairs=len(rows),
        left_out=len(given) - len(rows) - (len(dev_pairs) if dev is None else 0),
        dev_pairs=len(dev_pairs),
        tokens=rows.tokens,
        vocabulary_size=len(tokenizer),
        weights=sum(weight.size for weight in weights.values()),
        seconds=time.perf_counter() - started,
        training=training,
        versions=versions(),
        data=pairs.fingerprint(),
        warnings=tuple(warnings),
        epochs=epoch_figures(history, lambda score: perplexity_of(-score)),
        stop=history[-1].stop,
        dev_bleu=None,
        dev_chrf=None,
    )
    # The model stands before its answers are looked at: nothing can take it away any more.
    model.take(Fitted(replace(model), tokenizer, weights, report))
    if len(dev_pairs) and report.stop != INTERRUPTED:
        with suppress(KeyboardInterrupt):
            _judge(model, dev_pairs, training)


def _judge(model: Seq2Seq, dev: Pairs, training: Seq2SeqTraining) -> None:
    """Put BLEU and chrF of the greedy answers to dev sources into the report."""
    assert model.report_ is not None
    sources, settings = dev.sources[:DEV_ANSWERS], (training.threads, training.precision)
    found = answered(model.fitted(), sources, Search(beam=1), *settings)
    figures = evaluate([each[0].text for each in found], dev.targets[:DEV_ANSWERS])
    model.report_ = replace(model.report_, dev_bleu=figures.bleu, dev_chrf=figures.chrf)


def _rows(pairs: Pairs, tokenizer: Tokenizer) -> Rows:
    end = len(tokenizer)
    sources, targets = (
        tokenizer.encode(texts).ended(end) for texts in (pairs.sources, pairs.targets)
    )
    return Rows(sources, targets, end)


def _network(
    model: Seq2Seq, tokenizer: Tokenizer, rows: Rows, training: Seq2SeqTraining
) -> Seq2SeqNetwork:
    encoder, decoder = (
        RecurrentStack(
            shape,
            dropout=model.dropout,
            weight_dropout=model.weight_dropout,
            precision=training.precision,
        )
        for shape in (model.encoder_shape(len(tokenizer)), model.decoder_shape(len(tokenizer)))
    )
    attention = Attention(
        model.attention,
        encoder.shape.state_size,
        model.hidden_size,
        model.embedding_size,
        training.precision,
    )
    return Seq2SeqNetwork(
        encoder,
        decoder,
        attention,
        counts=np.bincount(rows.targets.values, minlength=len(tokenizer) + 1),
        samples=training.samples or 0,
        smoothing=training.label_smoothing,
        embedding_dropout=model.embedding_dropout,
    )


def _train(
    network: Seq2SeqNetwork,
    rows: Rows,
    dev_rows: Rows,
    training: Seq2SeqTraining,
    warnings: Sequence[str],
) -> list[Epoch]:
    """Run the loop to its end; the network then holds the best weights."""
    assert training.epochs is not None
    last = training.epochs
    dev_batches = dev_rows.in_order(training) if len(dev_rows) else []

    def batches(epoch: int) -> Iterator[Batch]:
        network.sampling = training.scheduled_sampling * (epoch - 1) / max(1, last - 1)
        return (rows.batch(places) for places in rows.batches(training, epoch))

    def score() -> float | None:
        if not dev_batches:
            return None
        nats = sum(network.nats(batch) * batch.tokens for batch in dev_batches)
        return -nats / dev_rows.tokens

    epochs = range(1, last + 1)
    steps = sum(len(rows.batches(training, epoch)) for epoch in epochs)
    tokens = last * rows.tokens
    with Progress(tokens, last, "perplexity", quiet=training.quiet, told=_perplexity) as progress:
        for warning in warnings:
            progress.warn(warning)
        return list(train(network, network.loss, batches, score, training, steps, progress))


def _perplexity(score: float) -> str:
    return f"{perplexity_of(-score):.2f}"
