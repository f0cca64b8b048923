"""The balance of spans: how much less "O" scores than the network has learned.

The likelihood counts tokens, and nearly all of them are outside of spans: a network that is unsure
of a span leaves it out. Its spans are right, but it finds few of them, and F1 wants both. So what
is taken from the score of "O" is chosen by the F1 of the dev sentences, as a threshold would be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gatewise.chains import Chain
from gatewise.tasks.tag.answering import Scored, taggings
from gatewise.tasks.tag.evaluation import span_scores
from gatewise.tasks.tag.tags import Tags
from gatewise.text.spans import OUTSIDE

GRID = np.arange(0.0, 3.01, 0.25)
"""What may be taken from the score of "O", in nats."""
ENOUGH = 20
"""True spans that the dev sentences must have for a choice."""


def best_balance(
    batches: Sequence[Scored], chain: Chain, tags: Tags, truth: Sequence[Sequence[str]]
) -> float:
    """What to take from the score of "O"; 0 where tags are not of spans or spans are few.

    Args:
        batches: scores of the dev sentences.
        chain: what paths score beside their tokens.
        tags: that there are.
        truth: of every dev sentence.
    """
    if tags.scheme is None or span_scores(truth, truth)[-1].rows < ENOUGH:
        return 0.0
    outside = tags.number[OUTSIDE]
    found = []
    for amount in GRID:
        taken = np.where(np.arange(len(tags.names)) == outside, amount, 0).astype(np.float32)
        lowered = [Scored(rows, scores - taken, offsets) for rows, scores, offsets in batches]
        answers = taggings(lowered, chain, tags.names, len(truth))
        found.append(span_scores(truth, answers)[-1].f1)
    # The mean with its neighbours: the best one shall not be best by luck.
    smooth = np.convolve(np.pad(found, 1, mode="edge"), np.full(3, 1 / 3), mode="valid")
    return float(GRID[smooth.argmax()])
