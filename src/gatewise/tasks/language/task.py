"""LanguageModel: the next word, generated text, and how likely a text is.

Fitting needs PyTorch and happens in `fit.py`; everything here answers without it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import msgspec

from gatewise import options
from gatewise.errors import ModelFileError, OptionError
from gatewise.options import CellName, Level, option
from gatewise.shapes import EncoderShape
from gatewise.store import ModelFolder
from gatewise.tasks.card import Description
from gatewise.tasks.folders import model_of, weights_of
from gatewise.tasks.language.fitted import Cache, Fitted
from gatewise.tasks.language.generation import Generation, generated
from gatewise.tasks.language.options import LanguageTraining
from gatewise.tasks.language.report import Report
from gatewise.tasks.language.scoring import LanguageEvaluation, TextScore, evaluate, score
from gatewise.tasks.language.stream import Stream
from gatewise.tasks.learned import Learner, need_torch
from gatewise.text.tokenizer import Tokenizer

Documents = Literal["joined", "apart"]


DESCRIPTION = Description(
    "Language model",
    "Says which token comes next, writes text, and says how likely a text is.",
    (
        'model.next("…")',
        'model.generate("…")',
    ),
)
"""What the card of a model folder says of it."""


@dataclass(eq=False)
class LanguageModel(Learner[Fitted, Report]):
    """A recurrent language model.

    Example:
        >>> lm = LanguageModel(level="word", hidden_size=400).fit(texts, epochs=10)
        >>> lm.next("the cat sat on", k=2)
        [('the', 0.41), ('a', 0.17)]

    Raises:
        OptionError: an option is not allowed.
    """

    level: Level = option("word", "Unit of text that is one step.")
    lowercase: bool = option(False, "Read upper-case letters as lower-case ones.")
    max_vocabulary: int = option(50_000, "Different tokens that are known, at most.", minimum=2)
    min_count: int = option(2, "Times a token must occur to be known.", minimum=1)
    documents: Documents | None = option(
        None,
        "Whether a text goes on where the one before it ended, as the lines of a book do (joined), "
        "or texts stand apart, as reviews do. By default the lines of a text file are joined, and "
        "all other texts are apart.",
    )
    bidirectional: bool = option(
        False,
        "Also learn to foretell the token before, reading backwards, for classifiers that start "
        "from this model. Takes one layer.",
    )
    cell: CellName = option("lstm", "Recurrent cell.")
    embedding_size: int | None = option(
        None, "Numbers that stand for a token. By default as hidden_size, at most 400.", minimum=1
    )
    hidden_size: int | None = option(
        None,
        "Units of every recurrent layer. By default 256, from a million training tokens on 512.",
        minimum=1,
    )
    num_layers: int = option(1, "Recurrent layers on top of each other.", minimum=1, maximum=64)
    tied: bool = option(True, "Score tokens by the same vectors that read them.")
    embedding_dropout: float = option(
        0.1, "Share of the tokens whose vector a training step leaves out.", minimum=0, below=1
    )
    dropout: float | None = option(
        None,
        "Share of features left out before, between and after the layers, the same at every token "
        "of a window. By default 0.2, below a million training tokens 0.4.",
        minimum=0,
        below=1,
    )
    weight_dropout: float = option(
        0.0, "Share of recurrent weights left out in a training step.", minimum=0, below=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bidirectional and self.num_layers > 1:
            raise OptionError(
                "A bidirectional LanguageModel must have num_layers 1: upper layers would see the "
                f"token that they are to foretell. Got {self.num_layers}."
            )

    def fit(
        self, texts: Iterable[str], *, dev: Iterable[str] | None = None, **training: Any
    ) -> Self:
        """Learn from texts, forgetting all earlier fits.

        Args:
            texts: the training texts. They are read several times and need not fit into memory:
                give a list, or an object whose iterator reads them anew, such as
                `gatewise.data.lines.Lines`.
            dev: texts to choose the best epoch on; by default the last part of the texts.
            **training: fields of `LanguageTraining`, such as `epochs=5`.

        Raises:
            OptionError: a training option is unknown or not allowed.
            DataError: the texts cannot be learned from.
            TrainingError: training diverged from its start.
        """
        _fit(self, texts, dev, training, None)
        return self

    def fine_tune(
        self, texts: Iterable[str], *, dev: Iterable[str] | None = None, **training: Any
    ) -> Self:
        """Go on learning, from other texts: the second step of ULMFiT (Howard & Ruder 2018).

        Tokens that are new in these texts are added to the vocabulary, at most `max_vocabulary`,
        from the mean of the known ones; a vocabulary of level "bpe" stays as it is. Arguments and
        errors are those of `fit`.

        Raises:
            NotFittedError: nothing was learned yet.
        """
        _fit(self, texts, dev, training, self.fitted())
        return self

    def stream(self) -> Stream:
        """A text that is read and written word by word, its state carried along."""
        return Stream(self.fitted(), *self.settings())

    def next(self, text: str, k: int = 5) -> list[tuple[str, float]]:
        """The k likeliest tokens after a text, with their probabilities, likeliest first."""
        stream = self.stream()
        stream.feed(text)
        return stream.next(k)

    def generate(self, prompt: str = "", **choices: Any) -> str:
        """Continue a text.

        Args:
            prompt: what the text starts with; empty for a text from its start.
            **choices: fields of `gatewise.tasks.language.generation.Generation`: max_tokens,
                temperature, top_k, top_p, repetition, stop, seed.

        Returns:
            The prompt and what was written behind it.
        """
        return generated(self.stream(), prompt, options.build(Generation, choices))

    def score(self, texts: Sequence[str]) -> list[TextScore]:
        """How likely every text is, its end included, each by itself: whole and token by token."""
        return score(self.fitted(), texts, *self.settings())

    def evaluate(
        self, texts: Iterable[str], *, cache: int = 0, documents: Documents | None = None
    ) -> LanguageEvaluation:
        """How well the model foretells texts.

        Args:
            texts: in their order.
            cache: tokens that the continuous cache remembers; 0 for no cache.
            documents: "joined" carries the state from text to text, "apart" does not; by default
                as in training.

        Raises:
            OptionError: an argument is not allowed.
            DataError: there are no texts, or one is no str.
        """
        if documents not in (None, "joined", "apart"):
            raise OptionError(f"documents must be joined, apart or None. Got {documents!r}.")
        fitted = self.fitted()
        threads, precision = self.settings()
        return evaluate(
            fitted,
            texts,
            cache=cache,
            joined=(documents or fitted.chosen.documents) == "joined",
            threads=threads,
            precision=precision,
        )

    def perplexity(self, texts: Iterable[str], *, cache: int = 0) -> float:
        """`evaluate(texts, cache=cache).perplexity`: per token, ends of texts counted."""
        return self.evaluate(texts, cache=cache).perplexity

    def _labels(self, fitted: Fitted) -> Any:
        return {"cache": list(fitted.cache)}

    def _description(self, fitted: Fitted) -> Description:
        return DESCRIPTION

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> Self:
        """The language model of a folder that `store.read_folder` read.

        Raises:
            ModelFileError: options, tokenizer and weights do not belong together.
        """
        model = model_of(cls, folder)
        tokenizer = Tokenizer.from_json(folder.tokenizer)
        weights = weights_of(folder, model.weight_shapes(len(tokenizer)))
        try:
            cache = Cache(*msgspec.convert(folder.labels, dict[str, tuple[float, float]])["cache"])
            if not (0 < cache.flatness < math.inf and 0 <= cache.share <= 1):
                raise ValueError(cache)
        except (ValueError, KeyError):
            raise ModelFileError(
                f"{folder.path}/labels.json does not hold the cache of a language model."
            ) from None
        report = Report.from_json(folder.training)
        model.take(Fitted(model, tokenizer, weights, cache, report))
        return model

    def shape(self, vocabulary_size: int) -> EncoderShape:
        """What the recurrent layers are made of; all options must have a value."""
        assert self.embedding_size is not None
        assert self.hidden_size is not None
        return EncoderShape(
            cell=self.cell,
            vocabulary_size=vocabulary_size + 1,  # and the end of a text
            embedding_size=self.embedding_size,
            subwords=0,
            hidden_size=self.hidden_size,
            num_layers=self.num_layers,
            bidirectional=self.bidirectional,
            pooling="last",
        )

    def weight_shapes(self, vocabulary_size: int) -> dict[str, tuple[int, ...]]:
        """Shape of every weight by its name."""
        shape = self.shape(vocabulary_size)
        shapes = shape.weights()
        if shape.hidden_size != shape.embedding_size:
            shapes["projection.weight"] = (shape.embedding_size, shape.hidden_size)
            shapes["projection.bias"] = (shape.embedding_size,)
        if not self.tied:
            shapes["output.weight"] = shapes["embedding.weight"]
        shapes["output.bias"] = (shape.vocabulary_size,)
        return shapes


def _fit(
    model: LanguageModel,
    texts: Iterable[str],
    dev: Iterable[str] | None,
    training: dict[str, Any],
    start: Fitted | None,
) -> None:
    settings = options.build(LanguageTraining, training)
    need_torch("Training")
    from gatewise.tasks.language.fit import fit  # noqa: PLC0415 - brings PyTorch

    fit(model, texts, dev, settings, start)
