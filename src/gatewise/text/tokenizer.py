"""Tokenizer: texts in, a Ragged of token ids out, by the rules of `rules.py`.

The rules run in the Hugging Face `tokenizers` library, and `to_json` is a tokenizer.json which
that library reads by itself. Since no rule looks across whitespace, the ids of a run of
characters without whitespace (a "piece") never change; every piece is tokenized once and
remembered, which makes a batch of ordinary text several times faster than the library alone.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gatewise.errors import DataError, OptionError
from gatewise.options import Level
from gatewise.ragged import Ragged
from gatewise.text import rules, saved
from gatewise.text.pieces import pieces as split
from gatewise.text.pieces import placed_pieces, printable
from gatewise.text.rules import LEVELS, UNKNOWN
from gatewise.text.saved import LARGEST_VOCABULARY, LONGEST_TOKEN
from gatewise.text.sequences import PADDING, Sequences

# Without this the library starts threads of its own and, when the process forks afterwards,
# prints a warning on standard error. A user's own setting wins.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import tokenizers

MOST_REMEMBERED = 3_000_000  # characters and tokens of pieces, at most 150 MB
_BLOCK = 1024  # texts that are tokenized at a time, which bounds the memory of a large batch
_CLEANED_AT_ONCE = 10_000  # pieces
_ALPHABET = 1000  # characters that "bpe" starts from

# What stands directly behind a word when tokens are read as text; emoticons do not.
_ATTACHED = re.compile(r" (n't|'(?:s|m|d|re|ve|ll)|[.,!?;:%)\]]|!!!?|\?\?\??|\.\.\.)(?= |$)")


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its place: `text` is the slice `[start:stop]` of the text, in characters.

    Where one character becomes several tokens (`½` becomes `1 ⁄ 2`), they share its place.
    """

    text: str
    id: int
    start: int
    stop: int


@dataclass(slots=True)
class _Memory:
    """Pieces that were met: their ids, the unknown words of those that have any, and its size.

    The ids are kept as the bytes of int32 numbers, which join to those of a text in one call.
    """

    ids: dict[str, bytes] = field(default_factory=dict)
    unknown: dict[str, tuple[str, ...]] = field(default_factory=dict)
    size: int = 0


class Tokenizer:
    """Texts to ids and back. Made by `Tokenizer.train` or `Tokenizer.from_json`.

    Level "word" splits at spaces and punctuation, "whitespace" at whitespace alone, as text wants
    that is tokenized already, "bpe" into frequent parts of words, "char" into characters. Id 0 is
    `<unk>`, the token of all that is not in the vocabulary. `sequences` is how a model of Keras
    reads the tokens of a text (level "whitespace"); None for those that Gatewise trained.
    """

    def __init__(
        self,
        level: Level,
        lowercase: bool,
        vocabulary: list[str],
        merges: list[list[str]],
        sequences: Sequences | None = None,
    ) -> None:
        self.level: Level = level
        self.lowercase = lowercase
        self.unknown_id = 0
        self._vocabulary = vocabulary
        ids = {token: number for number, token in enumerate(vocabulary)}
        self.sequences = sequences
        self._ids = ids if sequences else {}
        self._json = saved.to_json(level, lowercase, ids, merges)
        self._rules = tokenizers.Tokenizer.from_str(self._json)
        # The same without the cleaning rules, for pieces that are clean already.
        self._splitter = tokenizers.Tokenizer.from_str(self._json)
        self._splitter.normalizer = tokenizers.normalizers.Sequence([])
        self._memory = _Memory()

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        *,
        level: Level = "word",
        lowercase: bool = True,
        max_vocabulary: int = 30_000,
        min_count: int = 2,
    ) -> Tokenizer:
        """Learn a vocabulary: the most frequent tokens first, equal counts in alphabetical order.

        Args:
            texts: any iterable; it is read once.
            level: "word", "whitespace", "bpe" or "char".
            lowercase: whether upper and lower case are one.
            max_vocabulary: most entries, `<unk>` among them.
            min_count: tokens (for "bpe": pairs of parts) that are rarer stay unknown.

        Raises:
            OptionError: an option has a value that is not allowed.
            DataError: a text is not a str, or no token is frequent enough.
        """
        _check_options(level, max_vocabulary, min_count)
        checked = (_checked(text, number) for number, text in enumerate(texts))
        untrained = cls(level, lowercase, [UNKNOWN], [])
        merges: list[list[str]] = []
        if level == "bpe":
            vocabulary, merges = untrained._learn_parts(checked, max_vocabulary, min_count)
        else:
            counts = untrained._count(checked)
            counts.pop(UNKNOWN, None)
            vocabulary = [UNKNOWN, *_frequent(counts, min_count)][:max_vocabulary]
        if len(vocabulary) == 1:
            raise DataError(
                f"The texts hold no token that occurs at least {min_count} times, so there is "
                "nothing to learn from. Give more texts or a smaller 'min_count'."
            )
        return cls(level, lowercase, vocabulary, merges)

    def extended(
        self, texts: Iterable[str], *, most: int = 30_000, min_count: int = 2
    ) -> Tokenizer:
        """This tokenizer and, behind its own tokens, those that are new in texts.

        A tokenizer of level "bpe" stays as it is: it has parts for almost any word. So does one
        with `sequences`, which reads as the program did that its model is from.

        Args:
            texts: any iterable; it is read once.
            most: new tokens, at most.
            min_count: new tokens that are rarer stay unknown.
        """
        if self.level == "bpe" or self.sequences is not None:
            return self
        _check_options(self.level, LARGEST_VOCABULARY, min_count)
        counts = self._count(_checked(text, number) for number, text in enumerate(texts))
        for token in self._vocabulary:
            counts.pop(token, None)
        most = min(most, LARGEST_VOCABULARY - len(self))
        vocabulary = [*self._vocabulary, *_frequent(counts, min_count)[:most]]
        return Tokenizer(self.level, self.lowercase, vocabulary, [])

    @classmethod
    def from_json(cls, text: str) -> Tokenizer:
        """Read what `to_json` wrote.

        Raises:
            ModelFileError: it is anything else.
        """
        return cls(*saved.from_json(text))

    def to_json(self) -> str:
        """The tokenizer.json, which the Hugging Face library can read too if no `sequences` are."""
        if self.sequences is not None:
            return saved.with_sequences(self._json, self.sequences)
        return self._json

    def __len__(self) -> int:
        return len(self._vocabulary)

    @property
    def vocabulary(self) -> list[str]:
        """All tokens, by id."""
        return list(self._vocabulary)

    def encode(self, texts: Sequence[str]) -> Ragged:
        """Ids of the tokens of every text: values (N,) int32, offsets (B + 1,).

        Never fails on a str; a text without tokens is an empty row. The ids of a text do not
        depend on the other texts.

        Raises:
            DataError: the argument is one str, or one of the texts is not a str.
        """
        return self._encode(texts)[0]

    def encode_open(self, texts: Sequence[str]) -> tuple[Ragged, list[str]]:
        """As `encode`, but every unknown word has an id of its own, from `len(self)` on.

        Levels other than "word" know no words: what they do not know stays `<unk>`.

        Returns:
            The ids, and the different unknown words: the first has the id `len(self)`.
        """
        ids, occurrences = self._encode(texts)
        if not occurrences:
            return ids, []
        numbers = {word: number for number, word in enumerate(dict.fromkeys(occurrences))}
        own = [len(self) + numbers[word] for word in occurrences]
        ids.values[ids.values == self.unknown_id] = own
        return ids, list(numbers)

    def _encode(self, texts: Sequence[str]) -> tuple[Ragged, list[str]]:
        """The ids, and the unknown word behind every `<unk>`, in their order."""
        if isinstance(texts, str):
            raise DataError(
                "encode() takes a list of texts. Got one text: put it in brackets, [text]."
            )
        if self.sequences is not None:
            every = [self.tokens(_checked(text, row)) for row, text in enumerate(texts)]
            return Ragged.from_rows([[token.id for token in tokens] for tokens in every]), []
        rows: list[bytes] = []
        unknown: list[str] = []
        for start in range(0, len(texts), _BLOCK):
            block, words = self._rows(texts[start : start + _BLOCK], start)
            rows += block
            unknown += words
        values = np.frombuffer(bytearray().join(rows), np.int32)
        offsets = list(itertools.accumulate(map(len, rows), initial=0))
        return Ragged(values, np.array(offsets, np.int64) // values.itemsize), unknown

    def tokens(self, text: str) -> list[Token]:
        """The tokens of one text with their places, in order; their ids are those of `encode`."""
        if self.sequences is not None:
            return self._sequence(_checked(text, 0), self.sequences)
        found = []
        for start, piece in placed_pieces(_checked(text, 0), self.level):
            encoding = self._rules.encode(printable(piece), add_special_tokens=False)
            previous = 0
            for number, (first, last) in zip(encoding.ids, encoding.offsets, strict=True):
                begin = first
                # The library places a replacement, "<url>", at the last character of what it
                # replaced: it is widened to all of it, unless a removed tag lies between.
                if previous < first and not self._clean([piece[previous:last]])[0][:1].isspace():
                    begin = previous
                found.append(Token(piece[begin:last], number, start + begin, start + last))
                previous = last
        return found

    def _sequence(self, text: str, sequences: Sequences) -> list[Token]:
        """The tokens of a text that `sequences` are made of, padding among them."""
        tokens = [
            Token(text[start:stop], self._ids.get(word, self.unknown_id), start, stop)
            for word, start, stop in sequences.words(text, self.lowercase)
        ]
        places = sequences.places([token.id for token in tokens])
        if sequences.pad is None:
            return [tokens[place] for place in places]
        at = 0 if sequences.padding == "pre" else len(text)
        padding = Token(self._vocabulary[sequences.pad], sequences.pad, at, at)
        return [padding if place == PADDING else tokens[place] for place in places]

    def decode(self, ids: Iterable[int]) -> str:
        """Readable text: words with spaces between them and punctuation attached.

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        tokens = []
        for number in ids:
            if not 0 <= number < len(self._vocabulary):
                raise ValueError(
                    f"Ids must be from 0 to {len(self._vocabulary) - 1}, the last of the "
                    f"vocabulary. Got {number}."
                )
            tokens.append(self._vocabulary[number])
        if self.level == "word":
            return _ATTACHED.sub(r"\1", " ".join(tokens)).replace("( ", "(")
        if self.level == "whitespace":
            return " ".join(tokens)
        if self.level == "char":
            return "".join(tokens)
        return "".join(tokens).replace(rules.SPACE, " ").removeprefix(" ")

    def _rows(self, texts: Sequence[str], first: int) -> tuple[list[bytes], list[str]]:
        """Ids of every text as bytes of int32, and the unknown words of all texts in order."""
        flatten = itertools.chain.from_iterable
        pieces = [split(_checked(text, first + row), self.level) for row, text in enumerate(texts)]
        memory = self._memory
        fresh = list(set(flatten(pieces)).difference(memory.ids))
        if fresh:
            cleaned = self._clean(fresh)
            distinct = list(dict.fromkeys(cleaned))
            encodings = self._splitter.encode_batch_fast(distinct, add_special_tokens=False)
            ids = dict(zip(distinct, (tuple(one.ids) for one in encodings), strict=True))
            for piece, clean in zip(fresh, cleaned, strict=True):
                # The words come first: whoever finds the ids of a piece finds its words too.
                if self.level == "word" and self.unknown_id in ids[clean]:
                    memory.unknown[piece] = self._unknown(clean, ids[clean])
                memory.ids[piece] = array("i", ids[clean]).tobytes()
            memory.size += 2 * sum(map(len, fresh)) + sum(map(len, ids.values()))
            if memory.size > MOST_REMEMBERED:
                # Replaced, not emptied: another thread may be reading it.
                self._memory = _Memory()
        rows = [b"".join(map(memory.ids.__getitem__, row)) for row in pieces]
        holders = filter(memory.unknown.__contains__, flatten(pieces))
        return rows, [word for piece in holders for word in memory.unknown[piece]]

    def _unknown(self, clean: str, ids: tuple[int, ...]) -> tuple[str, ...]:
        """The words of a clean piece that are not in the vocabulary."""
        words = [word for word, _ in self._rules.pre_tokenizer.pre_tokenize_str(clean)]
        return tuple(w for w, id in zip(words, ids, strict=True) if id == self.unknown_id)

    def _clean(self, pieces: Sequence[str]) -> list[str]:
        """Every piece after the cleaning rules."""
        clean = self._rules.normalizer.normalize_str
        if self.level == "char":
            return [clean(printable(piece)) for piece in pieces]
        # One call for many: a call costs more than the rules do. No rule sees across a line end.
        blocks = (
            pieces[at : at + _CLEANED_AT_ONCE] for at in range(0, len(pieces), _CLEANED_AT_ONCE)
        )
        return [line for block in blocks for line in clean(printable("\n".join(block))).split("\n")]

    def _count(self, texts: Iterable[str]) -> Counter[str]:
        """How often every token that is short enough occurs."""
        pieces: Counter[str] = Counter()
        for text in texts:
            pieces.update(split(text, self.level))
        cleaned: Counter[str] = Counter()
        for clean, count in zip(self._clean(list(pieces)), pieces.values(), strict=True):
            cleaned[clean] += count
        counts: Counter[str] = Counter()
        for clean, count in cleaned.items():
            for token, _ in self._rules.pre_tokenizer.pre_tokenize_str(clean):
                if len(token) <= LONGEST_TOKEN:
                    counts[token] += count
        return counts

    def _learn_parts(
        self, texts: Iterable[str], max_vocabulary: int, min_count: int
    ) -> tuple[list[str], list[list[str]]]:
        """Vocabulary and merges of byte-pair encoding over characters."""
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=max_vocabulary,
            min_frequency=min_count,
            special_tokens=[UNKNOWN],
            limit_alphabet=min(_ALPHABET, max_vocabulary - 1),
            max_token_length=LONGEST_TOKEN,
            show_progress=False,
        )
        learner = tokenizers.Tokenizer.from_str(self._json)
        cut = (" ".join(map(printable, split(text, self.level))) for text in texts)
        learner.train_from_iterator(cut, trainer)
        learned = json.loads(learner.to_str())["model"]
        return sorted(learned["vocab"], key=learned["vocab"].__getitem__), learned["merges"]


def _frequent(counts: Counter[str], min_count: int) -> list[str]:
    """The tokens that occur so often, the most frequent first, equal counts by alphabet."""
    frequent = [token for token, count in counts.items() if count >= min_count]
    return sorted(frequent, key=lambda token: (-counts[token], token))


def _checked(text: str, row: int) -> str:
    if not isinstance(text, str):
        raise DataError(f"Every text must be a str. Text {row} is {text!r}.")
    return text


def _check_options(level: str, max_vocabulary: int, min_count: int) -> None:
    if level not in LEVELS:
        raise OptionError(
            f"The 'level' option of Tokenizer must be one of {', '.join(LEVELS)}. Got {level!r}."
        )
    for name, value, least, most in (
        ("max_vocabulary", max_vocabulary, 2, LARGEST_VOCABULARY),
        ("min_count", min_count, 1, sys.maxsize),
    ):
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not least <= value <= most:
            limit = f" and at most {most}" if most < sys.maxsize else ""
            raise OptionError(
                f"The '{name}' option of Tokenizer must be a whole number of at least "
                f"{least}{limit}. Got {value!r}."
            )
