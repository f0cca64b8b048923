"""An explanation on a terminal: coloured words, and tables of the same numbers without colours."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from gatewise.data.problems import shown
from gatewise.explanation.explanation import Explanation, Measure, Passage, Table
from gatewise.explanation.traces import DIRECTIONS, parted

# From weak to strong; each brings its own ink, so that it reads on dark and on light terminals.
FOR = ("black on #d3e5ff", "black on #86b6f7", "white on #1f62c9")
AGAINST = ("black on #ffe3c9", "black on #f6ab66", "white on #b84e08")
# Where there are but sixteen colours, all light ones would become the same white.
PLAIN_FOR, PLAIN_AGAINST = (
    ("blue", "bold blue", "white on blue"),
    ("red", "bold red", "white on red"),
)
NONE = (("", "", ""), ("", "", ""))
Palettes = tuple[tuple[str, ...], tuple[str, ...]]
LEVELS = (0.12, 0.4, 0.75)
"""Shares of the greatest value from which on the colours are taken."""
WIDE = 240
"""Columns of what is no terminal: no line of a table is broken there."""
MOST_TABLE = 12
"""Rows and columns of a table that is printed."""


def show(explanation: Explanation) -> None:
    """Print it on standard output; with colours on a terminal only, and never with NO_COLOR."""
    width = None if sys.stdout.isatty() else WIDE
    console = Console(highlight=False, markup=False, emoji=False, width=width)
    few = console.color_system == "standard"
    palettes = (PLAIN_FOR, PLAIN_AGAINST) if few else (FOR, AGAINST)
    console.print(rendered(explanation, NONE if console.no_color else palettes))


def rendered(explanation: Explanation, palettes: Palettes = (FOR, AGAINST)) -> RenderableType:
    """All of it, for `rich.console.Console.print`."""
    parts: list[RenderableType] = [Text(shown(explanation.answer, 1000), "bold"), Text()]
    for name, passage in explanation.passages.items():
        if passage.words:
            heading = [Text(f"{name}:", "bold")] * (explanation.written is not None)
            parts += [*heading, *_passage(passage, palettes)]
    for table in explanation.tables:
        if max(table.values.shape) <= MOST_TABLE:
            parts += [Text(f"{table.name}: {shown(table.about, 1000)}"), _table(table), Text()]
    parts += [Text(shown(remark, 4000)) for remark in explanation.remarks]
    measures = (m for passage in explanation.passages.values() for m in passage.measures)
    parts += [Text(f"{measure.name}: {shown(measure.about, 1000)}", "dim") for measure in measures]
    return Group(*parts)


def _passage(passage: Passage, palettes: Palettes) -> list[RenderableType]:
    """Coloured words, and their numbers as tables."""
    first = passage.measures[0]
    styles = [*_styles(first, palettes)]
    coloured = [_coloured(passage, styles), Text(f"coloured by {first.name}", "dim"), Text()]
    return [*coloured, _measures(passage, styles), *_gates(passage), Text()]


def _coloured(passage: Passage, styles: list[str]) -> Text:
    """The words in the colours of the first measure."""
    words = Text()
    gaps = parted(passage.words)
    for word, style, gap in zip(passage.words, styles, gaps, strict=True):
        words.append(" " * gap)
        words.append(word.visible, style)
    return words


def _styles(measure: Measure, palettes: Palettes) -> Iterator[str]:
    """A style for every word."""
    greatest = float(np.nanmax(np.abs(measure.values), initial=0))
    for value in measure.values.tolist():
        strength = abs(value) / greatest if greatest else 0.0
        level = sum(strength >= one for one in LEVELS)
        palette = palettes[value < 0]
        yield palette[level - 1] if level else ""


def _grid(names: list[str], notes: bool) -> Grid:
    grid = Grid(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    grid.add_column("word", no_wrap=True)
    for name in names:
        grid.add_column(name, justify="right", no_wrap=True)
    if notes:
        grid.add_column("")
    return grid


def _measures(passage: Passage, styles: list[str]) -> Grid:
    measures = passage.measures
    notes = any(word.note for word in passage.words)
    grid = _grid([measure.name for measure in measures], notes)
    for number, word in enumerate(passage.words):
        cells = [Text(_number(m.values[number], signed=m.signed)) for m in measures]
        cells[0].stylize(styles[number])
        name = Text(word.visible, "" if word.known else "italic dim")
        grid.add_row(name, *cells, *[Text(shown(word.note, 200), "dim")] * notes)
    return grid


def _gates(passage: Passage) -> list[RenderableType]:
    """The means of the gates of the highest layer."""
    top = [t for t in passage.layers if t.layer == passage.layers[-1].layer and t.gates]
    if not top:
        return []
    arrows = dict(zip(DIRECTIONS, "→←", strict=True))
    columns = {
        f"{arrows[trace.direction]} {name}": values.mean(axis=1)
        for trace in top
        for name, values in trace.gates.items()
        if name != "candidate"
    }
    grid = _grid([*columns], notes=False)
    for number, word in enumerate(passage.words):
        means = (f"{values[number]:.2f}" for values in columns.values())
        grid.add_row(Text(word.visible), *map(Text, means))
    units = top[0].hidden.shape[1]
    return [Text(), Text(f"gates of layer {top[0].layer}, means over {units} units"), grid]


def _table(table: Table) -> Grid:
    grid = _grid([shown(name) for name in table.columns], notes=False)
    grid.columns[0].header = ""
    for name, row in zip(table.rows, table.values, strict=True):
        grid.add_row(Text(shown(name)), *(Text(_number(v, signed=table.signed)) for v in row))
    return grid


def _number(value: float, *, signed: bool) -> str:
    if not np.isfinite(value):
        return ""
    return f"{value:+.2f}" if signed else f"{value:.2f}"
