"""What a language model did with a text: how it surprised the model, and what it expected."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatewise.encoder import Floats
from gatewise.explanation.explanation import Explanation, Measure
from gatewise.explanation.limits import checked
from gatewise.explanation.traces import Reading, Word, moved, placed_words, traces
from gatewise.ragged import Ragged
from gatewise.tasks.report import perplexity_of
from gatewise.text.rules import END

if TYPE_CHECKING:
    from gatewise.tasks.language.fitted import Fitted
    from gatewise.tasks.language.task import LanguageModel

EXPECTED = 3
"""Likeliest tokens that are told of every place."""


def explain_language(model: LanguageModel, text: str) -> Explanation:
    """What a language model did with a text; arguments and errors are those of `explain`.

    The words are the end of another text, which a model has seen before every text, the tokens of
    this one and its end.
    """
    fitted = model.fitted()
    (ids,), (reading,) = _read(model, [text])
    words, layers = reading.words, reading.layers
    outputs = fitted.projected(layers[-1].hidden[:-1])
    told = fitted.output_layer.log_probabilities(outputs, ids[1:], model.threads)
    log_probability = np.append(np.nan, told)
    nats = -float(np.nansum(log_probability))
    return Explanation(
        "language",
        text,
        f"perplexity {perplexity_of(nats / (len(ids) - 1)):.2f} per token",
        tuple(
            replace(word, note=note)
            for word, note in zip(words, ["", *_expected(fitted, outputs)], strict=True)
        ),
        (
            Measure(
                "surprise",
                -log_probability / math.log(2),
                "How little the word was expected after those before it: minus the logarithm of "
                "its probability, in bits.",
            ),
        ),
        layers,
        remarks=_unknown_told(words),
        arrays={"log_probability": log_probability},
    )


def read_language(model: LanguageModel, texts: list[str]) -> list[Reading]:
    """What the layers did with every text; arguments and errors are those of `read`."""
    return _read(model, texts)[1]


def _read(model: LanguageModel, texts: list[str]) -> tuple[list[NDArray[np.int32]], list[Reading]]:
    """The ids of what is read of every text, and what the layers did with it."""
    fitted = model.fitted()
    joined = fitted.chosen.documents == "joined"
    # A last line break is left out as when a text is scored.
    lines = [text.removesuffix("\n").split("\n") if joined else [text] for text in texts]
    words = [_words(fitted, parts) for parts in lines]
    for some in words:
        checked(len(some))
    encoded = fitted.encode(["\n".join(parts) for parts in lines])
    rows = Ragged.from_rows([np.insert(row, 0, np.int32(fitted.end)) for row in encoded])
    vectors = fitted.weights["embedding.weight"].take(rows.values, axis=0)
    settings = model.settings()
    layers = traces(fitted.encoder, vectors, rows.offsets, *settings)
    return list(rows), [Reading(*found) for found in zip(texts, words, layers, strict=True)]


def _words(fitted: Fitted, lines: list[str]) -> tuple[Word, ...]:
    """The end before the text, its words, and an end behind every line."""
    words, place = [Word(END, 0, 0)], 0
    for part in lines:
        words += moved(placed_words(fitted.tokenizer, part), place)
        place += len(part)
        words.append(Word(END, place, place))
        place += 1  # the line break
    return tuple(words)


def _expected(fitted: Fitted, outputs: Floats) -> Iterator[str]:
    """What was likeliest at every place, for people."""
    layer = fitted.output_layer
    found = layer.likeliest(outputs, min(EXPECTED, len(layer.weight)))
    chances = np.exp(found.scores - found.log_totals[:, None])
    for ids, shares in zip(found.ids.tolist(), chances.tolist(), strict=True):
        told = (
            f"'{fitted.classes[id]}' {share:.0%}" for id, share in zip(ids, shares, strict=True)
        )
        yield f"expected: {', '.join(told)}"


def _unknown_told(words: tuple[Word, ...]) -> tuple[str, ...]:
    unknown = [word.text for word in words if not word.known]
    if not unknown:
        return ()
    return (
        f"Not in the vocabulary, so read and foretold as '<unk>': {', '.join(unknown)}. Their "
        "surprise is that of any unknown word.",
    )
