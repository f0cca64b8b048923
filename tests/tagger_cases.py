"""Small taggers for the tests: of random weights, or fitted for a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gatewise import SequenceTagger

TOKENS = [
    ["Anna", "Lee", "lives", "in", "Oslo"],
    ["in", "Oslo", "it", "rains"],
    ["Bo", ",", "Anna", "and", "Lee", "met", "the", "Nobel", "Committee"],
    ["nobody", "lives", "here"],
    ["Oslo"],
]
TAGS = [
    ["B-PER", "I-PER", "O", "O", "B-LOC"],
    ["O", "B-LOC", "O", "O"],
    ["B-PER", "O", "B-PER", "O", "B-PER", "O", "O", "B-ORG", "I-ORG"],
    ["O", "O", "O"],
    ["B-LOC"],
]
NEW = [["ANNA", "met", "Zoë", "😀"], [], ["zzz"], ["New York", "x" * 99, "lives"]]
WORDS = ["anna", "lives", "zoë", "york", "Oslo", "met"]
"""Of the file of vectors; "zoë" and "york" are in no training sentence."""

OPTIONS: dict[str, Any] = {
    "embedding_size": 6,
    "hidden_size": 5,
    "character_size": 4,
    "character_units": 3,
    "min_count": 1,
    "subwords": 40,
}
TRAINING: dict[str, Any] = {"epochs": 2, "quiet": True, "threads": 1, "dev_share": 0.0}


def made(seed: int = 0, **options: Any) -> SequenceTagger:
    """A tagger whose weights, those of the CRF too, are as good as random."""
    tagger = SequenceTagger(**OPTIONS | options).fit(TOKENS, TAGS, **TRAINING)
    random = np.random.default_rng(seed)
    for weight in tagger.weights_.values():
        weight[...] = random.normal(size=weight.shape, scale=0.7)
    return tagger


def write_vectors(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """A file of three-dimensional vectors of WORDS, and what it holds."""
    random = np.random.default_rng(1)
    found = {word: random.normal(size=3).round(3) for word in WORDS}
    lines = (f"{word} {' '.join(map(str, vector))}\n" for word, vector in found.items())
    path.write_text("".join(lines), "utf-8")
    return found
