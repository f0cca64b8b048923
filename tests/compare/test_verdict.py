"""The recommendation: every sentence has a case in which it is said, and one in which it is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gatewise.compare import Comparison, Standing
from gatewise.compare.significance import Difference
from gatewise.compare.verdict import flags

SURELY = Difference(0.03, 0.01, 0.05, 0.01, 0.003)
PERHAPS = Difference(0.01, -0.012, 0.032, 0.011, 0.37)
WORSE = Difference(-0.03, -0.05, -0.01, 0.01, 0.00001)
SLIGHTLY = Difference(0.004, 0.001, 0.007, 0.0015, 0.008)


def standing(
    name: str, title: str, kind: str, test: float, seconds: float, **more: Any
) -> Standing:
    given = {
        "options": {},
        "dev_scores": (test,),
        "difference": None,
        "adjusted_p": None,
        "milliseconds": 0.5,
        "size": 1000,
    } | more
    return Standing(
        name=name, title=title, kind=kind, test_scores=(test,), seconds=seconds, **given
    )


LINEAR = standing("linear", "linear model", "linear", 0.80, 0.5)
BILSTM = standing(
    "bilstm",
    "bidirectional LSTM",
    "classifier",
    0.83,
    20.0,
    options={"cell": "lstm", "token_pairs": 0},
    difference=SURELY,
    milliseconds=0.05,
)


def compared(challenger: Standing, *others: Standing, thrifty: str = "", **more: Any) -> list[str]:
    given: dict[str, Any] = {"depth": False, "seeds": 3} | more
    reference = given.pop("reference", LINEAR)
    return Comparison(
        metric="accuracy",
        labels=2,
        train_rows=5000,
        dev_rows=500,
        test_rows=1821,
        epochs=10,
        batch_size=16,
        threads=2,
        challenger=challenger.name,
        thrifty=thrifty or challenger.name,
        standings=(reference, challenger, *others),
        warnings=(),
        **given,
    ).recommendation()


def test_a_network_that_wins() -> None:
    cnn = standing("cnn", "CNN", "peer", 0.82, 8.0, difference=SURELY)
    assert compared(BILSTM, cnn) == [
        "Of the other 2 models the bidirectional LSTM did best on the dev rows (accuracy 83.0), so "
        "it is the one that is tested.",
        "Take the bidirectional LSTM: on 1,821 test rows it beats the linear model, accuracy 83.0 "
        "(bidirectional LSTM) against 80.0 (linear model): a difference of +3.0 points, at 95 % "
        "between +1.0 and +5.0, p = 0.003.",
        "The bidirectional LSTM is 40 times slower to train (20.0 s against 0.5 s) and 10 times "
        "quicker to answer (0.05 ms a text against 0.50 ms).",
        "Train it with: gatewise train classify TABLE --out model --token-pairs 0",
    ]


def test_a_quicker_network_that_is_as_good() -> None:
    cnn = standing("cnn", "CNN", "peer", 0.82, 8.0, difference=SURELY, milliseconds=1)
    told = compared(BILSTM, cnn, thrifty="cnn")
    assert told[3] == (
        "The CNN came within one standard error of it on the dev rows and is 2.5 times quicker to "
        "train (8.0 s against 20.0 s) and 20 times slower to answer (1.00 ms a text against 0.05 "
        "ms): on the test rows it has accuracy 82.0."
    )
    blink = compared(BILSTM, replace(cnn, seconds=0.0421), thrifty="cnn")
    assert any("(0.042 s against 20.0 s)" in sentence for sentence in blink)
    alike = replace(cnn, seconds=19.0)
    assert not any("came within" in sentence for sentence in compared(BILSTM, alike, thrifty="cnn"))


def test_a_small_gain_is_called_small() -> None:
    told = compared(replace(BILSTM, difference=SLIGHTLY))
    assert told[3] == (
        "The gain is real, but small: whether 0.4 points are worth that is yours to decide."
    )
    assert not any("small" in sentence for sentence in compared(BILSTM))


def test_the_simple_model_where_nothing_shows_a_difference() -> None:
    told = compared(replace(BILSTM, difference=PERHAPS, milliseconds=0.6))
    assert told == [
        "The bidirectional LSTM is compared with the linear model.",
        "Take the linear model: on 1,821 test rows nothing shows that the bidirectional LSTM is "
        "better, accuracy 83.0 (bidirectional LSTM) against 80.0 (linear model): a difference of "
        "+1.0 points, at 95 % between -1.2 and +3.2, p = 0.37.",
        "The linear model is 40 times quicker to train (0.5 s against 20.0 s) and about as quick "
        "to answer (0.50 ms a text against 0.60 ms).",
        "These rows cannot show a difference of less than about 2.2 points: more test rows could.",
        "In scikit-learn the linear model is make_pipeline(TfidfVectorizer(ngram_range=(1, 2), "
        "min_df=2, sublinear_tf=True), LogisticRegression(C=10, max_iter=1000)).",
    ]


def test_the_simple_model_that_wins() -> None:
    told = compared(replace(BILSTM, difference=WORSE))
    assert told[1].startswith(
        "Take the linear model: on 1,821 test rows it beats the bidirectional"
    )
    assert told[1].endswith(
        "a difference of -3.0 points, at 95 % between -5.0 and -1.0, p < 0.001."
    )
    assert not any("cannot show" in sentence for sentence in told)


@pytest.mark.parametrize("own", [True, False])
def test_a_peer_that_wins_is_not_saved(own: bool) -> None:
    words = standing("words", "averaged words", "peer", 0.84, 8.0, difference=SURELY)
    told = compared(words, *([BILSTM] if own else []))
    assert told[1].startswith("Take averaged words: on 1,821 test rows it beats the linear model")
    expected = ["Gatewise trains averaged words for comparison only and does not save it."]
    expected += own * [
        "Of the models that Gatewise saves, the bidirectional LSTM is best on the dev rows; on the "
        "test rows it has accuracy 83.0."
    ]
    assert told[3:] == expected


def test_one_seed_says_nothing_of_luck() -> None:
    assert compared(BILSTM, seeds=1)[-1] == (
        "Every network had one seed only, so the luck of the seeds is not in these figures: use 3 "
        "or more."
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (SURELY, "Stacking pays up to 2 layers."),
        (PERHAPS, "Stacking does not pay here: the 1-layer LSTM is enough."),
    ],
)
def test_when_stacking_stops_paying(found: Difference, said: str) -> None:
    one, two = (
        standing(f"lstm-{n}", f"{n}-layer LSTM", "classifier", 0.8, n, options={"num_layers": n})
        for n in (1, 2)
    )
    told = compared(replace(two, difference=found), reference=one, depth=True)
    assert told[-1] == said
    layers = 2 if found.p < 0.05 else 1
    assert f"Train it with: gatewise train classify TABLE --out model --num-layers {layers}" in told


def test_flags_are_those_of_the_command_line() -> None:
    options = {"cell": "gru", "bidirectional": False, "pooling": "attention", "token_pairs": 0}
    assert flags(replace(BILSTM, options=options)) == (
        " --cell gru --no-bidirectional --pooling attention --token-pairs 0"
    )
