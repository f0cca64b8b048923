"""SequenceTagger: one tag per token: parts of speech, named entities, chunks.

Fitting needs PyTorch and happens in `fit.py`; everything here answers without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from gatewise import options
from gatewise.errors import DataError, OptionError
from gatewise.options import CellName, CharacterLayer, option
from gatewise.store import ModelFolder
from gatewise.tasks.card import Description, listed
from gatewise.tasks.folders import model_of, weights_of
from gatewise.tasks.learned import Learner, need_torch
from gatewise.tasks.tag.answer import Answer
from gatewise.tasks.tag.answering import Answering, Tagging
from gatewise.tasks.tag.evaluation import TagEvaluation, evaluate
from gatewise.tasks.tag.fitted import Fitted
from gatewise.tasks.tag.lexicon import Lexicon
from gatewise.tasks.tag.options import TaggerTraining
from gatewise.tasks.tag.report import Report
from gatewise.tasks.tag.rows import (
    list_of_sentences,
    read_sentences,
    refuse_broken,
    refuse_other_tags,
)
from gatewise.tasks.tag.shapes import weight_shapes
from gatewise.tasks.tag.tags import Tags
from gatewise.text.spans import Span, scheme_of, spans_of
from gatewise.text.tokenizer import Tokenizer
from gatewise.text.words import WordSplitter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gatewise.encoder import Floats

_SPLITTER = WordSplitter()
"""It remembers what it has split; all taggers split alike."""


@dataclass(eq=False)
class SequenceTagger(Learner[Fitted, Report]):
    """A recurrent tagger of tokens, with characters, pretrained vectors and a CRF.

    Example:
        >>> tagger = SequenceTagger().fit(tokens, tags, epochs=5)
        >>> tagger.predict([["Anna", "lives", "in", "Oslo"]])
        [['B-PER', 'O', 'O', 'B-LOC']]

    Raises:
        OptionError: an option is not allowed.
    """

    scheme: Literal["bio", "bioes", "none"] | None = option(
        None,
        "How spans are learned and answered: bio, bioes, or none where tags are not of spans. By "
        "default as the tags are, iob1 as bio.",
    )
    crf: bool | None = option(
        None,
        "Score tags side by side as well (CRF). By default where tags are of spans.",
    )
    lowercase: bool = option(
        True, "Read upper-case letters of words as lower-case ones; characters keep theirs."
    )
    max_vocabulary: int = option(30_000, "Different words that are learned, at most.", minimum=2)
    min_count: int | None = option(
        None,
        "Times a word must occur to be learned. By default 1; from 1,000 to 100,000 training "
        "tokens 2.",
        minimum=1,
    )
    cell: CellName = option("lstm", "Recurrent cell.")
    embedding_size: int = option(64, "Numbers that are learned of a word.", minimum=1)
    subwords: int | None = option(
        None,
        "Vectors for pieces of words beside them; 0 for none. By default 0, from 100,000 training "
        "tokens on 32,768; none where training starts from a language model.",
        minimum=0,
        maximum=1_000_000,
    )
    characters: bool = option(True, "Read the characters of every word with a layer of its own.")
    character_layer: CharacterLayer = option(
        "recurrent",
        "What reads characters: recurrent, a layer of 'cell' in both directions, or cnn, filters "
        "over 'character_width' of them at a time, of which the greatest answers count.",
    )
    character_size: int = option(32, "Numbers that stand for a character.", minimum=1)
    character_units: int = option(
        64, "Units of the characters' layer, in each direction; filters of a cnn.", minimum=1
    )
    character_width: int = option(
        3, "Characters that a filter of a cnn reads at a time.", minimum=2, maximum=100
    )
    shape_size: int | None = option(
        None,
        "Numbers that are learned of how a word is written: its case, digits and signs; 0 for "
        "none. By default 16, from 100,000 training tokens on 0.",
        minimum=0,
    )
    hidden_size: int | None = option(
        None,
        "Units of every recurrent layer and direction. By default 100, from 100,000 training "
        "tokens on 200.",
        minimum=1,
    )
    num_layers: int = option(1, "Recurrent layers on top of each other.", minimum=1, maximum=64)
    bidirectional: bool = option(True, "Read every sentence backwards as well.")
    embedding_dropout: float | None = option(
        None,
        "Share of the words that a training step knows only by characters, pieces and pretrained "
        "vectors. By default 0.6, from 100,000 training tokens on 0.3.",
        minimum=0,
        below=1,
    )
    dropout: float | None = option(
        None,
        "Share of features left out, the same at every token of a sentence. By default 0.5, from "
        "100,000 training tokens on 0.4.",
        minimum=0,
        below=1,
    )
    weight_dropout: float = option(
        0.0, "Share of recurrent weights left out in a training step.", minimum=0, below=1
    )
    max_vectors: int | None = option(
        None,
        "First words of the file whose vectors the model keeps, beside those of the training "
        "sentences: they are known when they are first met in answers. By default as many as have "
        "20 million numbers, 400,000 of 50 each.",
        minimum=0,
        maximum=900_000,
    )
    near_vectors: bool | None = option(
        None,
        "Give a word without a pretrained vector that of a near spelling: without signs around it "
        "or 's, with 0 for digits, with fewer repeated letters. By default below 100,000 training "
        "tokens.",
    )
    vectors: str | None = option(
        None,
        "File of pretrained word vectors (GloVe, word2vec or fastText text); they stay as they "
        "are, beside those that are learned.",
        saved=False,
    )
    encoder: Any = option(
        None,
        "Language model to start from: a LanguageModel, or its folder. The words and the recurrent "
        "layers are then those of the language model.",
        saved=False,
    )

    @property
    def labels_(self) -> tuple[str, ...]:
        """The tags in the order of the scores."""
        return self.fitted().tags.names

    def fit(
        self,
        tokens: Sequence[Sequence[str]],
        tags: Sequence[Sequence[str]],
        *,
        dev: tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]] | None = None,
        **training: Any,
    ) -> Self:
        """Learn from sentences and the tags of their tokens, forgetting all earlier fits.

        Args:
            tokens: the tokens of every sentence.
            tags: a tag for each of them. Tags like B-location and I-location are read as spans;
                see the option `scheme`.
            dev: tokens and tags to choose the best epoch on; by default a tenth of the sentences
                is held out.
            **training: fields of `gatewise.tasks.tag.options.TaggerTraining`, such as `epochs=5`.

        Raises:
            OptionError: a training option is unknown or not allowed.
            DataError: tokens and tags cannot be learned from.
            TrainingError: training diverged from its start.
        """
        settings = options.build(TaggerTraining, training)
        need_torch("Training")
        from gatewise.tasks.tag.fit import fit  # noqa: PLC0415 - brings PyTorch

        fit(self, tokens, tags, dev, settings)
        return self

    def predict(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """A tag for every token of every sentence; spans are always whole.

        Raises:
            NotFittedError: nothing was learned yet.
            DataError: `sentences` is not a list of lists of tokens.
        """
        return self._answering().tags(list_of_sentences(sentences))

    def spans(self, sentences: Sequence[Sequence[str]]) -> list[list[Span]]:
        """The spans of every sentence: start, stop (exclusive) and type.

        Raises:
            NotFittedError, DataError: as `predict`; or the tags are not of spans.
        """
        self.fitted().tags.refuse_without_spans()
        return [spans_of(tags) for tags in self.predict(sentences)]

    def marginals(self, sentences: Sequence[Sequence[str]]) -> list[NDArray[np.float64]]:
        """Probability of every tag at every token, (tokens, tags), in the order of `labels_`.

        They are summed over all taggings of the sentence, each counted by its probability.
        """
        return self._answering().marginals(list_of_sentences(sentences))

    def n_best(self, sentences: Sequence[Sequence[str]], count: int = 5) -> list[list[Tagging]]:
        """The likeliest taggings of every sentence, the best first, with their log-probabilities.

        Args:
            sentences: their tokens.
            count: taggings of each, at most; a short sentence may not have so many.

        Raises:
            NotFittedError, DataError: as `predict`.
            OptionError: count is no whole number of at least 1.
        """
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise OptionError(f"count must be a whole number of at least 1. Got {count!r}.")
        return self._answering().n_best(list_of_sentences(sentences), count)

    def answer(self, sentences: Sequence[Sequence[str]]) -> list[Answer]:
        """Every sentence with its tags, the probability of each, and its spans."""
        known = self.fitted().tags
        given = list_of_sentences(sentences)
        tags, marginals = self._answering().tags_and_marginals(given)
        return [
            Answer(
                tokens,
                named,
                [float(row[known.number[tag]]) for tag, row in zip(named, found, strict=True)],
                spans_of(named) if known.scheme else None,
            )
            for tokens, named, found in zip(given, tags, marginals, strict=True)
        ]

    def scores(self, sentences: Sequence[Sequence[str]]) -> list[Floats]:
        """Raw scores of every tag for every token, (tokens, tags), without those of the CRF."""
        return self._answering().scores(list_of_sentences(sentences))

    def evaluate(
        self, tokens: Sequence[Sequence[str]], tags: Sequence[Sequence[str]]
    ) -> TagEvaluation:
        """Compare the answers with the true tags, which may be in any scheme of spans.

        Raises:
            DataError: there are no tokens, or not as many tags; or the model's tags are of spans
                and these are not, or are broken.
        """
        known, rows = self.fitted().tags, read_sentences(tokens, tags)
        if known.scheme is not None:
            refuse_other_tags(rows.tags, "check that it is the column of the tags")
            refuse_broken(rows.tags, scheme_of(rows.tags))
        elif not any(tag in known.number for named in rows.tags for tag in named) and rows.words:
            raise DataError(
                "No true tag is one that the model knows, such as "
                f"{', '.join(known.names[:10])}. Check that it is the column of the tags."
            )
        truth = [known.rewritten(named) for named in rows.tags]
        answers = self.predict(rows.tokens)
        return evaluate(truth, answers, known.names, spans=known.scheme is not None)

    @staticmethod
    def tokenize(texts: Sequence[str]) -> list[list[str]]:
        """The tokens of plain sentences, as they stand there."""
        return [_SPLITTER.split(text) for text in texts]

    def _labels(self, fitted: Fitted) -> Any:
        return {"tags": fitted.tags.as_json(), "words": fitted.lexicon.as_json()}

    def _description(self, fitted: Fitted) -> Description:
        tags = fitted.tags.names
        does = f"Gives every token of a sentence one of {len(tags)} tags: {listed(tags)}."
        return Description("Tagger", does, ('model.predict([["…", "…"]])',))

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> Self:
        """The tagger of a folder that `store.read_folder` read.

        Raises:
            ModelFileError: options, tags, words and weights do not belong together.
        """
        tagger = model_of(cls, folder)
        labels = folder.labels if isinstance(folder.labels, dict) else {}
        tags = Tags.from_json(labels.get("tags"))
        lexicon = Lexicon.from_json(labels.get("words"), Tokenizer.from_json(folder.tokenizer))
        weights = weights_of(folder, weight_shapes(tagger, lexicon, len(tags.names)))
        report = Report.from_json(folder.training)
        tagger.take(Fitted(tagger, tags, lexicon, weights, report))
        return tagger

    def _answering(self) -> Answering:
        return Answering(self.fitted(), self.threads, self.precision)
