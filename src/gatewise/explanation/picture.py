"""An explanation as one picture: measures of every word above heat maps of every unit."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatewise.errors import DataError
from gatewise.explanation.explanation import Explanation, Passage, Table
from gatewise.explanation.traces import Word
from gatewise.pictures import figure, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

MOST_NAMED = 150
"""Words up to which every one is named."""
FOR, AGAINST = "#7fb0f0", "#f2ad72"
LINES = ("#1c2128", "#8a3fc0", "#2b8a3e", "#c2185b")


class Panel(NamedTuple):
    """A part of the picture: what it needs, in inches, and what draws it on a figure."""

    width: float
    height: float
    draw: Callable[[Any], None]


def drawn(explanation: Explanation) -> bytes:
    """PNG of the measures of every word and of all gates and states.

    Raises:
        DataError: the text has no words.
        MissingExtraError: matplotlib is not installed.
    """
    passages = [passage for passage in explanation.passages.values() if passage.words]
    if not passages:
        raise DataError("A text without words has nothing to draw.")
    panels = [_tables(explanation.tables)] if explanation.written else []
    for passage in passages:
        panels += [_measures(passage), _layers(passage)]
    widths, heights, draw = zip(*panels, strict=True)
    sheet = figure(max(*widths, 6.4), sum(heights))
    blocks = sheet.subfigures(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    blocks[0].suptitle(_short(explanation.answer), fontsize=11, parse_math=False)
    for one, block in zip(draw, blocks, strict=True):
        one(block)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        picture = png(sheet)
    _tell_missing_letters(caught)
    return picture


def _measures(passage: Passage) -> Panel:
    """The first measure as bars, the others as lines: those with a sign above the rest."""
    first = passage.measures[0]
    signs = [s for s in (True, False) if any(m.signed == s for m in passage.measures)]

    def draw(block: Any) -> None:
        axes = block.subplots(len(signs), 1, sharex=True, squeeze=False)[:, 0]
        for axis, signed in zip(axes, signs, strict=True):
            axis.set_prop_cycle(color=LINES)
            places = np.arange(len(passage.words))
            if first.signed == signed:
                colours = [FOR if value >= 0 else AGAINST for value in first.values]
                axis.bar(places, np.nan_to_num(first.values), color=colours, label=first.name)
            for measure in passage.measures[1:]:
                if measure.signed == signed:
                    axis.plot(places, measure.values, ".-", label=measure.name)
            axis.axhline(0, color="gray", linewidth=0.5)
            axis.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
        _name_words(axes[-1], passage.words, tags=any(word.tag for word in passage.words))

    return Panel(0, 2.6 * len(signs), draw)


def _layers(passage: Passage) -> Panel:
    """Heat maps of all gates and states: a row for each, a column for every direction."""
    traces = passage.layers
    parts = list(traces[0].parts)

    def draw(block: Any) -> None:
        grid = block.subplots(len(parts), len(traces), squeeze=False, sharex=True)
        for column, trace in enumerate(traces):
            grid[0][column].set_title(trace.name, fontsize=9)
            _name_words(grid[-1][column], passage.words)
        for row, name in enumerate(parts):
            grid[row][0].set_ylabel(f"{name}\nunit", fontsize=9)
            gate = name in traces[0].gates and name != "candidate"
            greatest = max(float(np.abs(trace.parts[name]).max()) for trace in traces)
            for axis, trace in zip(grid[row], traces, strict=True):
                image = _map(axis, trace.parts[name].T, 1.0 if gate else greatest, signed=not gate)
            block.colorbar(image, ax=grid[row].tolist(), pad=0.01)

    wide = min(max(0.26 * len(passage.words), 2.6), 36 / len(traces))
    return Panel(wide * len(traces) + 1.5, 1.7 * len(parts), draw)


def _tables(tables: tuple[Table, ...]) -> Panel:
    """Written words against those that were read, a heat map for every table."""

    def draw(block: Any) -> None:
        (axes,) = block.subplots(1, len(tables), squeeze=False)
        for axis, table in zip(axes, tables, strict=True):
            greatest = float(np.nanmax(np.abs(table.values), initial=0))
            image = _map(axis, table.values, greatest, signed=table.signed)
            axis.set_title(table.name, fontsize=9)
            _name(axis.xaxis, table.columns, rotation=90)
            _name(axis.yaxis, table.rows)
            block.colorbar(image, ax=axis, pad=0.01)

    rows, columns = tables[0].values.shape
    return Panel(len(tables) * (0.26 * columns + 2), 0.26 * rows + 1.6, draw)


def _map(axis: Axes, values: NDArray[Any], limit: float, *, signed: bool) -> Any:
    """A heat map from 0, or from minus the limit, to the limit."""
    limit = max(limit, 1e-6)
    how: dict[str, Any] = (
        {"cmap": "RdBu", "vmin": -limit} if signed else {"cmap": "Blues", "vmin": 0}
    )
    return axis.imshow(values, aspect="auto", interpolation="nearest", vmax=limit, **how)


def _name_words(axis: Axes, words: Sequence[Word], *, tags: bool = False) -> None:
    """Words along the lower edge; with `tags` the tag that a tagger gave stands under each."""
    names = [f"{word.visible}\n{word.tag}" if tags else word.visible for word in words]
    _name(axis.xaxis, names, rotation=90, multialignment="right")
    axis.tick_params(labelbottom=True)


def _name(axis: Axis, names: Sequence[str], **how: Any) -> None:
    """Names along an axis, unless they are too many to be read."""
    if len(names) <= MOST_NAMED:
        short = ["\n".join(_short(part, 20) for part in name.split("\n")) for name in names]
        axis.set_ticks(range(len(names)), short, fontsize=8, parse_math=False, **how)


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
