"""Fitting a LanguageModel: the only part of it that needs PyTorch."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torch import Tensor

from gatewise import options
from gatewise.data.lines import Lines
from gatewise.errors import DataError
from gatewise.nn.encoder import Encoder
from gatewise.nn.recurrent import State
from gatewise.tasks.language.cache import tuned
from gatewise.tasks.language.corpus import Corpus, count_before, divided, lines
from gatewise.tasks.language.defaults import Defaults
from gatewise.tasks.language.fitted import Cache, Fitted
from gatewise.tasks.language.network import LanguageNetwork, grown
from gatewise.tasks.language.options import LanguageTraining
from gatewise.tasks.language.report import CACHED, Report
from gatewise.tasks.language.windows import Window, Windows
from gatewise.tasks.report import epoch_figures, perplexity_of
from gatewise.tasks.settings import filled, on_this_machine
from gatewise.text.tokenizer import Tokenizer
from gatewise.training.averaged_sgd import AveragedSGD
from gatewise.training.loop import INTERRUPTED, train
from gatewise.training.optimizer import Optimizer
from gatewise.training.progress import Epoch, Progress
from gatewise.training.settings import torch_settings, versions

if TYPE_CHECKING:
    from gatewise.tasks.language.task import Documents, LanguageModel

DEV_TOKENS = 65_536
"""Dev tokens that are scored after every epoch, at most."""
DEV_COLUMN = 2048
"""Dev tokens of a column: every column starts without knowing what stands before it."""
MUCH_UNKNOWN = 0.1
"""Share of unknown tokens from which on a model is told to know too little."""
OPTIMIZERS: dict[str, Any] = {"adamw": Optimizer, "nt-asgd": AveragedSGD}
UNTUNED = Cache(flatness=0.3, share=0.1)
"""Where there are no dev texts to tune it on."""


class Reader:
    """Reads windows one after another, the states of every column carried along.

    Args:
        network: reads them.
    """

    def __init__(self, network: LanguageNetwork) -> None:
        self._network = network
        self._states: list[State] | None = None

    def loss(self, window: Window) -> Tensor:
        """Mean cross-entropy of the window's targets."""
        loss, states = self._network.loss(window, self._start(window))
        self._keep(window, states)
        return loss

    def nats(self, window: Window) -> float:
        """Mean cross-entropy of the window's targets over all classes."""
        nats, states = self._network.nats(window, self._start(window))
        self._keep(window, states)
        return nats

    def _start(self, window: Window) -> list[State] | None:
        """States before every row: those that its column came to, or zeros.

        Backwards, every row starts from zeros: what follows a window was not read yet.
        """
        if window.fresh or self._states is None or not window.continues.any():
            return None
        rows, on = len(window.offsets) - 1, window.continues

        def spread(kept: Tensor) -> Tensor:
            start = kept.new_zeros(kept.shape[0], rows, kept.shape[2])
            start[0, window.first[on]] = kept[0, on]
            return start

        return [
            State(*(spread(kept) for kept in layer if kept is not None)) for layer in self._states
        ]

    def _keep(self, window: Window, states: list[State]) -> None:
        self._states = [
            State(*(part[:, window.last].detach() for part in layer if part is not None))
            for layer in states
        ]


def fit(
    model: LanguageModel,
    texts: Iterable[str],
    dev: Iterable[str] | None,
    training: LanguageTraining,
    start: Fitted | None,
) -> None:
    """Fit a language model in place; the arguments are those of `LanguageModel.fit`.

    `start` is what was learned before, to go on from it; None to start anew.
    """
    started = time.perf_counter()
    training = on_this_machine(training)
    for given in (texts, dev):
        if isinstance(given, Iterator):
            raise DataError(
                "Texts are read more than once. Got an iterator, which gives them once: put them "
                "into a list, or give an object that reads them anew, such as "
                "gatewise.data.lines.Lines."
            )
    documents = (model if start is None else start.chosen).documents or _documents(texts)
    joined = documents == "joined"
    tokenizer, corpus, dev_corpus = _read(model, texts, dev, training, start, joined=joined)
    defaults = Defaults.derive(len(corpus.ids), len(tokenizer) + 1)
    chosen = start.chosen if start else _resolved(model, defaults, documents)
    training = filled(training, defaults)
    windows = _windows(chosen, training, corpus, len(tokenizer))
    warnings = _warnings(corpus, tokenizer)

    with torch_settings(training):
        network = _network(chosen, tokenizer, corpus, training)
        if start is not None:
            network.take(grown(start.weights, start.end, len(tokenizer)))
        dev_windows = _dev_windows(windows, dev_corpus)
        history = _train(network, windows, dev_windows, training, warnings)
        weights = network.arrays()
    report = Report(
        texts=corpus.texts,
        tokens=len(corpus.ids),
        dev_tokens=len(dev_corpus.ids) if dev_corpus else 0,
        vocabulary_size=len(tokenizer),
        weights=sum(weight.size for weight in weights.values()),
        seconds=time.perf_counter() - started,
        training=training,
        versions=versions(),
        data=corpus.fingerprint,
        warnings=warnings,
        epochs=epoch_figures(history, lambda score: perplexity_of(-score)),
        stop=history[-1].stop,
        cached=None,
    )
    # The model stands before its cache is tuned: nothing can take it away any more.
    model.take(Fitted(chosen, tokenizer, weights, UNTUNED, report))
    if dev_corpus is not None and report.stop != INTERRUPTED:
        with suppress(KeyboardInterrupt):
            _tune(model, dev_corpus, training)


def _tune(model: LanguageModel, dev_corpus: Corpus, training: LanguageTraining) -> None:
    """Choose the numbers of the cache on the dev texts."""
    fitted = model.fitted()
    assert fitted.report is not None
    found = tuned(
        fitted,
        dev_corpus.ids,
        size=CACHED,
        threads=training.threads,
        precision=training.precision,
    )
    report = replace(fitted.report, cached=(found.without, found.perplexity))
    model.take(replace(fitted, cache=found.cache, report=report))


def _read(
    model: LanguageModel,
    texts: Iterable[str],
    dev: Iterable[str] | None,
    training: LanguageTraining,
    start: Fitted | None,
    *,
    joined: bool,
) -> tuple[Tokenizer, Corpus, Corpus | None]:
    """The tokenizer that the training texts teach, and all texts as ids."""
    share = training.dev_share if dev is None else 0.0
    kept, _ = count_before(texts, share, joined=joined)
    learned_from, _ = divided(lines(texts, joined=joined), kept)
    if start is None:
        tokenizer = Tokenizer.train(
            learned_from,
            level=model.level,
            lowercase=model.lowercase,
            max_vocabulary=model.max_vocabulary,
            min_count=model.min_count,
        )
    else:
        tokenizer = start.tokenizer.extended(
            learned_from, most=model.max_vocabulary, min_count=model.min_count
        )
    first, others = divided(lines(texts, joined=joined), kept)
    corpus = Corpus.encode(first, tokenizer)
    if dev is not None:
        return tokenizer, corpus, Corpus.encode(lines(dev, joined=joined), tokenizer)
    return tokenizer, corpus, Corpus.encode(others, tokenizer) if share else None


def _warnings(corpus: Corpus, tokenizer: Tokenizer) -> tuple[str, ...]:
    """What a user should know of the texts before they are learned from."""
    share = corpus.counts[tokenizer.unknown_id] / len(corpus.ids)
    if share < MUCH_UNKNOWN:
        return ()
    return (
        f"{share:.0%} of the tokens are not among the {len(tokenizer):,} that are known. Raise "
        "max_vocabulary, lower min_count, or take level bpe.",
    )


def _documents(texts: Iterable[str]) -> Documents:
    """How texts of a kind stand to each other: the lines of a file are those of one text."""
    return "joined" if isinstance(texts, Lines) else "apart"


def _resolved(model: LanguageModel, defaults: Defaults, documents: Documents) -> LanguageModel:
    """A model whose options all have a value."""
    given = {name: getattr(model, name) for name in options.names(model)}
    hidden = given["hidden_size"] or defaults.hidden_size
    derived = vars(defaults) | {"embedding_size": min(hidden, 400), "documents": documents}
    return replace(model, **{n: derived[n] for n, value in given.items() if value is None})


def _windows(
    chosen: LanguageModel, training: LanguageTraining, corpus: Corpus, end: int
) -> Windows:
    assert training.batch_size is not None
    apart = chosen.documents == "apart"
    return Windows(corpus.ids, training.batch_size, training.bptt, end if apart else None)


def _dev_windows(windows: Windows, corpus: Corpus | None) -> Windows | None:
    if corpus is None:
        return None
    ids = corpus.ids[:DEV_TOKENS]
    return replace(windows, ids=ids, columns=max(1, len(ids) // DEV_COLUMN))


def _network(
    chosen: LanguageModel, tokenizer: Tokenizer, corpus: Corpus, training: LanguageTraining
) -> LanguageNetwork:
    encoder = Encoder(
        chosen.shape(len(tokenizer)),
        embedding_dropout=chosen.embedding_dropout,
        dropout=chosen.dropout or 0.0,
        weight_dropout=chosen.weight_dropout,
        precision=training.precision,
    )
    return LanguageNetwork(
        encoder,
        tied=chosen.tied,
        counts=corpus.counts,
        samples=training.samples or 0,
        dropout=chosen.dropout or 0.0,
    )


def _train(
    network: LanguageNetwork,
    windows: Windows,
    dev_windows: Windows | None,
    training: LanguageTraining,
    warnings: Sequence[str],
) -> list[Epoch]:
    """Run the loop to its end; the network then holds the best weights."""
    reader = Reader(network)

    def score() -> float | None:
        if dev_windows is None:
            return None
        nats = sum(reader.nats(window) * window.tokens for window in dev_windows.in_order())
        return -nats / (dev_windows.width * dev_windows.height)

    assert training.epochs is not None
    epochs = range(1, training.epochs + 1)
    steps = sum(len(windows.lengths(training.seed, epoch)) for epoch in epochs)
    tokens = training.epochs * windows.width * windows.height
    with Progress(
        tokens, training.epochs, "perplexity", quiet=training.quiet, told=_perplexity
    ) as progress:
        for warning in warnings:
            progress.warn(warning)
        return list(
            train(
                network,
                reader.loss,
                lambda epoch: windows.epoch(training.seed, epoch),
                score,
                training,
                steps,
                progress,
                optimizers=OPTIMIZERS[training.optimizer],
            )
        )


def _perplexity(score: float) -> str:
    return f"{perplexity_of(-score):.2f}"
