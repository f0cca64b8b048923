"""What a tagger knows of words: the number of every word, and of every character."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.errors import ModelFileError
from gatewise.ragged import Ragged
from gatewise.text.near import near_spellings
from gatewise.text.subwords import LONGEST_WORD
from gatewise.text.tokenizer import Tokenizer

MOST_CHARACTERS = 5000
"""Different characters that are known, at most."""
LARGEST_VECTOR = 10_000
"""Numbers of a pretrained vector, at most."""


@dataclass(frozen=True)
class Lexicon:
    """The words and characters that are known.

    Args:
        tokenizer: numbers the words. The first `learned` of its vocabulary have vectors that
            training made; the others have pretrained ones only.
        learned: how many those are, V.
        characters: the known characters in the order of their numbers, from 1; 0 is any other.
        vector_size: numbers of a pretrained vector, 0 without.
    """

    tokenizer: Tokenizer
    learned: int
    characters: str
    vector_size: int

    def ids(self, tokens: Sequence[str]) -> NDArray[np.int64]:
        """Numbers of tokens, 0 for one that is not known: (U,).

        A token that the tokenizer would split is none of its words.
        """
        plain = self.tokenizer.level == "whitespace"
        known = self._words
        found = [
            known.get(self.form(token).strip(), 0) if plain and token.isascii() else -1
            for token in tokens
        ]
        ids = np.array(found, np.int64)
        rest = np.flatnonzero(ids < 0)
        encoded = self.tokenizer.encode([tokens[place] for place in rest.tolist()])
        single = encoded.lengths == 1
        ids[rest] = 0
        ids[rest[single]] = encoded.values[encoded.offsets[:-1][single]]
        return ids

    @cached_property
    def _words(self) -> dict[str, int]:
        """Numbers of the words: for ASCII, where case is simple, quicker than the tokenizer."""
        return {word: number for number, word in enumerate(self.tokenizer.vocabulary)}

    def form(self, token: str) -> str:
        """A token as its pieces are taken from it."""
        return token.lower() if self.tokenizer.lowercase else token

    def near(self, words: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.int64]:
        """The number of a near spelling that has a pretrained vector, 0 where there is none: (U,).

        Args:
            words: that have no vector themselves.
            vectors: of the vocabulary by number; zeros where there is none.
        """
        others = [near_spellings(self.form(word)) for word in words]
        ids = self.ids([other for some in others for other in some])
        ids[~vectors[ids].any(axis=1)] = 0
        found = np.zeros(len(words), np.int64)
        stop = 0
        for place, some in enumerate(others):
            start, stop = stop, stop + len(some)
            known = ids[start:stop].nonzero()[0]
            if len(known):
                found[place] = ids[start + known[0]]
        return found

    def with_near(
        self, words: Sequence[str], ids: NDArray[np.int64], vectors: NDArray[np.float32]
    ) -> NDArray[np.int64]:
        """Numbers of words, those of near spellings for words that are not known: (U,).

        Arguments as `near`; `ids` are the numbers of the words themselves.
        """
        found, strange = ids.copy(), np.flatnonzero(ids == 0)
        found[strange] = self.near([words[place] for place in strange.tolist()], vectors)
        return found

    def spelled(self, tokens: Sequence[str]) -> Ragged:
        """The characters of tokens by number, a row of int32 for each."""
        cut = [token[:LONGEST_WORD] for token in tokens]
        codes = np.frombuffer("".join(cut).encode("utf-32-le", "surrogatepass"), np.uint32)
        known, numbers = self._codes
        places = np.searchsorted(known, codes).clip(max=len(known) - 1)
        values = np.where(known[places] == codes, numbers[places], 0).astype(np.int32)
        offsets = np.zeros(len(cut) + 1, np.int64)
        np.cumsum([len(token) for token in cut], out=offsets[1:])
        return Ragged(values, offsets)

    @cached_property
    def _codes(self) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
        """The known characters' code points, rising, and the number of each."""
        codes = np.array([0, *map(ord, self.characters)], np.uint32)
        order = np.argsort(codes)
        return codes[order], order.astype(np.int32)

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads, beside the tokenizer."""
        return {
            "learned": self.learned,
            "characters": self.characters,
            "vector_size": self.vector_size,
        }

    @classmethod
    def from_json(cls, given: Any, tokenizer: Tokenizer) -> Lexicon:
        """Read what a model folder says of words.

        Raises:
            ModelFileError: it is not what `as_json` wrote, or does not fit the tokenizer.
        """
        wanted = {"learned", "characters", "vector_size"}
        if not isinstance(given, dict) or given.keys() != wanted:
            raise ModelFileError(
                f"labels.json must hold of the words: {', '.join(sorted(wanted))}."
            )
        learned, characters, size = (
            given[name] for name in ("learned", "characters", "vector_size")
        )
        if type(learned) is not int or not 1 <= learned <= len(tokenizer):
            raise ModelFileError(
                f"labels.json: 'learned' must be from 1 to the {len(tokenizer)} tokens of the "
                f"vocabulary. Got {learned!r}."
            )
        distinct = isinstance(characters, str) and len(set(characters)) == len(characters)
        if not distinct or len(characters) > MOST_CHARACTERS:
            raise ModelFileError(
                f"labels.json: 'characters' must be up to {MOST_CHARACTERS} different ones."
            )
        if type(size) is not int or not 0 <= size <= LARGEST_VECTOR:
            raise ModelFileError(
                f"labels.json: 'vector_size' must be from 0 to {LARGEST_VECTOR}. Got {size!r}."
            )
        return cls(tokenizer, learned, characters, size)


def common_characters(tokens: Iterable[str]) -> str:
    """The characters that occur at least twice, the most frequent first."""
    counts = Counter(character for token in tokens for character in token)
    often = [
        character
        for character, count in counts.items()
        if count > 1 and not 0xD800 <= ord(character) < 0xE000 and character != "\0"
    ]
    return "".join(sorted(often, key=lambda c: (-counts[c], c))[:MOST_CHARACTERS])
