"""Sequences: how programs of Keras make sequences of one length out of the ids of texts.

Models that were trained there expect it: words that are not known may be missing, long texts lose
one end, and short ones are padded with a token that is read like any other. Nothing that Gatewise
trains has padding.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, Self

Side = Literal["pre", "post"]
PADDING = -1
"""In `places`: no token of the text."""
LONGEST_SEQUENCE = 100_000
MOST_FILTERS = 200


@dataclass(frozen=True)
class Sequences:
    """What `keras.preprocessing.text.Tokenizer` and `pad_sequences` do, as plain data.

    Attributes:
        filters: characters that are read as spaces.
        unknown: whether unknown words are read, as `<unk>`; otherwise they are left out.
        length: tokens of a sequence, at most, or with `pad` always; None for any number.
        truncating: at which end a longer one loses tokens.
        pad: id of the token that fills shorter ones up; None for none.
        padding: at which end.
    """

    filters: str
    unknown: bool
    length: int | None
    truncating: Side
    pad: int | None
    padding: Side

    def words(self, text: str, lowercase: bool) -> Iterator[tuple[str, int, int]]:
        """The words of a text, lower-cased if asked for, with the slice of the text they are."""
        read = text.lower() if lowercase else text
        # A lower-case letter may be longer than its upper-case one: where each character is from.
        place = [i for i, c in enumerate(text) for _ in (c.lower() if lowercase else c)]
        for match in self._word.finditer(read):
            yield match[0], place[match.start()], place[match.end() - 1] + 1

    @cached_property
    def _word(self) -> re.Pattern[str]:
        return re.compile(f"[^{''.join(map(re.escape, ' ' + self.filters))}]+")

    def places(self, ids: Sequence[int]) -> list[int]:
        """Which tokens of a text are read, by their places in it, and where `PADDING` is."""
        kept = [place for place, number in enumerate(ids) if number or self.unknown]
        if self.length is None:
            return kept
        kept = kept[: self.length] if self.truncating == "post" else kept[-self.length :]
        if self.pad is None:
            return kept
        fill = [PADDING] * (self.length - len(kept))
        return fill + kept if self.padding == "pre" else kept + fill

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: Any) -> Self | None:
        """What `as_json` wrote; None for anything else."""
        try:
            read = cls(**given)
        except TypeError:
            return None
        good = (
            is_filters(read.filters)
            and isinstance(read.unknown, bool)
            and all(side in ("pre", "post") for side in (read.truncating, read.padding))
            and (read.length is None or _is_between(read.length, 1, LONGEST_SEQUENCE))
            and (read.pad is None or (read.length and _is_between(read.pad, 1, sys.maxsize)))
        )
        return read if good else None


def is_filters(filters: object) -> bool:
    """Whether these may be characters that are read as spaces: whole ones, and not too many."""
    return (
        isinstance(filters, str)
        and len(filters) <= MOST_FILTERS
        and not any("\ud800" <= character <= "\udfff" for character in filters)
    )


def _is_between(number: object, least: int, greatest: int) -> bool:
    return type(number) is int and least <= number <= greatest
