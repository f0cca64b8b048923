"""The contest: all models learn in rounds, one seed a round, and are compared at the end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gatewise import options
from gatewise.baselines import need_linear
from gatewise.compare.comparison import Comparison
from gatewise.compare.contestants import TOLD_APART_BY, Contestant, chosen
from gatewise.compare.progress import Rounds
from gatewise.compare.significance import difference, holm, scores
from gatewise.compare.standing import Standing
from gatewise.data.split import split
from gatewise.errors import DataError, OptionError
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.tasks.classify.task import TextClassifier
from gatewise.tasks.learned import need_torch
from gatewise.tasks.texts import check_lengths, list_of_texts

if TYPE_CHECKING:
    from gatewise.compare.learning import Arena, Run


def compare(
    texts: Sequence[str],
    labels: Any,
    *,
    dev: tuple[Sequence[str], Any] | None = None,
    test: tuple[Sequence[str], Any] | None = None,
    test_share: float = 0.2,
    models: Sequence[str] | None = None,
    depth: Sequence[int] | None = None,
    seeds: int = 3,
    minutes: float | None = None,
    classifier: TextClassifier | None = None,
    **training: Any,
) -> Comparison:
    """Train many kinds of models alike on one's own data, and test them on the same rows.

    All have the same rows, tokens, word vectors, batches, epochs at most, optimizer and schedule.

    Args:
        texts: rows to learn from and, without `test`, to test on.
        labels: a label per text, or a list of labels per text.
        dev: texts and labels to choose epochs and models on; by default some are held out.
        test: texts and labels for the figures alone; by default `test_share` of the rows.
        test_share: of every label's rows; equal texts stay on one side.
        models: names of `CONTESTANTS`, all by default; the simplest of them is the reference.
        depth: numbers of layers: one recurrent model is compared with itself at each of them.
        seeds: rounds, each with its own seed for weights, shuffling and dropout.
        minutes: no new round is begun that would likely end later; the first always is.
        classifier: options that are common to all, such as `TextClassifier(hidden_size=32)`.
        **training: fields of `ClassifierTraining`, such as `epochs=5`; `seed` is the first seed.

    Raises:
        OptionError: an option is not allowed.
        DataError: the rows cannot be learned from or tested on.
        TrainingError: a model's training diverged from its start.
        MissingExtraError: PyTorch or scikit-learn is not installed.
    """
    need_torch("Comparing")
    contestants = chosen(models, depth)
    if any(contestant.kind == "linear" for contestant in contestants):
        need_linear()
    settings = options.build(ClassifierTraining, training)
    classifier = _common(classifier or TextClassifier())
    if seeds < 1 or (minutes is not None and minutes <= 0):
        raise OptionError(f"'seeds' and 'minutes' must be above 0. Got {seeds} and {minutes}.")
    if dev is None and settings.dev_share == 0:
        raise OptionError("'dev_share' must be above 0: epochs and models are chosen on dev rows.")
    texts = list_of_texts(texts)
    check_lengths(texts, labels, "labels")
    train = texts, list(labels)
    if test is None:
        train, test = _split(*train, test_share, settings.seed)
    if not len(test[0]):
        raise DataError("There are no test rows. Leave 'test' out to hold some out.")
    arena = _arena(classifier, train, dev, test, settings)
    runs = _rounds(arena, contestants, seeds, minutes, settings)
    usual = options.values(TextClassifier())
    given = {n: v for n, v in options.values(classifier).items() if v != usual[n]}
    return _compared(arena, contestants, runs, depth is not None, given)


def _common(classifier: TextClassifier) -> TextClassifier:
    """The classifier, unless it has an option in which the models differ."""
    usual = TextClassifier()
    for name in TOLD_APART_BY:
        if getattr(classifier, name) != getattr(usual, name):
            raise OptionError(
                f"The '{name}' option cannot be given: the models that are compared differ in it. "
                "Choose among them with 'models' and 'depth'."
            )
    return classifier


def _split(
    texts: list[str], labels: list[Any], share: float, seed: int
) -> tuple[tuple[list[str], list[Any]], tuple[list[str], list[Any]]]:
    train, test = split(texts, labels, share=share, seed=seed)

    def rows(places: NDArray[np.int64]) -> tuple[list[str], list[Any]]:
        return [texts[place] for place in places], [labels[place] for place in places]

    return rows(train), rows(test)


def _arena(*given: Any) -> Arena:
    from gatewise.compare.learning import Arena  # noqa: PLC0415 - brings PyTorch

    return Arena(*given)


def _rounds(
    arena: Arena,
    contestants: Sequence[Contestant],
    seeds: int,
    minutes: float | None,
    training: ClassifierTraining,
) -> list[list[Run]]:
    """The runs of every contestant. Rounds let a machine that slows down slow all down alike."""
    runs: list[list[Run]] = [[] for _ in contestants]
    truth, labels = arena.truth(arena.prepared.dev_rows), arena.labels
    metric = "macro-F1" if labels.multiple else "accuracy"
    started = time.perf_counter()
    with Rounds(contestants, seeds, metric, quiet=training.quiet) as progress:
        for warning in arena.warnings:
            progress.warn(warning)
        for done in range(seeds):
            spent = (time.perf_counter() - started) / 60
            if minutes is not None and done and spent * (done + 1) / done > minutes:
                progress.say(f"{minutes:g} minutes: no time for more than {done} of {seeds} seeds")
                break
            try:
                for own, contestant in zip(runs, contestants, strict=True):
                    if contestant.kind == "linear" and done:
                        continue  # it has no luck to try
                    progress.begin(contestant, done)
                    run = arena.run(contestant, training.seed + done)
                    own.append(run)
                    score = scores(truth, run.dev[None], labels.multiple)[0]
                    progress.end(contestant, done, score, run.seconds)
            except KeyboardInterrupt:
                if not done:
                    raise
                progress.say(f"interrupted: the figures are of {done} of {seeds} seeds")
                return [own[:done] for own in runs]
    return runs


def _compared(
    arena: Arena,
    contestants: Sequence[Contestant],
    runs: Sequence[Sequence[Run]],
    depth: bool,
    given: dict[str, Any],
) -> Comparison:
    multiple, prepared = arena.labels.multiple, arena.prepared
    dev = [np.stack([run.dev for run in own]) for own in runs]
    test = [np.stack([run.test for run in own]) for own in runs]
    dev_truth, test_truth = arena.truth(prepared.dev_rows), arena.truth(arena.test)
    differences = [difference(test_truth, found, test[0], multiple) for found in test[1:]]
    adjusted = holm([difference.p for difference in differences])
    standings = tuple(
        Standing(
            name=contestant.name,
            title=contestant.title,
            kind=contestant.kind,
            options={**given, **contestant.options},
            dev_scores=tuple(scores(dev_truth, dev[place], multiple).tolist()),
            test_scores=tuple(scores(test_truth, test[place], multiple).tolist()),
            difference=differences[place - 1] if place else None,
            adjusted_p=adjusted[place - 1] if place else None,
            seconds=median(run.seconds for run in runs[place]),
            milliseconds=median(run.milliseconds for run in runs[place]),
            size=runs[place][0].size,
        )
        for place, contestant in enumerate(contestants)
    )
    others = range(1, len(standings))
    challenger = max(others, key=lambda place: standings[place].dev_score)
    near = [place for place in others if _is_near(dev_truth, dev[challenger], dev[place], multiple)]
    thrifty = min(near, key=lambda place: standings[place].seconds)
    training = prepared.training
    assert training.epochs is not None
    assert training.batch_size is not None
    assert training.threads is not None
    return Comparison(
        metric="macro-F1" if multiple else "accuracy",
        labels=len(arena.labels.names),
        train_rows=len(prepared.rows),
        dev_rows=len(prepared.dev_rows),
        test_rows=len(arena.test),
        seeds=max(len(own) for own in runs),
        epochs=training.epochs,
        batch_size=training.batch_size,
        threads=training.threads,
        depth=depth,
        challenger=standings[challenger].name,
        thrifty=standings[thrifty].name,
        standings=standings,
        warnings=arena.warnings,
    )


def _is_near(truth: NDArray[Any], best: NDArray[Any], other: NDArray[Any], multiple: bool) -> bool:
    """Whether a model is within one standard error of the best (Breiman et al. 1984)."""
    found = difference(truth, best, other, multiple)
    return found.gain <= found.error
