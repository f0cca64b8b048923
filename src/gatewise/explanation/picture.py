"""An explanation as one picture: measures of every word above heat maps of every unit."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewise.errors import DataError
from gatewise.explanation.explanation import Explanation
from gatewise.pictures import figure, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NAMED = 150
"""Words up to which every one is named."""
FOR, AGAINST = "#7fb0f0", "#f2ad72"
LINES = ("#1c2128", "#8a3fc0", "#2b8a3e", "#c2185b")


def drawn(explanation: Explanation) -> bytes:
    """PNG of the measures of every word and of all gates and states.

    Raises:
        DataError: the text has no words.
        MissingExtraError: matplotlib is not installed.
    """
    traces, words = explanation.layers, len(explanation.words)
    if not words:
        raise DataError("A text without words has nothing to draw.")
    parts = list(traces[0].parts)
    panel = min(max(0.26 * words, 2.6), 36 / len(traces))
    width = max(panel * len(traces) + 1.5, 6.4)
    sheet = figure(width, 5.2 + 1.7 * len(parts))
    halves: Any = sheet.subfigures(2, 1, height_ratios=[5.2, 1.7 * len(parts)])
    above, below = halves
    above.suptitle(_short(explanation.answer), fontsize=11, parse_math=False)
    _measures(above.subplots(2, 1, sharex=True), explanation)
    grid = below.subplots(len(parts), len(traces), squeeze=False, sharex=True)
    for column, trace in enumerate(traces):
        grid[0][column].set_title(trace.name, fontsize=9)
        _name_words(grid[-1][column], explanation)
    for row, name in enumerate(parts):
        grid[row][0].set_ylabel(f"{name}\nunit", fontsize=9)
        gate = name in traces[0].gates and name != "candidate"
        greatest = max(float(np.abs(trace.parts[name]).max()) for trace in traces)
        limit = 1.0 if gate else max(greatest, 1e-6)
        for column, trace in enumerate(traces):
            image = grid[row][column].imshow(
                trace.parts[name].T,
                aspect="auto",
                interpolation="nearest",
                cmap="Blues" if gate else "RdBu",
                vmin=0 if gate else -limit,
                vmax=limit,
            )
        sheet.colorbar(image, ax=grid[row].tolist(), pad=0.01)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        picture = png(sheet)
    _tell_missing_letters(caught)
    return picture


def _measures(axes: Any, explanation: Explanation) -> None:
    """The first measure as bars, the others as lines: those with a sign above the rest."""
    places = np.arange(len(explanation.words))
    first = explanation.measures[0]
    colours = [FOR if value >= 0 else AGAINST for value in first.values]
    for axis, signed in zip(axes, (True, False), strict=True):
        axis.set_prop_cycle(color=LINES)
        others = [m for m in explanation.measures[1:] if m.signed == signed]
        if first.signed == signed:
            axis.bar(places, np.nan_to_num(first.values), color=colours, label=first.name)
        for measure in others:
            axis.plot(places, measure.values, ".-", label=measure.name)
        axis.axhline(0, color="gray", linewidth=0.5)
        if first.signed == signed or others:
            axis.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
        else:
            axis.set_visible(False)
    _name_words(axes[1] if axes[1].get_visible() else axes[0], explanation)


def _name_words(axis: Axes, explanation: Explanation) -> None:
    if 0 < len(explanation.words) <= MOST_NAMED:
        names = [_short(word.visible, 20) for word in explanation.words]
        axis.set_xticks(range(len(names)), names, rotation=90, fontsize=8, parse_math=False)
        axis.tick_params(labelbottom=True)


def _short(text: str, most: int = 100) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _tell_missing_letters(caught: list[warnings.WarningMessage]) -> None:
    """One warning for all letters that the font of pictures does not have; others as they are."""
    missing = []
    for one in caught:
        letter = re.match(r"Glyph (\d+)", str(one.message))
        if letter is None:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
        else:
            missing.append(chr(int(letter[1])))
    if missing:
        letters = "".join(dict.fromkeys(missing))
        warnings.warn(
            f"The font of pictures has no letters for {letters}: boxes stand for them. A page "
            "(--html) shows them.",
            stacklevel=3,
        )
