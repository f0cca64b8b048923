from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from gatewise.errors import DataError
from gatewise.evaluation import evaluate, noise


@pytest.mark.parametrize("multiple", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_all_figures_are_those_of_scikit_learn(multiple: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows, labels = int(random.integers(1, 60)), int(random.integers(2, 6))
    if multiple:
        truth, answers = (random.random((2, rows, labels)) < 0.3).astype(int)
    else:
        truth, answers = random.integers(0, labels, (2, rows))
    found = evaluate(truth, answers, list(range(labels)), multiple=multiple)
    numbers = list(range(labels))
    precision, recall, f1, true_rows = precision_recall_fscore_support(
        truth, answers, labels=numbers, zero_division=0.0
    )
    mine = np.array([[s.precision, s.recall, s.f1, s.rows] for s in found.labels])
    np.testing.assert_allclose(mine, np.stack([precision, recall, f1, true_rows], 1), atol=1e-12)
    assert found.accuracy == pytest.approx(accuracy_score(truth, answers))
    macro = f1_score(truth, answers, average=None, zero_division=0.0)
    occurs = (truth | answers).any(axis=0) if multiple else slice(None)
    assert found.macro_f1 == pytest.approx(macro[occurs].mean() if len(macro[occurs]) else 0.0)
    micro = f1_score(truth, answers, labels=numbers, average="micro", zero_division=0.0)
    assert found.micro_f1 == pytest.approx(micro)
    if multiple:
        assert (found.metric, found.score, found.confusion) == ("macro-F1", found.macro_f1, None)
    else:
        assert found.metric == "accuracy"
        assert found.confusion is not None
        np.testing.assert_array_equal(
            found.confusion, confusion_matrix(truth, answers, labels=numbers)
        )


def test_no_rows_are_no_evaluation() -> None:
    with pytest.raises(DataError, match="no rows"):
        evaluate(np.empty(0, int), np.empty(0, int), ["a", "b"], multiple=False)


@pytest.mark.parametrize("multiple", [False, True])
def test_the_noise_is_two_standard_errors_of_the_difference(multiple: bool) -> None:
    """Against the spread over fresh samples, which the noise estimates from a single one."""
    random = np.random.default_rng(0)

    def sample() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if multiple:
            truth = (random.random((400, 3)) < [0.5, 0.2, 0.05]).astype(int)
            flips = random.random((2, 400, 3)) < 0.2
        else:
            truth = random.integers(0, 2, 400)
            flips = random.random((2, 400)) < 0.2
        first, second = (np.where(flip, 1 - truth, truth) for flip in flips)
        return truth, first, second

    def score(truth: np.ndarray, answers: np.ndarray) -> float:
        return evaluate(truth, answers, list(range(3 if multiple else 2)), multiple=multiple).score

    differences = []
    for _ in range(300):
        truth, first, second = sample()
        differences.append(score(truth, first) - score(truth, second))
    found = np.mean([noise(*sample(), multiple) for _ in range(5)])
    assert found == pytest.approx(2 * np.std(differences), rel=0.2)


def test_models_that_answer_alike_have_no_noise() -> None:
    truth = np.array([0, 1, 1])
    assert noise(truth, truth, truth, multiple=False) == 0
