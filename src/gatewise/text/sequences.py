"""Sequences: how programs of Keras make sequences of one length out of the ids of texts.

Models that were trained there expect it: words that are not known may be missing, long texts lose
one end, and short ones are padded with a token that is read like any other. Nothing that Gatewise
trains has padding.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

Side = Literal["pre", "post"]
PADDING = -1
"""In `places`: no token of the text."""
LONGEST_SEQUENCE = 100_000
MOST_FILTERS = 200


@dataclass(frozen=True)
class Sequences:
    """What `keras.preprocessing.text.Tokenizer` and `pad_sequences` do, as plain data.

    Attributes:
        filters: characters that are read as spaces, besides all whitespace.
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

    def places(self, ids: NDArray[np.int32]) -> NDArray[np.int64]:
        """Which tokens of a text are read, by their places in it, and where `PADDING` is."""
        kept = np.arange(len(ids)) if self.unknown else np.flatnonzero(ids)
        if self.length is None:
            return kept
        kept = kept[: self.length] if self.truncating == "post" else kept[-self.length :]
        if self.pad is None:
            return kept
        fill = np.full(self.length - len(kept), PADDING)
        return np.concatenate([fill, kept] if self.padding == "pre" else [kept, fill])

    def read(self, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """The sequence of a text's ids."""
        places = self.places(ids)
        padded = np.append(ids, np.int32(self.pad or 0))  # PADDING takes the last
        return padded[places]

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
    """Whether these may be characters that are read as spaces: printed ones, and not too many."""
    return (
        isinstance(filters, str)
        and len(filters) <= MOST_FILTERS
        and filters.isprintable()
        and " " not in filters
    )


def _is_between(number: object, least: int, greatest: int) -> bool:
    return type(number) is int and least <= number <= greatest
