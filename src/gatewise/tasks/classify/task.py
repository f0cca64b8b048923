"""TextClassifier: one label per text, or many labels at once.

Fitting needs PyTorch and happens in `fit.py`; everything here answers without it.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from gatewise import options
from gatewise.evaluation import Evaluation, evaluate
from gatewise.options import CellName, Level, PoolingName, option
from gatewise.shapes import EncoderShape
from gatewise.store import ModelFolder
from gatewise.tasks.card import Description, listed
from gatewise.tasks.classify.answer import Answer
from gatewise.tasks.classify.fitted import Fitted
from gatewise.tasks.classify.labels import Labels
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.tasks.classify.report import Report
from gatewise.tasks.classify.rows import ClassWeight, Given, hard_targets, read_rows
from gatewise.tasks.folders import model_of, weights_of
from gatewise.tasks.learned import Learner, need_torch
from gatewise.tasks.texts import list_of_texts
from gatewise.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from gatewise.encoder import Floats


@dataclass(eq=False)
class TextClassifier(Learner[Fitted, Report]):
    """A recurrent text classifier.

    Example:
        >>> clf = TextClassifier(hidden_size=128).fit(texts, labels, epochs=5)
        >>> clf.predict(["A film to forget."])
        ['negative']

    Raises:
        OptionError: an option is not allowed.
    """

    level: Level = option("word", "Unit of text that is one step.")
    lowercase: bool = option(True, "Read upper-case letters as lower-case ones.")
    max_vocabulary: int = option(30_000, "Different tokens that are known, at most.", minimum=2)
    min_count: int = option(2, "Times a token must occur to be known.", minimum=1)
    max_length: int = option(
        800, "Tokens read of a text; of a longer one the first and last half of them.", minimum=2
    )
    cell: CellName = option("lstm", "Recurrent cell.")
    embedding_size: int | None = option(
        None,
        "Numbers that stand for a token. By default 64, from 250,000 training tokens on 128, or "
        "as many as the vectors have.",
        minimum=1,
    )
    subwords: int | None = option(
        None,
        "Vectors for pieces of words, which tell something of words never seen; 0 for none. By "
        "default 16,384, from 250,000 training tokens on 32,768.",
        minimum=0,
        maximum=1_000_000,
    )
    token_pairs: int | None = option(
        None,
        "Buckets for tokens and token pairs, which answer beside the recurrent layers as a linear "
        "model would; 0 for none. By default 65,536, from 250,000 training tokens on up to "
        "524,288, fewer for many labels.",
        minimum=0,
        maximum=2**24,
    )
    hidden_size: int | None = option(
        None,
        "Units of every recurrent layer and direction. By default 64, from 250,000 training tokens "
        "on 128.",
        minimum=1,
    )
    num_layers: int = option(1, "Recurrent layers on top of each other.", minimum=1, maximum=64)
    bidirectional: bool = option(True, "Read every text backwards as well.")
    pooling: PoolingName = option("concat", "How the states of all tokens become one vector.")
    embedding_dropout: float | None = option(
        None,
        "Share of the words that a training step knows only by their pieces. By default 0.3, from "
        "250,000 training tokens on 0.5; without pieces 0.1.",
        minimum=0,
        below=1,
    )
    dropout: float = option(
        0.2, "Share of features left out, the same at every token of a text.", minimum=0, below=1
    )
    weight_dropout: float = option(
        0.0, "Share of recurrent weights left out in a training step.", minimum=0, below=1
    )
    head_dropout: float = option(
        0.5, "Share of the pooled features left out in a training step.", minimum=0, below=1
    )
    vectors: str | None = option(
        None, "File of pretrained word vectors (GloVe, word2vec or fastText text).", saved=False
    )

    encoder: Any = option(
        None,
        "Language model to start from: a LanguageModel, or its folder. What the classifier reads "
        "and its recurrent layers are then those of the language model.",
        saved=False,
    )

    @property
    def labels_(self) -> tuple[Any, ...]:
        """The labels in the order of the scores."""
        return self.fitted().labels.names

    def fit(
        self,
        texts: Sequence[str],
        labels: Any,
        *,
        dev: tuple[Sequence[str], Any] | None = None,
        label_names: Sequence[Any] | None = None,
        sample_weight: Sequence[float] | None = None,
        class_weight: ClassWeight = None,
        **training: Any,
    ) -> Self:
        """Learn from texts and their labels, forgetting all earlier fits.

        Args:
            texts: the training texts.
            labels: a label per text (texts or whole numbers), or a list of labels per text, or an
                array of probabilities (texts, labels), as a larger model may teach them.
            dev: texts and labels to choose the best epoch on; by default a tenth of the rows is
                held out.
            label_names: the labels in their order; needed with probabilities only.
            sample_weight: how much every row counts.
            class_weight: how much every label counts: by name, or "balanced" for all labels to
                count the same however rare they are.
            **training: fields of `gatewise.options.Training`, such as `epochs=5`.

        Raises:
            OptionError: a training option is unknown or not allowed.
            DataError: the texts and labels cannot be learned from.
            TrainingError: training diverged from its start.
        """
        given = Given(texts, labels, dev, label_names, sample_weight, class_weight)
        _fit(self, given, training, None)
        return self

    def fine_tune(
        self,
        texts: Sequence[str],
        labels: Any,
        *,
        dev: tuple[Sequence[str], Any] | None = None,
        sample_weight: Sequence[float] | None = None,
        class_weight: ClassWeight = None,
        **training: Any,
    ) -> Self:
        """Go on learning from new rows, which may bring new labels; nothing starts over.

        The vocabulary, the options and what the layers know stay; lower layers learn slower
        (`layer_decay`). Arguments and errors are those of `fit`. Give rows of the old labels too:
        what no row shows is forgotten with time.

        Raises:
            NotFittedError: nothing was learned yet.
        """
        given = Given(texts, labels, dev, None, sample_weight, class_weight)
        _fit(self, given, training, self.fitted())
        return self

    def predict(self, texts: Sequence[str]) -> list[Any]:
        """The label of every text; with many labels at once, the list of labels of every text.

        Raises:
            NotFittedError: nothing was learned yet.
            DataError: `texts` is not a list of texts.
        """
        labels = self.fitted().labels
        return labels.named(labels.decide(self.predict_proba(texts)))

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Probability of every label for every text, (texts, labels), in the order of `labels_`.

        They sum to 1 in a row, except with many labels at once, where each stands for itself.
        """
        return self.fitted().labels.probabilities(self.scores(texts))

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """The labels of every text with the probabilities they were chosen by."""
        labels = self.fitted().labels
        probabilities = self.predict_proba(texts)
        return [
            Answer(
                tuple(named) if labels.multiple else (named,),
                dict(zip(labels.names, row, strict=True)),
                labels.multiple,
            )
            for named, row in zip(
                labels.named(labels.decide(probabilities)), probabilities.tolist(), strict=True
            )
        ]

    def scores(self, texts: Sequence[str]) -> Floats:
        """Raw scores of every label for every text, (texts, labels): before softmax or sigmoid.

        Raises:
            OptionError: `precision` is none, or one that the processor does not have.
            ValueError: `threads` is no whole number of at least 1.

        Warns:
            UserWarning: texts are longer than `max_length`; how many.
        """
        fitted = self.fitted()
        settings = self.settings()
        ids, words = fitted.encode(list_of_texts(texts))
        short, cut = ids.shortened(self.max_length)
        if cut:
            warnings.warn(
                f"{cut} of {len(ids)} texts are longer than {self.max_length} tokens: only the "
                "first and last of them are read.",
                stacklevel=2,
            )
        unknown = fitted.encoder.vectors(words)
        return fitted.batched_scores(short, unknown, *settings)

    def evaluate(self, texts: Sequence[str], labels: Any) -> Evaluation:
        """Compare the answers with the true labels.

        Raises:
            DataError: there are no rows, or a label is not one the model knows.
        """
        known = self.fitted().labels
        rows = read_rows(texts, labels, known)
        answers = known.decide(self.predict_proba(rows.texts))
        truth = hard_targets(rows.targets, known)
        return evaluate(truth, answers, known.names, multiple=known.multiple)

    def _labels(self, fitted: Fitted) -> Any:
        return fitted.labels.as_json()

    def _description(self, fitted: Fitted) -> Description:
        labels = fitted.labels.names
        does = f"Answers with one of {len(labels)} labels: {listed(labels)}."
        return Description("Text classifier", does, ('model.predict(["…"])',))

    def _pictures(self, fitted: Fitted) -> dict[str, bytes]:
        return fitted.drawn()

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> Self:
        """The classifier of a folder that `store.read_folder` read.

        Raises:
            ModelFileError: options, labels, tokenizer and weights do not belong together.
        """
        classifier = model_of(cls, folder)
        labels = Labels.from_json(folder.labels)
        tokenizer = Tokenizer.from_json(folder.tokenizer)
        shapes = classifier.weight_shapes(len(tokenizer), len(labels.names))
        weights = weights_of(folder, shapes)
        report = Report.from_json(folder.training)
        classifier.take(Fitted(classifier, labels, tokenizer, weights, report, folder.pictures))
        return classifier

    def shape(self, vocabulary_size: int) -> EncoderShape:
        """What the encoder is made of; all options must have a value."""
        assert self.embedding_size is not None
        assert self.hidden_size is not None
        assert self.subwords is not None
        return EncoderShape(
            cell=self.cell,
            vocabulary_size=vocabulary_size,
            embedding_size=self.embedding_size,
            subwords=self.subwords,
            hidden_size=self.hidden_size,
            num_layers=self.num_layers,
            bidirectional=self.bidirectional,
            pooling=self.pooling,
        )

    def weight_shapes(self, vocabulary_size: int, labels: int) -> dict[str, tuple[int, ...]]:
        """Shape of every weight by its name."""
        shape = self.shape(vocabulary_size)
        shapes = shape.weights()
        shapes |= {"head.weight": (labels, shape.pooled_size), "head.bias": (labels,)}
        if self.token_pairs:
            shapes["pairs.weight"] = (self.token_pairs, labels)
            shapes["pairs.bias"] = (labels,)
            shapes["pairs.rarity"] = (self.token_pairs,)
        return shapes


def _fit(
    classifier: TextClassifier, given: Given, training: dict[str, Any], earlier: Fitted | None
) -> None:
    settings = options.build(ClassifierTraining, training)
    need_torch("Training")
    from gatewise.tasks.classify.fit import fit  # noqa: PLC0415 - brings PyTorch

    fit(classifier, given, settings, earlier)
