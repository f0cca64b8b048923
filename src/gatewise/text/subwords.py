"""Subwords: the character n-grams of a word, which tell something of words never seen before.

A word's vector is its own one and the mean of its n-grams' (fastText; Bojanowski et al. 2017). The
n-grams are hashed into a fixed number of buckets, so that there is no list of them to keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from gatewise.ragged import Ragged

SHORTEST = 3
LONGEST = 5
"""Characters of an n-gram; the borders of a word, "<" and ">", count."""
LONGEST_WORD = 40
"""Characters of a word that are looked at: time and memory stay bounded for any text."""
_SIZES = range(4 * SHORTEST, 4 * LONGEST + 1, 4)  # bytes of n-grams, four to a character


def subword_buckets(words: Sequence[str], buckets: int) -> Ragged:
    """The bucket numbers, from 0, of every word's different n-grams: int64 rows in rising order."""
    rows = []
    for word in words:
        bordered = f"<{word[:LONGEST_WORD]}>".encode("utf-32-le", "surrogatepass")
        found = {
            crc32(bordered[start : start + size]) % buckets
            for size in _SIZES
            for start in range(0, len(bordered) - size + 1, 4)
        }
        rows.append(sorted(found))
    return Ragged.from_rows(rows, np.int64)
