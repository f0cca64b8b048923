"""Fitting a SequenceTagger: the only part of it that needs PyTorch."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from gatewise.chains import Chain
from gatewise.data.batches import in_order
from gatewise.tasks.report import epoch_figures
from gatewise.tasks.tag.answering import Scored, taggings
from gatewise.tasks.tag.balance import best_balance
from gatewise.tasks.tag.baseline import most_frequent_tags
from gatewise.tasks.tag.evaluation import TagEvaluation, evaluate
from gatewise.tasks.tag.fitted import Fitted
from gatewise.tasks.tag.learning import batch_of, learn, lower_outside, network_of
from gatewise.tasks.tag.network import TaggerNetwork
from gatewise.tasks.tag.options import TaggerTraining
from gatewise.tasks.tag.prepared import Prepared, prepare
from gatewise.tasks.tag.refit import Learned, refitted
from gatewise.tasks.tag.report import Report
from gatewise.tasks.tag.rows import Sentences
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
        history = learn(network, prepared, partial(dev_score, network, prepared))
        taken = balance(network, prepared)
        evaluation = evaluated(network, prepared)
    final = Learned(network, prepared)
    if training.refit:
        final = refitted(tagger, final, history, taken)
    weights = final.network.arrays() | final.prepared.kept_vectors()
    baseline = None
    if training.baseline and evaluation is not None:
        guesses = most_frequent_tags(rows, dev_rows.tokens)
        baseline = compared(prepared, guesses)
    report = Report(
        sentences=len(rows),
        tokens=rows.words,
        dev_sentences=len(dev_rows),
        dev_tokens=dev_rows.words,
        vocabulary_size=len(final.prepared.lexicon.tokenizer),
        weights=sum(weight.size for weight in weights.values()),
        seconds=time.perf_counter() - started,
        training=training,
        versions=versions(),
        data=fingerprint(rows),
        warnings=(*prepared.warnings, *filter(None, [final.warning])),
        epochs=epoch_figures(history),
        stop=history[-1].stop,
        evaluation=evaluation,
        baseline=baseline,
        balance=taken,
        refit_epochs=final.epochs,
    )
    made = final.prepared
    tagger.take(Fitted(made.chosen, made.tags, made.lexicon, weights, report))


def dev_score(network: TaggerNetwork, prepared: Prepared) -> float | None:
    """How good the network's answers on the dev sentences are, as one number; None without."""
    found = evaluated(network, prepared)
    return found.score if found else None


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
    lower_outside(network, tags, amount)
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
