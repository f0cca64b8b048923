"""Pairs to learn from: which of them are left out, and why; which are held out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatewise.data.problems import many
from gatewise.data.split import split
from gatewise.errors import DataError
from gatewise.ragged import Ragged
from gatewise.tasks.seq2seq.options import Seq2SeqTraining
from gatewise.tasks.texts import check_lengths, list_of_texts

SHOWN = 5
"""Rows that a warning numbers."""


@dataclass(frozen=True)
class Pairs:
    """B sources, their targets, and the number of the row that each pair was given in, from 1."""

    sources: list[str]
    targets: list[str]
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, sources: Sequence[str], targets: Sequence[str]) -> Pairs:
        """Pairs of texts.

        Raises:
            DataError: there are not as many targets as sources, or one is no str.
        """
        listed, answers = list_of_texts(sources), list_of_texts(targets)
        check_lengths(listed, answers, "targets")
        return cls(listed, answers, np.arange(1, len(listed) + 1))

    def __len__(self) -> int:
        return len(self.sources)

    def take(self, places: NDArray[np.int64]) -> Pairs:
        """The given pairs, in the given order."""
        some = places.tolist()
        return Pairs(
            [self.sources[place] for place in some],
            [self.targets[place] for place in some],
            self.rows[places],
        )

    def fingerprint(self) -> str:
        """SHA-256 of all texts: equal data has an equal fingerprint."""
        digest = hashlib.sha256()
        for text in (*self.sources, *self.targets):
            digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
        return digest.hexdigest()[:16]


def whole_pairs(pairs: Pairs, warnings: list[str], kind: str = "") -> Pairs:
    """The pairs without an empty side; a warning tells of the others, which are of this kind.

    Raises:
        DataError: none is left.
    """
    empty = np.array(
        [not source.strip() or not target.strip() for source, target in _both(pairs)], np.bool_
    )
    _tell(warnings, pairs.rows[empty], "an empty side", kind)
    if empty.all():
        raise DataError(f"There are no {kind}pairs of texts{'' if kind else ' to learn from'}.")
    return pairs.take(np.flatnonzero(~empty))


def fitting(
    pairs: Pairs,
    sources: Ragged,
    targets: Ragged,
    training: Seq2SeqTraining,
    warnings: list[str],
) -> NDArray[np.int64]:
    """Places of the pairs to learn from; a warning tells of those that are left out.

    Args:
        pairs: B of them.
        sources: their tokens, the ends with them.
        targets: likewise.
        training: the longest text and the wildest ratio.
        warnings: grows.

    Raises:
        DataError: none is left.
    """
    longest = np.maximum(sources.lengths, targets.lengths)
    long = longest - 1 > training.max_length
    wild = ~long & (longest > training.max_ratio * np.minimum(sources.lengths, targets.lengths))
    limit = f"a text of more than {training.max_length} tokens (max_length)"
    _tell(warnings, pairs.rows[long], limit)
    ratio = f"a text more than {training.max_ratio:g} times as long as the other (max_ratio)"
    _tell(warnings, pairs.rows[wild], ratio)
    if (long | wild).all():
        raise DataError(f"No pair is left to learn from. {' '.join(warnings)}")
    return np.flatnonzero(~(long | wild))


def held_out(
    pairs: Pairs, training: Seq2SeqTraining, warnings: Sequence[str] = ()
) -> tuple[Pairs, Pairs]:
    """The pairs to learn from and those held out; pairs of the same source stay together.

    Raises:
        DataError: all have the same source.
    """
    if not training.dev_share:
        return pairs, pairs.take(np.empty(0, np.int64))
    if len(set(pairs.sources)) < 2:
        raise DataError(
            "At least 2 different sources are needed to hold out dev pairs. Got 1. Give dev pairs, "
            f"or set dev_share to 0. {' '.join(warnings)}".strip()
        )
    kept, dev = split(pairs.sources, [0] * len(pairs), share=training.dev_share, seed=training.seed)
    return pairs.take(kept), pairs.take(dev)


def swapped(pairs: Pairs, dev: Pairs) -> str | None:
    """A warning where dev sources have words of the targets, and their targets of the sources."""

    def words(texts: Sequence[str]) -> set[str]:
        return {word for text in texts for word in text.casefold().split()}

    sources, targets = words(pairs.sources), words(pairs.targets)
    dev_sources, dev_targets = words(dev.sources), words(dev.targets)
    straight = len(dev_sources & sources) + len(dev_targets & targets)
    crossed = len(dev_sources & targets) + len(dev_targets & sources)
    if crossed <= 2 * straight:
        return None
    return (
        "The dev pairs seem to be the other way round: their sources have words of the targets to "
        "learn from, and their targets of the sources. Are the columns or files swapped?"
    )


def _both(pairs: Pairs) -> zip[tuple[str, str]]:
    return zip(pairs.sources, pairs.targets, strict=True)


def _tell(warnings: list[str], rows: NDArray[np.int64], what: str, kind: str = "") -> None:
    if len(rows):
        some = ", ".join(map(str, rows[:SHOWN].tolist())) + ", …" * (len(rows) > SHOWN)
        have, are = ("has", "is") if len(rows) == 1 else ("have", "are")
        warnings.append(
            f"{many(len(rows), f'{kind}pair')} {have} {what} and {are} left out: "
            f"row{'s' * (len(rows) > 1)} {some}."
        )
