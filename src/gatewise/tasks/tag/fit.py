"""Fitting a SequenceTagger: the only part of it that needs PyTorch."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from gatewise.chains import Chain
from gatewise.data.batches import bucketed, in_order
from gatewise.nn.encoder import Encoder
from gatewise.nn.table import distinct
from gatewise.tasks.report import epoch_figures
from gatewise.tasks.tag.answering import Scored, taggings
from gatewise.tasks.tag.balance import best_balance
from gatewise.tasks.tag.baseline import most_frequent_tags
from gatewise.tasks.tag.encoded import Encoded
from gatewise.tasks.tag.evaluation import TagEvaluation, evaluate
from gatewise.tasks.tag.fitted import Fitted
from gatewise.tasks.tag.network import Batch, TaggerNetwork
from gatewise.tasks.tag.options import TaggerTraining
from gatewise.tasks.tag.prepared import Prepared, prepare
from gatewise.tasks.tag.report import Report
from gatewise.tasks.tag.rows import Sentences
from gatewise.tasks.tag.shapes import character_shape, sentence_shape
from gatewise.tasks.transfer import fill, rates
from gatewise.text.spans import OUTSIDE
from gatewise.training.loop import train
from gatewise.training.progress import Epoch, Progress
from gatewise.training.settings import torch_settings, versions

if TYPE_CHECKING:
    from gatewise.tasks.tag.task import SequenceTagger

SCORING_TOKENS = 16_384
"""Tokens that are scored at once."""


def fit(
    tagger: SequenceTagger,
    tokens: Any,
    tags: Any,
    dev: tuple[Any, Any] | None,
    training: TaggerTraining,
) -> None:
    """Fit a tagger in place; the arguments are those of `SequenceTagger.fit`."""
    started = time.perf_counter()
    prepared = prepare(tagger, tokens, tags, dev, training)
    rows, dev_rows, training = prepared.rows, prepared.dev_rows, prepared.training
    with torch_settings(training):
        network = network_of(prepared)
        if prepared.model is not None:
            fill(network.encoder, prepared.model)
        history = learn(network, prepared)
        taken = balance(network, prepared)
        weights = network.arrays() | prepared.kept_vectors()
        evaluation = evaluated(network, prepared)
    baseline = None
    if training.baseline and evaluation is not None:
        guesses = most_frequent_tags(rows, dev_rows.tokens)
        baseline = compared(prepared, guesses)
    report = Report(
        sentences=len(rows),
        tokens=rows.words,
        dev_sentences=len(dev_rows),
        dev_tokens=dev_rows.words,
        vocabulary_size=len(prepared.lexicon.tokenizer),
        weights=sum(weight.size for weight in weights.values()),
        seconds=time.perf_counter() - started,
        training=training,
        versions=versions(),
        data=fingerprint(rows),
        warnings=prepared.warnings,
        epochs=epoch_figures(history),
        stop=history[-1].stop,
        evaluation=evaluation,
        baseline=baseline,
        balance=taken,
    )
    tagger.take(Fitted(prepared.chosen, prepared.tags, prepared.lexicon, weights, report))


def network_of(prepared: Prepared) -> TaggerNetwork:
    """A new network for what is prepared."""
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
    characters = None
    if chosen.characters:
        shape = character_shape(chosen, lexicon)
        characters = Encoder(shape, dropout=dropout, precision=precision)
    return TaggerNetwork(
        encoder,
        len(prepared.tags.names),
        characters=characters,
        vectors=prepared.vectors,
        crf=bool(chosen.crf),
    )


def learn(network: TaggerNetwork, prepared: Prepared) -> list[Epoch]:
    """Run the loop to its end; the network then holds the best weights."""
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

    def score() -> float | None:
        found = evaluated(network, prepared)
        return found.score if found else None

    assert training.epochs is not None
    epochs = range(1, training.epochs + 1)
    steps = sum(len(places(epoch)) for epoch in epochs)
    metric = "accuracy" if prepared.tags.scheme is None else "span F1"
    tokens = training.epochs * len(encoded.words.values)
    with Progress(tokens, training.epochs, metric, quiet=training.quiet) as progress:
        for warning in prepared.warnings:
            progress.warn(warning)
        slower = None
        if prepared.model is not None:
            layers = network.encoder.shape.num_layers
            slower = rates(network, layers, training.layer_decay, steps, None)
        loop = train(network, network.loss, batches, score, training, steps, progress, slower)
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
        spelling,
        spelled.values,
        spelled.offsets,
    )
    return Batch(*map(torch.from_numpy, arrays))


@torch.no_grad()
def evaluated(network: TaggerNetwork, prepared: Prepared) -> TagEvaluation | None:
    """How good the network's answers on the dev sentences are; None without."""
    if not prepared.dev_rows.words:
        return None
    chain, names = _chain(network, prepared), prepared.tags.names
    found = taggings(_dev_scores(network, prepared), chain, names, len(prepared.dev_rows))
    return compared(prepared, found)


@torch.no_grad()
def balance(network: TaggerNetwork, prepared: Prepared) -> float:
    """Let the network find as many spans as are best for F1; what "O" then scores less."""
    if not prepared.training.balance or not prepared.dev_rows.words:
        return 0.0
    batches = list(_dev_scores(network, prepared))
    chain, tags = _chain(network, prepared), prepared.tags
    amount = best_balance(batches, chain, tags, prepared.dev_rows.tags)
    if amount:
        network.head.bias[tags.number[OUTSIDE]] -= amount
    return amount


def _chain(network: TaggerNetwork, prepared: Prepared) -> Chain:
    return prepared.tags.chain(network.crf.chain() if network.crf else None)


def _dev_scores(network: TaggerNetwork, prepared: Prepared) -> Iterator[Scored]:
    encoded = prepared.dev_encoded
    network.eval()
    for rows in in_order(encoded.words.lengths, batch_size=256, batch_tokens=SCORING_TOKENS):
        batch = batch_of(encoded, rows, prepared)
        yield Scored(rows, network(batch).numpy(), batch.offsets.numpy())


def compared(prepared: Prepared, answers: list[list[str]]) -> TagEvaluation:
    """Answers beside the true tags of the dev sentences."""
    spans = prepared.tags.scheme is not None
    return evaluate(prepared.dev_rows.tags, answers, prepared.tags.names, spans=spans)


def fingerprint(rows: Sentences) -> str:
    """SHA-256 of the training tokens and tags: equal data has an equal fingerprint."""
    digest = hashlib.sha256()
    for parts in (*rows.tokens, *rows.tags):
        digest.update("\0".join(parts).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()[:16]
