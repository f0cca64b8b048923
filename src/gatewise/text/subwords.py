"""Subwords: the character n-grams of a word, which tell something of words never seen before.

A word's vector is its own one and the mean of its n-grams' (fastText; Bojanowski et al. 2017). The
n-grams are hashed into a fixed number of buckets, so that there is no list of them to keep.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from gatewise.ragged import Ragged

SHORTEST = 3
LONGEST = 5
"""Characters of an n-gram; the borders of a word, "<" and ">", count."""
LONGEST_WORD = 40
"""Characters of a word that are looked at: time and memory stay bounded for any text."""


def subword_buckets(words: Sequence[str], buckets: int) -> Ragged:
    """The bucket numbers, from 0, of every word's different n-grams: int64 rows in rising order."""
    rows = []
    for word in words:
        bordered = f"<{word[:LONGEST_WORD]}>".encode("utf-32-le", "surrogatepass")
        grams = {
            bordered[4 * start : 4 * (start + length)]
            for length in range(SHORTEST, LONGEST + 1)
            for start in range(len(bordered) // 4 - length + 1)
        }
        rows.append(sorted({zlib.crc32(gram) % buckets for gram in grams}))
    return Ragged.from_rows(rows, np.int64)
