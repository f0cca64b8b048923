"""Split rows into train and dev: by label, repeatably, with equal texts on one side."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.errors import DataError

_ENOUGH = 5
"""Groups of equal texts that a label must have to be sure of a dev row."""


def text_key(text: str) -> str:
    """What makes two texts the same one: letters without case, words without their spacing."""
    return " ".join(text.casefold().split())


def split(
    texts: Sequence[str],
    labels: Sequence[Any] | NDArray[Any],
    *,
    share: float = 0.1,
    seed: int = 0,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Hold out about `share` of the rows as dev rows.

    Args:
        texts: (B,); rows whose texts differ only by case and spacing stay on the same side.
        labels: one label a row; or for rows of several labels a set a row, or a matrix (B, L)
            of 0 and 1. A row of several labels counts for its rarest.
        share: of every label's rows. A label of one text stays in train; one of 5 or more texts
            has at least one dev row, also where each of them stands there so often that the
            share is exceeded. A text of several labels counts for the rarest.
        seed: the same seed, texts and labels give the same split.

    Returns:
        The train rows and the dev rows, rising, int64.

    Raises:
        DataError: there are not as many labels as texts, or too few rows to split.
    """
    if len(texts) != len(labels):
        raise DataError(f"There are {len(texts)} texts, but {len(labels)} labels.")
    if not 0 < share < 1:
        raise DataError(f"The share of dev rows must be above 0 and below 1. Got {share}.")
    groups: dict[str, list[int]] = defaultdict(list)
    for row, text in enumerate(texts):
        groups[text_key(text)].append(row)
    if len(groups) < 2:
        raise DataError(
            f"At least 2 different texts are needed to hold out dev rows. Got {len(groups)}."
        )
    strata = _strata(list(groups.values()), _rarest(labels))
    random = np.random.Generator(np.random.PCG64(seed))
    dev: list[int] = []
    for members, wanted in zip(strata, _wanted(strata, share, random), strict=True):
        left = wanted
        order = random.permutation(len(members))
        for place in order:
            # A text that stands there very often would fill the dev rows alone.
            if len(members[place]) <= left:
                dev += members[place]
                left -= len(members[place])
        if left == wanted and len(members) >= _ENOUGH:  # every text stands there too often
            dev += members[min(order, key=lambda place: len(members[place]))]
    if not dev:  # one dev row is better than none
        largest = max(strata, key=len)
        dev += sorted(largest, key=len)[0]
    held_out = np.zeros(len(texts), bool)
    held_out[dev] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _rarest(labels: Sequence[Any] | NDArray[Any]) -> list[Hashable]:
    """One label a row: itself, or the rarest of a set; None for an empty set."""
    rows: list[Collection[Any]]
    if isinstance(labels, np.ndarray) and labels.ndim == 2:
        rows = [np.flatnonzero(row).tolist() for row in labels]
    elif len(labels) and isinstance(labels[0], set | frozenset | list | tuple):
        rows = [sorted(set(row), key=str) for row in labels]
    else:
        return list(labels.tolist() if isinstance(labels, np.ndarray) else labels)
    counts = Counter(label for row in rows for label in row)
    return [min(row, key=lambda label: counts[label]) if row else None for row in rows]


def _strata(groups: list[list[int]], labels: list[Hashable]) -> list[list[list[int]]]:
    """Groups of equal texts by the rarest label in each, in the order of first appearance."""
    counts = Counter(labels)
    strata: dict[Hashable, list[list[int]]] = defaultdict(list)
    for group in groups:
        strata[min((labels[row] for row in group), key=lambda label: counts[label])].append(group)
    return list(strata.values())


def _wanted(
    strata: list[list[list[int]]], share: float, random: np.random.Generator
) -> NDArray[np.int64]:
    """Dev rows of every label: its share, rounded so that the sum is the share of all rows."""
    groups = np.array([len(members) for members in strata])
    rows = np.array([sum(map(len, members)) for members in strata])
    exact = rows * share
    wanted = np.floor(exact).astype(np.int64)
    # The rows lost by rounding down go to the labels that lost most; lots decide between equals.
    lost = exact - wanted + 1e-9 * random.random(len(strata))
    lost[groups < 2] = -1
    missing = max(0, round(rows.sum() * share) - int(wanted.sum()))
    wanted[np.argsort(-lost, kind="stable")[:missing]] += 1
    wanted[groups >= _ENOUGH] = np.maximum(wanted[groups >= _ENOUGH], 1)
    wanted[groups < 2] = 0
    return np.asarray(np.minimum(wanted, rows - 1))
