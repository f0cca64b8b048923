"""The continuous cache: tokens that followed outputs like the present one become likelier.

Grave, Joulin and Usunier 2017 (arXiv 1612.04426). With h_i the output before the token w_i:

    p(w) = (1 − share) · p_model(w) + share · p_cache(w)
    p_cache(w) ∝ Σ exp(flatness · h_t·h_i) over those of the last `size` tokens w_i that are w

Nothing is learned: it needs the outputs alone, and follows the subject of a long text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatewise.encoder import Floats
from gatewise.ragged import Ragged
from gatewise.tasks.language.fitted import Cache, Fitted
from gatewise.tasks.report import perplexity_of

FLATNESSES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0)
SHARES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
TUNED_ON = 20_000
"""Tokens that a cache is tuned on, at most."""
ROWS = 512
COMPARED_AT_ONCE = 2**22
"""Products of two outputs that exist at once, about: 16 MB."""


class Recent:
    """The last tokens and the outputs before them, which it carries on from call to call.

    Args:
        size: tokens that it holds, at most.
        flatnesses: for each it says probabilities of its own.
    """

    def __init__(self, size: int, flatnesses: Sequence[float]) -> None:
        self._size = size
        self._flatnesses = flatnesses
        self._outputs: Floats = np.empty((0, 0), np.float32)
        self._targets: NDArray[np.int32] = np.empty(0, np.int32)

    def probabilities(self, outputs: Floats, targets: NDArray[np.int32]) -> NDArray[np.floating]:
        """p_cache of every token, each from those before it: (n, E), (n,) → (flatnesses, n).

        NaN while there is nothing before it.
        """
        held = len(self._targets)
        if held:
            outputs = np.concatenate([self._outputs, outputs])
            targets = np.concatenate([self._targets, targets])
        found = np.empty((len(self._flatnesses), len(targets) - held))
        rows = max(1, min(ROWS, COMPARED_AT_ONCE // (self._size + ROWS)))
        for start in range(held, len(targets), rows):
            stop = min(start + rows, len(targets))
            found[:, start - held : stop - held] = self._compared(outputs, targets, start, stop)
        self._outputs = outputs[-self._size :].copy()
        self._targets = targets[-self._size :].copy()
        return found

    def _compared(
        self, outputs: Floats, targets: NDArray[np.int32], start: int, stop: int
    ) -> NDArray[np.floating]:
        """The same of the tokens from start to stop, with all tokens before them at hand."""
        first = max(0, start - self._size)
        here, past = slice(start, stop), slice(first, stop - 1)
        likeness = outputs[here] @ outputs[past].T  # (rows, past)
        ages = np.arange(start, stop)[:, None] - np.arange(first, stop - 1)
        likeness[(ages < 1) | (ages > self._size)] = -np.inf
        # Outputs are not normalised: without this their powers would overflow.
        likeness -= likeness.max(axis=1, keepdims=True, initial=np.finfo(np.float32).min)
        same = targets[past] == targets[here, None]
        found = []
        for flatness in self._flatnesses:
            powers = np.exp(np.float32(flatness) * likeness)
            with np.errstate(invalid="ignore"):  # 0 / 0 where there is nothing before
                found.append((powers * same).sum(axis=1) / powers.sum(axis=1))
        return np.array(found)


def mixed(
    model: NDArray[np.float64], cached: NDArray[np.floating], share: float
) -> NDArray[np.float64]:
    """Log-probabilities of model and cache together.

    Args:
        model: log-probability of every token by the model, (n,).
        cached: probability of every token by the cache, (n,); where it is NaN the model decides.
        share: of the cache.
    """
    # log 0 where one of the two rules a token out, and NaN where the cache says nothing
    with np.errstate(divide="ignore", invalid="ignore"):
        both = np.logaddexp(model + np.log1p(-share), np.log(cached) + np.log(share))
    return np.where(np.isnan(cached), model, both)


class Tuned(NamedTuple):
    """A cache, and the perplexity of what it was tuned on without and with it."""

    cache: Cache
    without: float
    perplexity: float


def tuned(
    fitted: Fitted,
    ids: NDArray[np.int32],
    *,
    size: int = 2000,
    threads: int | None = None,
    precision: str = "fp32",
) -> Tuned:
    """The cache that makes texts likeliest, among FLATNESSES and SHARES.

    Args:
        fitted: the model.
        ids: texts, an end behind each of them, best those that chose the epoch; the first TUNED_ON
            are read.
        size: tokens that the cache holds.
        threads: by default all cores.
        precision: of the recurrent layers' products.
    """
    targets = np.array(ids[:TUNED_ON])
    before = np.concatenate([[fitted.end], targets[:-1]]).astype(np.int32)
    apart = fitted.chosen.documents == "apart"
    starts = np.flatnonzero(before == fitted.end) if apart else np.zeros(1, np.int64)
    rows = Ragged(before, np.append(starts, len(before)))
    outputs, _ = fitted.outputs(rows, None, threads, precision)
    by_model = fitted.output_layer.log_probabilities(outputs, targets, threads)
    by_cache = Recent(size, FLATNESSES).probabilities(outputs, targets)
    likelihood = {
        Cache(flatness, share): float(mixed(by_model, row, share).mean())
        for flatness, row in zip(FLATNESSES, by_cache, strict=True)
        for share in SHARES
    }
    best = max(likelihood, key=likelihood.__getitem__)
    return Tuned(best, perplexity_of(-by_model.mean()), perplexity_of(-likelihood[best]))
