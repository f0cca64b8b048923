"""What a tagger has learned: everything that answering needs, in one piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain as joined
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatewise import kernels
from gatewise.chains import Chain
from gatewise.encoder import Encoder, Floats
from gatewise.shapes import FilterShape
from gatewise.tasks.tag.character_cnn import CharacterCNN
from gatewise.tasks.tag.lexicon import Lexicon
from gatewise.tasks.tag.shapes import character_shape, sentence_shape
from gatewise.tasks.tag.tags import Tags
from gatewise.tasks.tag.word_cache import WordCache
from gatewise.text.word_shapes import word_shape

if TYPE_CHECKING:
    from gatewise.tasks.tag.report import Report
    from gatewise.tasks.tag.task import SequenceTagger
    from gatewise.text.tokenizer import Tokenizer


@dataclass(frozen=True, eq=False)
class Fitted:
    """A tagger's options with all values, its tags, words and weights."""

    chosen: SequenceTagger
    tags: Tags
    lexicon: Lexicon
    weights: dict[str, Floats]
    report: Report | None

    @property
    def tokenizer(self) -> Tokenizer:
        """What numbers the words."""
        return self.lexicon.tokenizer

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of sentences with its weights laid out for answering."""
        return Encoder(sentence_shape(self.chosen, self.lexicon), self.weights)

    @cached_property
    def speller(self) -> Encoder | CharacterCNN | None:
        """The layer that reads characters, laid out for answering."""
        if not self.chosen.characters:
            return None
        own = {
            name.removeprefix("characters."): weight
            for name, weight in self.weights.items()
            if name.startswith("characters.")
        }
        shape = character_shape(self.chosen, self.lexicon)
        return CharacterCNN(shape, own) if isinstance(shape, FilterShape) else Encoder(shape, own)

    @cached_property
    def head(self) -> kernels.Linear:
        """What scores the tags, laid out for answering."""
        return kernels.Linear(self.weights["head.weight"], self.weights["head.bias"])

    @cached_property
    def chain(self) -> Chain:
        """What paths score beside their tokens: the CRF, and -inf where spans would break."""
        names = ("transitions", "start", "end") if self.chosen.crf else ()
        learned = [self.weights[f"crf.{name}"] for name in names]
        return self.tags.chain(Chain(*learned) if learned else None)

    @cached_property
    def _inputs(self) -> WordCache:
        """What the first layer reads of the words that were met."""
        return WordCache(self.words)

    @cached_property
    def _products(self) -> WordCache:
        """What it makes of them, which is half of its work and the same at every token."""
        return WordCache(self._projected)

    def _projected(self, words: Sequence[str], threads: int | None) -> Floats:
        return self.encoder.layers("fp32")[0].project(self.words(words, threads), threads)

    def read(
        self, tokens: Sequence[str], threads: int | None, precision: str
    ) -> Floats | kernels.Projected:
        """What the first layer takes of tokens."""
        if precision == "fp32":
            return kernels.Projected(*self._products.look_up(tokens, threads))
        numbers, rows = self._inputs.look_up(tokens, threads)
        return numbers.take(rows, axis=0)

    def words(self, tokens: Sequence[str], threads: int | None) -> Floats:
        """What the first layer reads of different tokens, (U, E)."""
        ids = self.lexicon.ids(tokens)
        learned = ids < self.lexicon.learned
        own = self.weights["embedding.weight"].take(np.where(learned, ids, 0), axis=0)
        if self.chosen.subwords:
            strange = np.flatnonzero((ids == 0) | ~learned)
            forms = [self.lexicon.form(tokens[place]) for place in strange.tolist()]
            own[strange] = self.encoder.vectors(forms)
        parts = [own]
        if self.lexicon.vector_size:
            table = self.weights["vectors.weight"]
            if self.chosen.near_vectors:
                ids = self.lexicon.with_near(tokens, ids, table)
            parts.append(table.take(ids, axis=0))
        if self.chosen.shape_size:
            shapes = [word_shape(token) for token in tokens]
            parts.append(self.weights["shapes.weight"].take(shapes, axis=0))
        if self.speller is not None:
            parts.append(self.speller.pool(self.lexicon.spelled(tokens), threads=threads))
        return np.concatenate(parts, axis=1)

    def scores(
        self, sentences: Sequence[Sequence[str]], threads: int | None, precision: str
    ) -> tuple[Floats, NDArray[np.int64]]:
        """Scores of every tag for every token, (N, L), and where sentences start and end, (B + 1,).

        Args:
            sentences: their tokens.
            threads: by default all cores.
            precision: of the recurrent layers' products, see `gatewise.kernels`.
        """
        offsets = np.zeros(len(sentences) + 1, np.int64)
        np.cumsum([len(sentence) for sentence in sentences], out=offsets[1:])
        values = self.read(list(joined.from_iterable(sentences)), threads, precision)
        hidden, _ = self.encoder.walk(values, offsets, None, threads, precision)
        return self.head(hidden, threads), offsets
