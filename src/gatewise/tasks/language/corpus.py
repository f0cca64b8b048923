"""Corpus: texts as one long row of token ids, on disk, so that it may be larger than memory."""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from gatewise.data.problems import many
from gatewise.errors import DataError
from gatewise.text.tokenizer import Tokenizer

BLOCK = 4096
"""Texts that are tokenized together."""


@dataclass(frozen=True, eq=False)
class Corpus:
    """The ids of all texts one after another, (N,) int32, an end behind each of them.

    `counts` says how often every class occurs, (K,); `fingerprint` is equal for equal texts.
    """

    ids: NDArray[np.int32]
    texts: int
    counts: NDArray[np.int64]
    fingerprint: str

    @classmethod
    def encode(cls, texts: Iterable[str], tokenizer: Tokenizer) -> Corpus:
        """Write the ids of texts to a file without a name, which goes when the corpus does.

        Raises:
            DataError: there are no texts.
        """
        end = len(tokenizer)
        counts = np.zeros(end + 1, np.int64)
        digest = hashlib.sha256()
        number = 0
        with tempfile.TemporaryFile(prefix="gatewise-") as file:
            source = iter(texts)
            while block := list(islice(source, BLOCK)):
                values = tokenizer.encode(block).ended(end).values
                file.write(values.tobytes())
                counts += np.bincount(values, minlength=end + 1)
                digest.update("\0".join(block).encode("utf-8", "surrogatepass"))
                number += len(block)
            if number == 0:
                raise DataError("There are no texts to learn from.")
            file.flush()
            ids_on_disk = np.memmap(file, np.int32, "r")
        return cls(ids_on_disk, number, counts, digest.hexdigest()[:16])


def lines(texts: Iterable[str], *, joined: bool) -> Iterator[str]:
    """The texts themselves; where texts are joined, every line of one is a text of its own.

    Raises:
        DataError: the argument is one text, or one of the texts is not a str.
    """
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        what = (
            "one text: put it in brackets, [text], or if it names a file, give its lines, "
            "gatewise.data.lines.Lines(name)"
            if isinstance(texts, str)
            else repr(texts)
        )
        raise DataError(f"Texts must be a list of texts. Got {what}.")
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise DataError(f"Every text must be a str. Text {number} is {text!r}.")
        if joined and "\n" in text:
            yield from text.removesuffix("\n").split("\n")
        else:
            yield text


def count_before(texts: Iterable[str], share: float, *, joined: bool) -> tuple[int, int]:
    """How many `lines` of texts hold about all characters but the last `share`, and how many all.

    Raises:
        DataError: there are no texts, or none would be left, or none held out.
    """
    count = total = 0
    for text in lines(texts, joined=joined):
        count += 1
        total += len(text) + 1  # its end counts
    if count == 0:
        raise DataError("There are no texts to learn from.")
    if not share:
        return count, count
    kept = before = characters = 0
    nearest = math.inf
    # Read again rather than remembered: the lengths of all lines may not fit into memory.
    for number, text in enumerate(lines(texts, joined=joined), start=1):
        characters += len(text) + 1
        distance = abs(characters - (1 - share) * total)
        if distance >= nearest or number == count > 1:
            break
        kept, before, nearest = number, characters, distance
    if kept == count or total - before > max(0.5, 3 * share) * total:
        split = "" if joined else ', set documents="joined" to learn from the lines of a text,'
        raise DataError(
            f"The last {share:.0%} of {many(count, 'text')} cannot be held out: at least 2 "
            "texts are needed, and no very long one at an end. Give 'dev' texts"
            f"{split} or set dev_share=0."
        )
    return kept, count


def divided(texts: Iterable[str], kept: int) -> tuple[Iterator[str], Iterator[str]]:
    """The first `kept` texts, and the others; the first are to be read before the others."""
    source = iter(texts)
    return islice(source, kept), source
