from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from gatewise.nn.encoder import Encoder
from gatewise.nn.pairs import PairScores
from gatewise.ragged import Ragged
from gatewise.shapes import EncoderShape
from gatewise.tasks.classify.labels import Labels
from gatewise.tasks.classify.network import ClassifierNetwork
from gatewise.tasks.classify.rows import read_rows
from gatewise.tasks.classify.scoring import SCALES, calibrate, probabilities
from gatewise.tasks.classify.thresholds import best_thresholds, cross_fitted

RANDOM = np.random.default_rng(0)
SHAPE = EncoderShape("lstm", 9, 4, 0, 5, 1, True, "concat")


def network(labels: int, multiple: bool) -> ClassifierNetwork:
    torch.manual_seed(0)
    pairs = PairScores(32, labels, 9, np.ones(32, np.float32))
    torch.nn.init.normal_(pairs.weight)
    made = ClassifierNetwork(
        Encoder(SHAPE), labels, multiple=multiple, head_dropout=0.0, pairs=pairs
    )
    torch.nn.init.normal_(made.head.weight)
    return made


@pytest.mark.parametrize("multiple", [False, True])
def test_calibration_finds_the_scales_with_the_least_loss(multiple: bool) -> None:
    texts = ["x"] * 60
    given = [
        list(RANDOM.choice(["a", "b", "c"], RANDOM.integers(0, 3), replace=False)) for _ in texts
    ]
    labels = Labels.learn(
        given if multiple else [str(RANDOM.choice(["a", "b", "c"])) for _ in texts]
    )
    rows = read_rows(texts, given if multiple else [labels.names[i % 3] for i in range(60)], labels)
    ids = Ragged.from_rows([RANDOM.integers(0, 9, 7) for _ in texts], np.int32)
    made = network(3, multiple)
    calibrate(made, rows, ids, labels)
    chosen = made.scales

    def loss(scales: tuple[float, ...]) -> float:
        made.scales = scales
        found = np.clip(probabilities(made, ids, labels), 1e-7, 1 - 1e-7).astype(np.float64)
        if multiple:
            truth, found = rows.targets.ravel(), found.ravel()
            return float(log_loss(truth, found))
        return float(log_loss(rows.targets, found / found.sum(1, keepdims=True), labels=[0, 1, 2]))

    best = min(loss(scales) for scales in product(SCALES, repeat=2) if any(scales))
    assert loss(chosen) == pytest.approx(best, abs=1e-6)


def test_the_answering_weights_hold_the_scales() -> None:
    made = network(3, multiple=False)
    plain = made.arrays()
    made.scales = (0.3, 1.2)
    scaled = made.arrays()
    for name in ("weight", "bias"):
        np.testing.assert_allclose(scaled[f"head.{name}"], plain[f"head.{name}"] * 0.6, rtol=1e-6)
        np.testing.assert_allclose(scaled[f"pairs.{name}"], plain[f"pairs.{name}"] * 2.4, rtol=1e-6)


def test_cross_fitted_answers_never_see_their_own_rows() -> None:
    found = RANDOM.random((50, 2)).astype(np.float32)
    truth = (RANDOM.random((50, 2)) < 0.4).astype(int)
    answers = cross_fitted(found, truth)
    for fold in range(5):
        mine = np.arange(50) % 5 == fold
        chosen = np.array(best_thresholds(found[~mine], truth[~mine]))
        np.testing.assert_array_equal(answers[mine], found[mine] >= chosen)


def test_calibration_follows_taught_probabilities_and_not_their_likeliest_label() -> None:
    made = network(2, multiple=False)
    ids = Ragged.from_rows([RANDOM.integers(0, 9, 7) for _ in range(60)], np.int32)
    made.scales = (0.2, 0.1)
    labels = Labels(("no", "yes"), multiple=False)
    taught = probabilities(made, ids, labels).astype(np.float64)
    taught /= taught.sum(axis=1, keepdims=True)
    made.scales = (0.5, 0.5)
    calibrate(made, read_rows(["x"] * 60, taught, labels), ids, labels)
    # Cross-entropy is least where the network says just what it was taught.
    assert made.scales == (0.2, 0.1)
