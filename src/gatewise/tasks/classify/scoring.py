"""How a network and the linear model do on the dev rows while a classifier is fitted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gatewise.baselines import linear
from gatewise.data.batches import in_order
from gatewise.evaluation import Evaluation, evaluate, noise
from gatewise.ragged import Ragged
from gatewise.tasks.classify.labels import Labels
from gatewise.tasks.classify.network import ClassifierNetwork
from gatewise.tasks.classify.rows import Rows, hard_targets
from gatewise.tasks.classify.thresholds import cross_fitted

SCORING_TOKENS = 32_768
"""Tokens that are scored at once."""
SHARES = tuple(step / 10 for step in range(11))
"""Shares of the token pairs in the answer that are tried."""


def probabilities(network: ClassifierNetwork, ids: Ragged, labels: Labels) -> NDArray[np.float32]:
    """Probability of every label for every text, (B, L)."""
    return labels.probabilities(_scored(network, ids, network))


def choose_pair_share(network: ClassifierNetwork, rows: Rows, ids: Ragged, labels: Labels) -> None:
    """Let the token pairs say as much in the answer as makes the loss of the dev rows least."""
    if network.pairs is None or not len(rows):
        return
    recurrent = _scored(network, ids, lambda *batch: network.parts(*batch)[0])
    pairs = _scored(network, ids, lambda *batch: network.parts(*batch)[1])

    def loss(share: float) -> float:
        found = labels.probabilities((1 - share) * recurrent + share * pairs)
        found = np.clip(found, 1e-7, 1 - 1e-7)
        if labels.multiple:
            every = rows.targets * np.log(found) + (1 - rows.targets) * np.log(1 - found)
            return -float(every.sum())
        truth = hard_targets(rows.targets, labels)
        return -float(np.log(found[np.arange(len(rows)), truth]).sum())

    network.pair_share = min(SHARES, key=loss)


@torch.no_grad()
def _scored(
    network: ClassifierNetwork, ids: Ragged, score: Callable[[Tensor, Tensor], Tensor]
) -> NDArray[np.float32]:
    """Scores of all texts, (B, L), a batch at a time."""
    network.eval()
    scores = np.zeros((len(ids), network.head.out_features), np.float32)
    for places in in_order(ids.lengths, batch_size=512, batch_tokens=SCORING_TOKENS):
        taken = ids.take(places)
        found = score(torch.from_numpy(taken.values), torch.from_numpy(taken.offsets))
        scores[places] = found.numpy()
    return scores


def answers(found: NDArray[np.float32], rows: Rows, labels: Labels) -> NDArray[np.int64]:
    """What is answered by these probabilities: (B,), or (B, L) for many labels at once.

    Thresholds of many labels are chosen on four fifths of the rows for the other fifth.
    """
    return cross_fitted(found, rows.targets) if labels.multiple else labels.decide(found)


def evaluated(found: NDArray[np.float32], rows: Rows, labels: Labels) -> Evaluation | None:
    """How good answers by these probabilities are; None without rows."""
    if not len(rows):
        return None
    truth = hard_targets(rows.targets, labels)
    chosen = answers(found, rows, labels)
    return evaluate(truth, chosen, labels.names, multiple=labels.multiple)


def linear_figures(
    rows: Rows, dev_rows: Rows, labels: Labels, ours: NDArray[np.float32]
) -> dict[str, Any]:
    """The linear model on the same rows, treated alike: what `Report` has of it.

    Args:
        rows: to learn from.
        dev_rows: to answer.
        labels: of both.
        ours: the network's probabilities on the dev rows.
    """
    started = time.perf_counter()
    targets = hard_targets(rows.targets, labels)
    found = np.zeros_like(ours)
    columns = linear(rows.texts, targets, rows.weights, dev_rows.texts)
    found[:, : columns.shape[1]] = columns
    truth = hard_targets(dev_rows.targets, labels)
    pair = answers(ours, dev_rows, labels), answers(found, dev_rows, labels)
    return {
        "linear": evaluated(found, dev_rows, labels),
        "linear_seconds": time.perf_counter() - started,
        "noise": noise(truth, *pair, labels.multiple),
    }
