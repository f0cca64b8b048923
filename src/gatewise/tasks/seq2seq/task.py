"""Seq2Seq: text to text, such as translations and replies.

Fitting needs PyTorch and happens in `fit.py`; everything here answers without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, overload

from gatewise import options
from gatewise.errors import OptionError
from gatewise.options import AttentionName, CellName, Level, option
from gatewise.shapes import EncoderShape
from gatewise.store import ModelFolder
from gatewise.tasks.card import Description
from gatewise.tasks.folders import model_of, weights_of
from gatewise.tasks.learned import Learner, need_torch
from gatewise.tasks.seq2seq.alignment import Alignment, align
from gatewise.tasks.seq2seq.answering import answered, searched, warn_of_cuts
from gatewise.tasks.seq2seq.conversation import Conversation
from gatewise.tasks.seq2seq.evaluation import TextEvaluation, evaluate, need_figures
from gatewise.tasks.seq2seq.fitted import Fitted
from gatewise.tasks.seq2seq.options import Seq2SeqTraining
from gatewise.tasks.seq2seq.report import Report
from gatewise.tasks.seq2seq.search import Answer, Search
from gatewise.tasks.texts import check_lengths, list_of_texts
from gatewise.text.tokenizer import Tokenizer

DESCRIPTION = Description(
    "Text to text",
    "Answers a text with a text, as it learned from pairs.",
    ('model.predict(["…"])',),
)
"""What the card of a model folder says of it."""


@dataclass(eq=False)
class Seq2Seq(Learner[Fitted, Report]):
    """A recurrent encoder and decoder with attention: text in, text out.

    Example:
        >>> mt = Seq2Seq(attention="dot").fit(sources, targets, epochs=20)
        >>> mt.predict(["Two men are walking."])
        ['Zwei Männer gehen.']

    Raises:
        OptionError: an option is not allowed.
    """

    level: Level = option("bpe", "Unit of text that is one step, in sources and in targets.")
    lowercase: bool = option(False, "Read and write upper-case letters as lower-case ones.")
    max_vocabulary: int = option(
        8000, "Different tokens that are known, of sources and targets together.", minimum=2
    )
    min_count: int = option(
        2, "Times a token (bpe: a pair of parts) must occur to be known.", minimum=1
    )
    cell: CellName = option("lstm", "Recurrent cell.")
    embedding_size: int = option(256, "Numbers that stand for a token.", minimum=1)
    hidden_size: int = option(
        256,
        "Units of every recurrent layer; sources are read by as many in each direction.",
        minimum=1,
    )
    num_layers: int = option(
        1,
        "Recurrent layers on top of each other, for sources and for targets.",
        minimum=1,
        maximum=64,
    )
    attention: AttentionName = option(
        "dot", "How states of the decoder are compared with those of the encoder."
    )
    input_feeding: bool = option(
        False,
        "Let every step of the decoder see what attention told the step before. A training step "
        "takes about twice as long: its tokens can no longer be taken together.",
    )
    embedding_dropout: float = option(
        0.1, "Share of the tokens whose vector a training step leaves out.", minimum=0, below=1
    )
    dropout: float = option(
        0.3,
        "Share of features left out before, between and after the layers, the same at every token "
        "of a text.",
        minimum=0,
        below=1,
    )
    weight_dropout: float = option(
        0.0, "Share of recurrent weights left out in a training step.", minimum=0, below=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.input_feeding and self.weight_dropout:
            raise OptionError(
                "A Seq2Seq with input_feeding must have weight_dropout 0: every step would leave "
                f"out other weights. Got {self.weight_dropout}."
            )

    def fit(
        self,
        sources: Sequence[str],
        targets: Sequence[str],
        *,
        dev: tuple[Sequence[str], Sequence[str]] | None = None,
        **training: Any,
    ) -> Self:
        """Learn from pairs of texts, forgetting all earlier fits.

        Args:
            sources: the texts to answer.
            targets: their answers.
            dev: sources and targets to choose the best epoch on; by default a part of the pairs is
                held out.
            **training: fields of `Seq2SeqTraining`, such as `epochs=5`.

        Raises:
            OptionError: a training option is unknown or not allowed.
            DataError: the pairs cannot be learned from.
            TrainingError: training diverged from its start.
        """
        settings = options.build(Seq2SeqTraining, training)
        need_torch("Training")
        from gatewise.tasks.seq2seq.fit import fit  # noqa: PLC0415 - brings PyTorch

        fit(self, sources, targets, dev, settings)
        return self

    def answer(self, texts: Sequence[str], **search: Any) -> list[list[Answer]]:
        """The answers to every text, best first, with their scores.

        Args:
            texts: B of them.
            **search: fields of `Search`: beam, n_best, length_penalty, max_tokens.

        Raises:
            DataError: it is one text, or one of them is no str.
            OptionError: an option is unknown or not allowed.
        """
        found = options.build(Search, search)
        return answered(self.fitted(), list_of_texts(texts), found, *self.settings())

    @overload
    def predict(self, texts: Sequence[str], *, n_best: None = None, **search: Any) -> list[str]: ...

    @overload
    def predict(
        self, texts: Sequence[str], *, n_best: int, **search: Any
    ) -> list[list[Answer]]: ...

    def predict(
        self, texts: Sequence[str], *, n_best: int | None = None, **search: Any
    ) -> list[str] | list[list[Answer]]:
        """The best answer to every text, or with `n_best` so many of them with their scores.

        An answer that came to `max_tokens` without an end is told of in a warning. Arguments and
        errors are those of `answer`.
        """
        found = self.answer(texts, n_best=n_best, **search)
        warn_of_cuts(found)
        return [each[0].text for each in found] if n_best is None else found

    def align(self, source: str, target: str | None = None) -> Alignment:
        """Which tokens of a source every token of its answer looked at.

        Args:
            source: the text.
            target: its answer; by default the best one that a beam of 5 finds.

        Raises:
            DataError: one of them is no str.
        """
        fitted, settings = self.fitted(), self.settings()
        if target is None:
            ((found,),) = searched(fitted, list_of_texts([source]), Search(), *settings)
            warn_of_cuts([[found]])
            tokens = found.written(fitted.end)
        else:
            tokens = fitted.encode(list_of_texts([target])).values
        return align(fitted, source, tokens, *settings)

    def conversation(self, context: int = 0, **search: Any) -> Conversation:
        """A new conversation, whose replies know what was said before.

        Args:
            context: turns before an utterance that are read with it, as in training; see
                `gatewise.tasks.seq2seq.conversation`.
            **search: fields of `Search`.

        Raises:
            OptionError: context is no whole number of at least 0.
        """
        return Conversation(self, context, **search)

    def evaluate(
        self, sources: Sequence[str], targets: Sequence[str], **search: Any
    ) -> TextEvaluation:
        """BLEU and chrF of the answers to sources, by sacreBLEU.

        Args:
            sources: the texts to answer.
            targets: their true answers.
            **search: fields of `Search`.

        Raises:
            DataError: there are no texts, or not as many of both.
            MissingExtraError: sacreBLEU is not installed.
        """
        need_figures()
        listed, wanted = list_of_texts(sources), list_of_texts(targets)
        check_lengths(listed, wanted, "targets")
        return evaluate(self.predict(listed, **search), wanted)

    def _description(self, fitted: Fitted) -> Description:
        return DESCRIPTION

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> Self:
        """The model of a folder that `store.read_folder` read.

        Raises:
            ModelFileError: options, tokenizer and weights do not belong together.
        """
        model = model_of(cls, folder)
        tokenizer = Tokenizer.from_json(folder.tokenizer)
        weights = weights_of(folder, model.weight_shapes(len(tokenizer)))
        model.take(Fitted(model, tokenizer, weights, Report.from_json(folder.training)))
        return model

    def encoder_shape(self, vocabulary_size: int) -> EncoderShape:
        """What the recurrent layers that read sources are made of."""
        return self._shape(vocabulary_size, self.embedding_size, bidirectional=True)

    def decoder_shape(self, vocabulary_size: int) -> EncoderShape:
        """What the recurrent layers that write targets are made of."""
        fed = self.embedding_size if self.input_feeding else 0
        return self._shape(vocabulary_size, self.embedding_size + fed, bidirectional=False)

    def _shape(
        self, vocabulary_size: int, embedding_size: int, *, bidirectional: bool
    ) -> EncoderShape:
        return EncoderShape(
            cell=self.cell,
            vocabulary_size=vocabulary_size + 1,  # and the end of a text
            embedding_size=embedding_size,
            subwords=0,
            hidden_size=self.hidden_size,
            num_layers=self.num_layers,
            bidirectional=bidirectional,
            pooling="last",
        )

    def weight_shapes(self, vocabulary_size: int) -> dict[str, tuple[int, ...]]:
        """Shape of every weight by its name."""
        encoder, decoder = self.encoder_shape(vocabulary_size), self.decoder_shape(vocabulary_size)
        size, hidden = self.embedding_size, self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {
            "embedding.weight": (encoder.vocabulary_size, size),
            "attention.key.weight": (hidden, encoder.state_size),
            "attention.value.weight": (size, encoder.state_size),
            "projection.weight": (size, hidden),
            "projection.bias": (size,),
            "output.bias": (encoder.vocabulary_size,),
        }
        if self.attention == "additive":
            shapes["attention.query.weight"] = (hidden, hidden)
            shapes["attention.query.bias"] = (hidden,)
            shapes["attention.energy"] = (hidden,)
        for part, shape in (("encoder", encoder), ("decoder", decoder)):
            for name, each in shape.weights().items():
                if name != "embedding.weight":
                    shapes[f"{part}.{name}"] = each
        return shapes
