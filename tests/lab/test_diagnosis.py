"""What is told of a classifier's answers on a file, against its own answers one by one."""

from __future__ import annotations

import numpy as np
import pytest

from explanation_cases import WORDS, made
from gatewise.calibration import calibration
from gatewise.errors import DataError
from gatewise.lab import diagnosis as module
from gatewise.lab.diagnosis import diagnosed, training_of
from gatewise.lab.rows import Rows

RANDOM = np.random.default_rng(0)
TEXTS = [" ".join(RANDOM.choice(WORDS, RANDOM.integers(0, 9))) for _ in range(60)]


def test_the_surest_wrong_answers_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made(("a", "b", "c"), seed=1)
    labels = RANDOM.choice(["a", "b", "c"], len(TEXTS)).tolist()
    told = diagnosed(model, Rows("file.csv", TEXTS, labels))
    probabilities, answers = model.predict_proba(TEXTS).max(axis=1), model.predict(TEXTS)
    wrong = [place for place in range(len(TEXTS)) if answers[place] != labels[place]]
    wrong.sort(key=lambda place: -probabilities[place])
    assert told["wrong"] == len(wrong) > 10
    assert [one["number"] for one in told["mistakes"]] == wrong
    for one in told["mistakes"]:
        place = one["number"]
        assert (one["text"], one["answer"]) == (TEXTS[place], answers[place])
        assert (one["truth"], one["sure"]) == (labels[place], round(float(probabilities[place]), 4))
    right = np.array([answer == label for answer, label in zip(answers, labels, strict=True)])
    wanted = calibration(probabilities, right)
    assert told["calibration"]["error"] == wanted.error
    assert told["evaluation"]["accuracy"] == model.evaluate(TEXTS, labels).accuracy
    assert told["evaluation"]["metric"] == "accuracy"
    monkeypatch.setattr(module, "MOST_MISTAKES", 3)
    told = diagnosed(model, Rows("file.csv", TEXTS, labels))
    assert [one["number"] for one in told["mistakes"]] == wrong[:3]
    assert told["wrong"] == len(wrong)


def test_of_many_labels_every_decision_counts() -> None:
    model = made(("a", "b", "c"), multiple=True, seed=2)
    labels = [tuple(np.array(["a", "b", "c"])[RANDOM.random(3) < 0.4]) for _ in TEXTS]
    told = diagnosed(model, Rows("file.csv", TEXTS, labels))
    probabilities, answers = model.predict_proba(TEXTS), model.predict(TEXTS)
    came = [[name in row for name in ("a", "b", "c")] for row in labels]
    wanted = calibration(probabilities.ravel(), np.array(came).ravel())
    assert told["calibration"]["count"] == 3 * len(TEXTS)
    assert told["calibration"]["error"] == wanted.error
    wrong = [place for place in range(len(TEXTS)) if set(answers[place]) != set(labels[place])]
    assert {one["number"] for one in told["mistakes"]} == set(wrong)
    sure = [one["sure"] for one in told["mistakes"]]
    assert sure == sorted(sure, reverse=True)
    first = told["mistakes"][0]
    furthest = abs(probabilities[first["number"]] - np.array(came[first["number"]])).max()
    assert first["sure"] == pytest.approx(float(furthest), abs=6e-5)
    assert first["truth"] == " | ".join(name for name in "abc" if name in labels[first["number"]])


def test_an_unknown_label_is_refused() -> None:
    with pytest.raises(DataError, match="has the label 'x', which the model does not know"):
        diagnosed(made(), Rows("file.csv", ["film"], ["x"]))


def test_a_folder_without_a_report_tells_nothing_of_training() -> None:
    assert training_of(made()) is None
