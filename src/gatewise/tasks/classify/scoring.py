"""How a network and the linear model do on the dev rows while a classifier is fitted."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

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
CALIBRATED = 100_000
"""Probabilities that a calibration looks at, at most."""
FEW = 50
"""Dev rows below which chance would decide more than the network's answers."""
SCALES = tuple(step / 10 for step in range(16))
"""Scales of the scores that are tried: 0 to leave a part out, 1 to take it as it is."""


def probabilities(network: nn.Module, ids: Ragged, labels: Labels) -> NDArray[np.float32]:
    """Probability of every label for every text, (B, L), by a network from ids and offsets."""
    return labels.probabilities(_scored(network, ids, labels, network))


def calibrate(network: ClassifierNetwork, rows: Rows, ids: Ragged, labels: Labels) -> None:
    """Scale the scores of recurrent layers and token pairs so that the loss of the rows is least.

    It decides how much each of them says in the answer, and lets the probabilities mean what they
    say (stacking, Wolpert 1992, and temperature scaling, Guo et al. 2017, in one). Fewer than FEW
    rows leave the scales as they are.
    """
    if len(rows) < FEW:
        return
    some = np.arange(len(rows))[: max(1, CALIBRATED // len(labels.names))]
    rows, ids = rows.take(some), ids.take(some)
    parts = [
        _scored(network, ids, labels, lambda *batch, part=part: network.parts(*batch)[part])
        for part in range(1 if network.pairs is None else 2)
    ]

    def loss(scales: tuple[float, ...]) -> float:
        scores = sum(scale * part for scale, part in zip(scales, parts, strict=True))
        found = np.clip(labels.probabilities(np.asarray(scores)), 1e-7, 1 - 1e-7)
        if labels.multiple:
            every = rows.targets * np.log(found) + (1 - rows.targets) * np.log(1 - found)
            return -float(every.sum())
        if rows.targets.ndim == 2:  # probabilities, as a larger model taught them
            return -float((rows.targets * np.log(found)).sum())
        return -float(np.log(found[np.arange(len(rows)), rows.targets]).sum())

    # A network that knows nothing is scaled down, but never to nothing: its likeliest label stays.
    tried = (scales for scales in product(SCALES, repeat=len(parts)) if any(scales))
    network.scales = min(tried, key=loss)


@torch.no_grad()
def _scored(
    network: nn.Module, ids: Ragged, labels: Labels, score: Callable[[Tensor, Tensor], Tensor]
) -> NDArray[np.float32]:
    """Scores of all texts, (B, L), a batch at a time."""
    network.eval()
    scores = np.zeros((len(ids), len(labels.names)), np.float32)
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
