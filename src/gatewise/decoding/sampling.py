"""Choosing the next token from the scores of all: greedy, or at random in the field's usual ways.

They are applied in the usual order: the penalty of repetition (Keskar et al. 2019), temperature,
top-k (Fan et al. 2018), top-p (nucleus sampling, Holtzman et al. 2020). Each works on the scores
that the one before it left.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating[Any]]
COLDEST = 1e-200
"""Lower temperatures draw as this one does: a float32 divided by it is a float64 still."""


def choose(
    scores: Scores,
    *,
    temperature: float,
    top_k: int,
    top_p: float,
    generator: np.random.Generator,
) -> int:
    """The id of one token, drawn by its probability.

    Args:
        scores: of all tokens, (K,); one of -inf is never chosen, and one must be finite.
        temperature: what scores are divided by before the softmax; 0 for the likeliest token.
        top_k: how many of the likeliest are drawn from; 0 for all.
        top_p: draw from the fewest of the likeliest whose probabilities, after temperature and
            top-k, reach this sum; 1 for all. The likeliest always stays.
        generator: of the random numbers.
    """
    if temperature == 0:
        return int(scores.argmax())
    ids = None
    if top_p < 1 or 0 < top_k < len(scores):
        ids = likeliest(scores, top_k or len(scores))
        scores = scores[ids]
    differences = (scores - scores.max()).astype(np.float64)
    sums = np.exp(differences / max(temperature, COLDEST)).cumsum()
    if top_p < 1:
        sums = sums[: sums.searchsorted(top_p * sums[-1]) + 1]
    # From (0, 1]: the first sum that reaches it is then never that of a token of probability 0.
    drawn = 1 - generator.random()
    place = int(sums.searchsorted(drawn * sums[-1]))
    return place if ids is None else int(ids[place])


def likeliest(scores: Scores, count: int) -> NDArray[np.intp]:
    """Ids of the highest scores, highest first: (K,) → (min(count, K),)."""
    if count >= len(scores):
        return np.argsort(-scores)
    ids = np.argpartition(-scores, count)[:count]
    return np.asarray(ids[np.argsort(-scores[ids])])


def penalised(scores: Scores, ids: NDArray[np.intp], repetition: float) -> Scores:
    """Scores in which those of `ids` are worse: divided by `repetition`, or times it below 0."""
    result = scores.copy()
    some = scores[ids]
    result[ids] = np.where(some > 0, some / repetition, some * repetition)
    return result
