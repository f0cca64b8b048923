"""Words of plain sentences: split by the rules of `rules.py`, but left as they stand there."""

from __future__ import annotations

from gatewise.text.pieces import pieces
from gatewise.text.rules import UNKNOWN, is_word
from gatewise.text.tokenizer import MOST_REMEMBERED, Tokenizer


class WordSplitter:
    """Splits sentences into words and punctuation; every run without whitespace only once."""

    def __init__(self) -> None:
        self._tokenizer = Tokenizer("word", False, [UNKNOWN], [])
        self._memory: dict[str, tuple[str, ...]] = {}
        self._size = 0

    def split(self, sentence: str) -> list[str]:
        """The tokens of a sentence, each as it is written there, in order."""
        memory, found = self._memory, list[str]()
        for piece in pieces(sentence, "word"):
            words = memory.get(piece)
            if words is None:
                words = self._words(piece)
            found += words
        return found

    def _words(self, piece: str) -> tuple[str, ...]:
        words = (piece,) if is_word(piece) else self._parted(piece)
        self._size += 2 * len(piece)
        if self._size > MOST_REMEMBERED:
            # Replaced, not emptied: another thread may be reading it.
            self._memory, self._size = {}, 0
        self._memory[piece] = words
        return words

    def _parted(self, piece: str) -> tuple[str, ...]:
        found, stop = list[str](), 0
        for token in self._tokenizer.tokens(piece):
            # Where one character becomes several tokens, they share its place: the first has it.
            start, stop = max(token.start, stop), max(token.stop, stop)
            if start < stop:
                found.append(piece[start:stop])
        return tuple(found)
