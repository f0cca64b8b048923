"""How a network and the linear model do on the dev rows while a classifier is fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gatewise.baselines import linear
from gatewise.data.batches import in_order
from gatewise.evaluation import Evaluation, evaluate
from gatewise.ragged import Ragged
from gatewise.tasks.classify.labels import Labels
from gatewise.tasks.classify.network import ClassifierNetwork
from gatewise.tasks.classify.rows import Rows, hard_targets
from gatewise.tasks.classify.thresholds import cross_fitted

SCORING_TOKENS = 32_768
"""Tokens that are scored at once."""


@torch.no_grad()
def probabilities(network: ClassifierNetwork, ids: Ragged, labels: Labels) -> NDArray[np.float32]:
    """Probability of every label for every text, (B, L)."""
    network.eval()
    scores = np.zeros((len(ids), len(labels.names)), np.float32)
    for places in in_order(ids.lengths, batch_size=512, batch_tokens=SCORING_TOKENS):
        taken = ids.take(places)
        found = network(torch.from_numpy(taken.values), torch.from_numpy(taken.offsets))
        scores[places] = found.numpy()
    return labels.probabilities(scores)


def evaluated(found: NDArray[np.float32], rows: Rows, labels: Labels) -> Evaluation | None:
    """How good answers by these probabilities are; None without rows.

    Thresholds of many labels are chosen on four fifths of the rows for the other fifth.
    """
    if not len(rows):
        return None
    answers = cross_fitted(found, rows.targets) if labels.multiple else labels.decide(found)
    return _evaluation(answers, rows, labels)


def linear_figures(rows: Rows, dev_rows: Rows, labels: Labels) -> dict[str, Any]:
    """The linear model's evaluation on the dev rows and its seconds, as `Report` has them."""
    targets = hard_targets(rows.targets, labels)
    found = linear(rows.texts, targets, dev_rows.texts, multiple=labels.multiple)
    return {
        "linear": _evaluation(found.answers, dev_rows, labels),
        "linear_seconds": found.seconds,
    }


def _evaluation(answers: NDArray[np.int64], rows: Rows, labels: Labels) -> Evaluation:
    truth = hard_targets(rows.targets, labels)
    return evaluate(truth, answers, labels.names, multiple=labels.multiple)
