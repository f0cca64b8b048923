"""Parallel text: pairs of a source and a target, one pair a line.

Either one file with a tab between the two, or two files whose lines of the same number belong
together. Neither form knows quotes: a quote is a letter like others.
"""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

from gatewise.data.lines import Lines
from gatewise.data.problems import many, shown
from gatewise.errors import DataError

Pairs = tuple[list[str], list[str]]
"""Sources and their targets."""


def tabbed_pairs(path: str | Path, encoding: str = "utf-8") -> Pairs:
    """The pairs of a file with a source, a tab and its target on every line (.gz and .zst too).

    Raises:
        DataError: the file cannot be read, or a line holds no pair; with its number.
    """
    lines = Lines(path, encoding)
    sources, targets = [], []
    for number, line in enumerate(lines, start=1):
        source, tab, target = line.partition("\t")
        if not tab or "\t" in target:
            raise DataError(
                f"{lines.name}, line {number}: {many(line.count(chr(9)) + 1, 'field')}, but a line "
                f"must be a source, a tab and its target. Got '{shown(line)}'."
            )
        sources.append(source)
        targets.append(target)
    return sources, targets


def paired_lines(sources: str | Path, targets: str | Path, encoding: str = "utf-8") -> Pairs:
    """The pairs of two files (.gz and .zst too): lines of the same number belong together.

    Raises:
        DataError: a file cannot be read, or they have not as many lines.
    """
    left, right = Lines(sources, encoding), Lines(targets, encoding)
    found: Pairs = [], []
    counts = [0, 0]
    for pair in zip_longest(left, right):
        for side, line in enumerate(pair):
            if line is not None:
                counts[side] += 1
                found[side].append(line)
    if counts[0] != counts[1]:
        more, by = "source" if counts[0] > counts[1] else "target", abs(counts[0] - counts[1])
        raise DataError(
            f"{left.name} has {many(counts[0], 'line')}, and {right.name} has "
            f"{many(counts[1], 'line')}: the {more} has {many(by, 'line')} more. Lines of the same "
            "number must belong together."
        )
    return found
