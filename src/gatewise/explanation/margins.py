"""What a classifier's scores say of the words, as margins: numbers that can be compared and added.

A margin is the score of a label less that of its rival, the likeliest other label. With many labels
at once there is no rival, and the margin is the label's score. It is the logarithm of the odds
between the two; margins of parts of the model add up, which probabilities do not.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatewise.errors import OptionError
from gatewise.explanation.explanation import Measure, Table
from gatewise.explanation.traces import Word
from gatewise.tasks.classify.labels import Labels

Numbers = NDArray[np.floating[Any]]
PAIRS = 10
"""Token pairs that the table of the strongest ones holds."""


class Side(NamedTuple):
    """The label that is explained, its rival, both by number, and what people call the margin."""

    label: int
    rival: int | None
    name: str

    @classmethod
    def of(cls, labels: Labels, scores: Numbers, label: object) -> Side:
        """The side of a label, by default of the likeliest one.

        Raises:
            OptionError: there is no such label.
        """
        names = labels.names
        if label is None:
            place = int(scores.argmax())
        elif label in names:
            place = names.index(label)
        else:
            listed = ", ".join(map(str, names[:10])) + (", …" if len(names) > 10 else "")
            raise OptionError(f"The label must be one the model gives: {listed}. Got {label!r}.")
        if labels.multiple:
            return cls(place, None, f"'{names[place]}'")
        rival = int(np.where(np.arange(len(names)) == place, -np.inf, scores).argmax())
        return cls(place, rival, f"'{names[place]}' over '{names[rival]}'")

    def margin(self, scores: Numbers) -> Numbers:
        """(..., L) → (...)."""
        wanted: Numbers = scores[..., self.label]
        return wanted if self.rival is None else wanted - scores[..., self.rival]


def measures(arrays: dict[str, Numbers], side: Side, running: Numbers) -> tuple[Measure, ...]:
    """The numbers of every word.

    Args:
        arrays: those of the explanation.
        side: whose margins.
        running: probability of the label after every word, (T,).
    """
    margin, name = side.margin, side.name
    found = [
        Measure(
            "contribution",
            margin(arrays["scores"]) - margin(arrays["without"]),
            f"How much the score for {name} falls when the text is read without the word.",
            signed=True,
        ),
        Measure(
            "step",
            np.diff(margin(arrays["running"])),
            f"How much the score for {name} rises when the word is read, as if the text ended "
            "with it.",
            signed=True,
        ),
        Measure("so far", running, "Probability of the label after the word, if the text ended."),
        Measure(
            "pooled",
            margin(arrays["pooled"]),
            f"What the recurrent layers' states at the word add to the score for {name}.",
            signed=True,
        ),
    ]
    if "tokens" in arrays:
        found.append(
            Measure(
                "linear",
                _linear(margin(arrays["tokens"]), margin(arrays["pairs"])),
                f"What the linear part adds to the score for {name}: the word's own weight and "
                "half of that of each pair it is in.",
                signed=True,
            )
        )
    for pooling, about in (
        ("attention", "Weight of the word in attention pooling."),
        ("maxima", "Share of the units whose greatest state, which pooling takes, is at the word."),
    ):
        if pooling in arrays:
            found.append(Measure(pooling, arrays[pooling], about))
    return tuple(found)


def _linear(tokens: Numbers, pairs: Numbers) -> Numbers:
    """Every token's own part and half of both pairs that it is in: (T,), (T - 1,) → (T,)."""
    found = tokens.copy()
    found[:-1] += pairs / 2
    found[1:] += pairs / 2
    return found


def strongest_pairs(
    words: tuple[Word, ...], arrays: dict[str, Numbers], side: Side
) -> tuple[Table, ...]:
    """The pairs of neighbours that add most to the linear part or take most from it."""
    if len(words) < 2 or "pairs" not in arrays:
        return ()
    margins = side.margin(arrays["pairs"])
    order = np.argsort(-abs(margins), kind="stable")[:PAIRS]
    return (
        Table(
            "strongest word pairs",
            tuple(f"{words[i].text} {words[i + 1].text}" for i in order.tolist()),
            ("adds",),
            margins[order][:, None],
            f"What pairs of neighbours add to the score for {side.name} in the linear part.",
            signed=True,
        ),
    )


def parts_told(arrays: dict[str, Numbers], side: Side) -> str:
    """A sentence about the score and the parts of the model that it comes from."""
    told = f"Score for {side.name}: {side.margin(arrays['scores']):+.3f}"
    if "linear" not in arrays:
        return f"{told}."
    recurrent, linear = side.margin(arrays["recurrent"]), side.margin(arrays["linear"])
    return (
        f"{told}, of which the recurrent layers say {recurrent:+.3f} and the linear part over "
        f"tokens and pairs {linear:+.3f}."
    )
