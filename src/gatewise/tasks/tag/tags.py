"""The tags of a tagger: their names, what spans they write, and which may follow which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.chains import Chain
from gatewise.errors import DataError, ModelFileError
from gatewise.text.spans import LEARNED, OUTSIDE, Learned, may_follow, parts_of, spans_of, write


@dataclass(frozen=True)
class Tags:
    """L tags in the order of the scores, and their scheme if they are of spans."""

    names: tuple[str, ...]
    scheme: Learned | None

    @classmethod
    def learn(cls, sentences: Sequence[Sequence[str]], scheme: Learned | None) -> Tags:
        """The tags that occur; of spans, all that the scheme has for their types.

        Raises:
            DataError: there are fewer than two.
        """
        found = {tag for tags in sentences for tag in tags}
        if scheme is not None:
            kinds = {parts_of(tag)[1] for tag in found if tag != OUTSIDE}
            prefixes = "BIES" if scheme == "bioes" else "BI"
            found = {OUTSIDE} | {f"{prefix}-{kind}" for kind in kinds for prefix in prefixes}
        if len(found) < 2:
            raise DataError(
                f"There must be two or more different tags to learn. Got {sorted(found)}."
            )
        return cls(tuple(sorted(found)), scheme)

    @cached_property
    def number(self) -> dict[str, int]:
        """The number of every tag."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def allowed(self) -> Chain:
        """0 where a tag may start, end or follow another, -inf where no span could be read."""
        if self.scheme is None:
            zeros = np.zeros(len(self.names))
            return Chain(np.zeros((len(self.names), len(self.names))), zeros, zeros)
        inside = [
            [may_follow(before, tag, self.scheme) for tag in self.names] for before in self.names
        ]
        start = [may_follow(None, tag, self.scheme) for tag in self.names]
        end = [may_follow(tag, None, self.scheme) for tag in self.names]
        return Chain(*(np.where(good, 0.0, -np.inf) for good in (inside, start, end)))

    def chain(self, learned: Chain | None) -> Chain:
        """What paths score beside their tokens: what a CRF learned, and what is allowed."""
        if learned is None:
            return self.allowed
        return Chain(*(a + b for a, b in zip(learned, self.allowed, strict=True)))

    def refuse_without_spans(self) -> None:
        """Raise a DataError unless the tags are of spans."""
        if self.scheme is None:
            raise DataError(
                "The tags of this model are not of spans: they are "
                f"{', '.join(self.names[:10])}{', …' if len(self.names) > 10 else ''}. Use predict."
            )

    def rewritten(self, tags: Sequence[str]) -> list[str]:
        """A sentence's tags in this scheme; those that are not of spans as they are."""
        if self.scheme is None:
            return list(tags)
        return write(spans_of(tags), len(tags), self.scheme)

    def numbers(self, tags: Sequence[str]) -> NDArray[np.int64]:
        """Tags as numbers, L for one that is not known."""
        known, unknown = self.number, len(self.names)
        return np.array([known.get(tag, unknown) for tag in tags], np.int64)

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return {"names": self.names, "scheme": self.scheme}

    @classmethod
    def from_json(cls, given: Any) -> Tags:
        """Read the tags of a model folder.

        Raises:
            ModelFileError: it is not what `as_json` wrote.
        """
        if not isinstance(given, dict) or given.keys() != {"names", "scheme"}:
            raise ModelFileError("labels.json must hold the names and the scheme of the tags.")
        names, scheme = given["names"], given["scheme"]
        good = isinstance(names, list) and all(isinstance(name, str) and name for name in names)
        if not good or len(set(names)) < max(2, len(names)):
            raise ModelFileError("labels.json must hold two or more different tags.")
        if scheme is not None and scheme not in LEARNED:
            raise ModelFileError(f"labels.json: the scheme must be one of {', '.join(LEARNED)}.")
        return cls(tuple(names), scheme)
