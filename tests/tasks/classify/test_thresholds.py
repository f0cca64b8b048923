from __future__ import annotations

import numpy as np
from sklearn.metrics import f1_score

from gatewise.tasks.classify.thresholds import GRID, best_thresholds


def calibrated(rows: int, rate: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are true, and rows drawn by them."""
    random = np.random.default_rng(seed)
    probabilities = random.beta(0.5, 0.5 * (1 - rate) / rate, rows).astype(np.float32)
    return probabilities, (random.random(rows) < probabilities).astype(int)


def test_a_label_gets_nearly_the_best_f1_that_any_threshold_gives() -> None:
    for seed, rate in enumerate([0.02, 0.1, 0.4]):
        probabilities, truth = calibrated(20_000, rate, seed)
        (chosen,) = best_thresholds(probabilities[:, None], truth[:, None])
        best = max(f1_score(truth, probabilities >= threshold) for threshold in GRID)
        assert f1_score(truth, probabilities >= chosen) > best - 0.005
        assert f1_score(truth, probabilities >= 0.5) < best - 0.01


def test_between_two_clear_groups_it_lies_in_the_middle() -> None:
    truth = np.array([[0], [1]] * 20)
    (chosen,) = best_thresholds(np.where(truth, 0.9, 0.1).astype(np.float32), truth)
    assert 0.4 < chosen < 0.6


def test_rare_labels_share_one_threshold() -> None:
    common, truth = calibrated(1000, 0.3, 1)
    rare = np.zeros((1000, 2), np.float32)
    rare[:3] = 0.9
    columns = np.column_stack([common, rare])
    chosen = best_thresholds(columns, np.column_stack([truth, rare > 0.5]))
    alone = best_thresholds(common[:, None], truth[:, None])
    assert chosen[0] == alone[0]
    assert chosen[1] == chosen[2]
    assert 0.02 <= chosen[1] <= 0.9


def test_a_label_without_true_rows_does_no_harm() -> None:
    probabilities, truth = calibrated(500, 0.3, 2)
    columns = np.column_stack([probabilities, np.full(500, 0.01, np.float32)])
    chosen = best_thresholds(columns, np.column_stack([truth, np.zeros(500, int)]))
    assert all(0.02 <= threshold <= 0.9 for threshold in chosen)
