"""What a unit follows over a file: its state at every word, and the words that move it most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatewise.explanation.explanation import plain
from gatewise.lab.states import States
from gatewise.ragged import Ragged

LEAST_COUNT = 3
"""Times that a word must occur for its mean step to be told."""
SCALE = 0.98
"""Share of the states that the colours tell apart; what lies beyond has the strongest colour."""
MOST_WORDS = 15
"""Words that are told on either side."""


@dataclass(frozen=True)
class UnitFigures:
    """How much a unit does over a file.

    `spread` is the standard deviation of its state over all tokens. `separation` says how far the
    states after the last token tell two labels apart: the greatest difference between the means of
    two labels, in standard deviations of all of them; None without labels.
    """

    unit: int
    spread: float
    separation: float | None


def ranked(found: States, labels: Sequence[Any] | None) -> list[UnitFigures]:
    """All units, those first that tell labels apart best, or else those that move most.

    Args:
        found: states over a file.
        labels: one for every text; None without any.
    """
    spreads = found.values.std(axis=0, dtype=np.float64)
    separations = None if labels is None else _separations(found, labels)
    order = np.argsort(-(spreads if separations is None else separations), kind="stable")
    return [
        UnitFigures(
            unit,
            float(spreads[unit]),
            None if separations is None else float(separations[unit]),
        )
        for unit in order.tolist()
    ]


def followed(
    found: States, unit: int, texts: Sequence[str], labels: Sequence[Any] | None, some: range
) -> dict[str, Any]:
    """What one unit does over a file, as JSON.

    Args:
        found: states over the file.
        unit: from 0.
        texts: of the file.
        labels: one for every text; None without any.
        some: numbers of the texts that are shown word by word.
    """
    column = found.values[:, unit]
    rows = Ragged(column, found.offsets)
    return {
        "scale": max(float(np.quantile(abs(column), SCALE)), 1e-6),
        "texts": [
            {
                "number": number,
                "text": texts[number],
                "label": None if labels is None else labels[number],
                "words": [[word.start, word.stop] for word in found.words[number]],
                "values": plain(rows[number], 3),
            }
            for number in some
        ],
        "words": _movers(found, unit),
        "labels": _ends(found, unit, labels),
    }


def _movers(found: States, unit: int) -> dict[str, list[dict[str, Any]]]:
    """The words with the greatest mean steps up and down."""
    names, ids = found.names
    steps = found.steps(unit).astype(np.float64)
    counts = np.bincount(ids)
    means = np.bincount(ids, steps) / np.maximum(counts, 1)
    often = np.flatnonzero(counts >= LEAST_COUNT)
    order = often[np.argsort(-means[often], kind="stable")]

    def told(places: Any) -> list[dict[str, Any]]:
        return [
            {
                "word": names[place],
                "step": round(float(means[place]), 4),
                "count": int(counts[place]),
            }
            for place in places
        ]

    up = [place for place in order[:MOST_WORDS].tolist() if means[place] > 0]
    down = [place for place in order[::-1][:MOST_WORDS].tolist() if means[place] < 0]
    return {"up": told(up), "down": told(down)}


def _ends(found: States, unit: int, labels: Sequence[Any] | None) -> list[dict[str, Any]]:
    """The mean state after the last token, label by label."""
    if labels is None:
        return []
    final, texts = found.final()
    column, of_texts = final[:, unit], np.array([str(labels[text]) for text in texts.tolist()])
    return [
        {
            "label": label,
            "mean": round(float(column[of_texts == label].mean(dtype=np.float64)), 4),
            "count": int((of_texts == label).sum()),
        }
        for label in sorted(set(of_texts.tolist()))
    ]


def _separations(found: States, labels: Sequence[Any]) -> Any:
    """(H,): see `UnitFigures`."""
    final, texts = found.final()
    of_texts = np.array([str(labels[text]) for text in texts.tolist()])
    means = np.array(
        [final[of_texts == label].mean(axis=0, dtype=np.float64) for label in sorted(set(of_texts))]
    )
    deviation = np.maximum(final.std(axis=0, dtype=np.float64), 1e-9)
    return (means.max(axis=0) - means.min(axis=0)) / deviation
