"""Whole contests on small rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from gatewise import DataError, OptionError, TextClassifier
from gatewise.compare import compare
from gatewise.compare.contestants import CONTESTANTS
from gatewise.compare.learning import Arena

WORDS = ["red", "blue", "green", "dull", "odd", "vast", "tiny"]
SMALL: dict[str, Any] = {"embedding_size": 6, "hidden_size": 5, "subwords": 50, "min_count": 1}
QUIET: dict[str, Any] = {"epochs": 2, "threads": 1, "quiet": True}


def rows(count: int, seed: int) -> tuple[list[str], list[str]]:
    """The first colour of a text, mostly, is its label."""
    random = np.random.default_rng(seed)
    texts = [" ".join(random.choice(WORDS, random.integers(2, 9))) for _ in range(count)]
    colours = [min(("red", "blue"), key=lambda c: f"{text} {c}".find(c)) for text in texts]
    return texts, [c if random.random() < 0.9 else "blue" for c in colours]


TRAIN, DEV, TEST = rows(150, 0), rows(40, 1), rows(60, 2)


def contest(**given: Any) -> Any:
    options: dict[str, Any] = {
        "classifier": TextClassifier(**SMALL),
        "seeds": 1,
        "dev": DEV,
        "test": TEST,
    } | QUIET
    return compare(*TRAIN, **options | given)


def test_the_models_are_those_that_one_would_train_by_hand() -> None:
    found = contest(models=["linear", "lstm-attention", "default"], seeds=2)
    assert [standing.name for standing in found.standings] == [
        "linear",
        "lstm-attention",
        "default",
    ]
    for name, options in (
        ("lstm-attention", {"bidirectional": False, "token_pairs": 0, "pooling": "attention"}),
        ("default", {}),
    ):
        for seed, score in enumerate(found.standing(name).test_scores):
            clf = TextClassifier(**SMALL | options)
            clf.fit(*TRAIN, dev=DEV, seed=seed, baseline=False, **QUIET)
            assert score == clf.evaluate(*TEST).accuracy
            assert clf.report_ is not None
            assert clf.report_.evaluation is not None
            assert found.standing(name).dev_scores[seed] == clf.report_.evaluation.accuracy
    linear = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    ).fit(*TRAIN)
    assert found.reference.test_scores == (pytest.approx(linear.score(*TEST)),)
    assert found.reference.difference is None
    for standing in found.standings:
        assert standing.seconds > 0
        assert standing.milliseconds > 0
        assert standing.size > 100


def test_every_contestant_takes_part_and_nothing_is_chosen_on_test_rows() -> None:
    found = contest()
    assert [s.name for s in found.standings] == [c.name for c in CONTESTANTS]
    assert (found.train_rows, found.dev_rows, found.test_rows) == (150, 40, 60)
    best = max(found.standings[1:], key=lambda standing: standing.dev_score)
    assert found.challenger == best.name
    # With all answers of the test turned round, what is chosen is the same.
    turned = [{"red": "blue", "blue": "red"}[label] for label in TEST[1]]
    other = contest(test=(TEST[0], turned))
    assert (other.challenger, other.epochs) == (found.challenger, found.epochs)
    for one, two in zip(found.standings, other.standings, strict=True):
        assert one.dev_scores == two.dev_scores
        assert one.test_score == pytest.approx(1 - two.test_score)


def test_many_labels_at_once() -> None:
    def several(given: tuple[list[str], list[str]]) -> tuple[list[str], list[list[str]]]:
        return given[0], [[c for c in ("red", "blue", "odd") if c in text] for text in given[0]]

    train, dev, test = several(TRAIN), several(DEV), several(TEST)
    found = compare(
        *train,
        dev=dev,
        test=test,
        models=["linear", "words", "default"],
        seeds=1,
        classifier=TextClassifier(**SMALL),
        **QUIET,
    )
    assert found.metric == "macro-F1"
    clf = TextClassifier(**SMALL).fit(*train, dev=dev, baseline=False, **QUIET)
    assert found.standing("default").test_score == pytest.approx(clf.evaluate(*test).macro_f1)
    assert found.reference.test_score > 0.9


def test_rows_are_held_out_with_equal_texts_on_one_side() -> None:
    texts, labels = TRAIN[0] + TRAIN[0], TRAIN[1] + TRAIN[1]
    found = contest(models=["linear", "words"], dev=None, test=None, test_share=0.3)
    assert found.test_rows == 45
    assert found.dev_rows == pytest.approx(10, abs=1)
    assert found.train_rows + found.dev_rows + found.test_rows == 150
    doubled = compare(
        texts,
        labels,
        models=["linear", "words"],
        seeds=1,
        classifier=TextClassifier(**SMALL),
        **QUIET,
    )
    assert doubled.train_rows % 2 == doubled.dev_rows % 2 == doubled.test_rows % 2 == 0


def test_depths_of_one_model() -> None:
    found = contest(depth=[3, 1], models=["gru"])
    assert [s.title for s in found.standings] == ["1-layer GRU", "3-layer GRU"]
    assert found.depth
    clf = TextClassifier(**SMALL, cell="gru", bidirectional=False, token_pairs=0, num_layers=3)
    clf.fit(*TRAIN, dev=DEV, baseline=False, **QUIET)
    assert found.standing("gru-3").test_score == clf.evaluate(*TEST).accuracy
    assert [s.title for s in contest(depth=[1, 2]).standings] == ["1-layer LSTM", "2-layer LSTM"]


def test_no_round_is_begun_that_would_end_too_late(capfd: pytest.CaptureFixture[str]) -> None:
    found = contest(models=["linear", "words"], seeds=5, minutes=1e-9, quiet=False)
    assert found.seeds == 1
    assert "1e-09 minutes: no time for more than 1 of 5 seeds" in capfd.readouterr().err
    assert contest(models=["linear", "words"], seeds=2, minutes=60).seeds == 2


@pytest.mark.parametrize("after", [1, 4])
def test_an_interruption_keeps_whole_rounds(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run, done = Arena.run, list[Any]()

    def interrupted(self: Arena, *given: Any) -> Any:
        if len(done) == after:
            raise KeyboardInterrupt
        done.append(given)
        return run(self, *given)

    monkeypatch.setattr(Arena, "run", interrupted)
    if after < 3:
        with pytest.raises(KeyboardInterrupt):
            contest(models=["linear", "words", "rnn"], seeds=3)
        return
    found = contest(models=["linear", "words", "rnn"], seeds=3)
    assert found.seeds == 1
    assert [len(standing.test_scores) for standing in found.standings] == [1, 1, 1]


def test_warnings_are_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    short = TextClassifier(max_length=3, **SMALL)
    found = contest(models=["linear", "words", "rnn"], seeds=2, classifier=short)
    assert capfd.readouterr().err.count("longer than 3 tokens") == 1
    assert any("longer than 3 tokens" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"models": ["lsmt"]}, "'models' must be some of linear, words, .* Got 'lsmt'"),
        ({"models": ["lstm"]}, "two or more models to compare. Got 'lstm'"),
        ({"models": ["cnn"], "depth": [1, 2]}, "stacks the layers of one recurrent model"),
        ({"depth": [2]}, "two or more different numbers of layers from 1, .* Got 2"),
        ({"depth": [0, 1]}, "from 1"),
        ({"seeds": 0}, "must be above 0. Got 0 and None"),
        ({"minutes": 0}, "must be above 0. Got 1 and 0"),
        ({"dev": None, "dev_share": 0.0}, "'dev_share' must be above 0"),
        ({"classifier": TextClassifier(cell="gru")}, "The 'cell' option cannot be given"),
        ({"epoch": 3}, "no option 'epoch'"),
    ],
)
def test_options_that_are_not_allowed(given: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        contest(**given)


def test_rows_that_cannot_be_compared() -> None:
    with pytest.raises(DataError, match="There are no test rows"):
        contest(test=([], []))
    with pytest.raises(DataError, match="green"):
        contest(test=(["x"], ["green"]), models=["linear", "words"])
    with pytest.raises(DataError, match="150 texts, but 3 labels"):
        compare(TRAIN[0], ["red", "blue", "red"], **QUIET)
