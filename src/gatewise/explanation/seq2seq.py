"""What a text-to-text model did: what it read, what it wrote, and which words belong together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatewise.explanation.explanation import Explanation, Measure, Passage, Table
from gatewise.explanation.limits import checked
from gatewise.explanation.traces import Reading, Trace, Word, placed_words, traces
from gatewise.ragged import Ragged
from gatewise.tasks.seq2seq.alignment import Rewritten, rewritten
from gatewise.tasks.seq2seq.answering import searched
from gatewise.tasks.seq2seq.reading import Sources
from gatewise.tasks.seq2seq.search import Search
from gatewise.text.rules import END

if TYPE_CHECKING:
    from gatewise.decoding.beam import Hypothesis
    from gatewise.tasks.seq2seq.fitted import Fitted
    from gatewise.tasks.seq2seq.task import Seq2Seq

MOST_TOKENS = 300
"""Of a source: its answer is written once more without each of them."""
LOOKED_AT = 3
"""Source words that are told of a written one, at most."""
LEAST_TOLD = 0.1
"""Share of attention from which on they are."""


def explain_seq2seq(model: Seq2Seq, text: str) -> Explanation:
    """What a text-to-text model did with a text; arguments and errors are those of `explain`.

    The answer is the best that a beam of 5 finds, as `predict` gives it.
    """
    fitted = model.fitted()
    settings = model.settings()
    (reading,), ids = _read(model, [text])
    ((found,),) = searched(fitted, [text], Search(), *settings)
    tokens = found.written(fitted.end)
    sources = Sources.read(fitted, ids, *settings)
    alone = rewritten(fitted, sources, tokens, *settings)
    attention, (log_probability,) = alone.weights[:, 0], alone.log_probabilities
    answer = fitted.tokenizer.decode(found.tokens)
    source, target = reading.words, _written_words(fitted, found)
    arrays = {"attention": attention, "log_probability": log_probability}
    contribution = np.full((len(tokens), len(source)), np.nan)
    if len(source) > 1:
        others = Sources.read(fitted, _without(ids.values), *settings)
        arrays["without"] = rewritten(fitted, others, tokens, *settings).log_probabilities
        contribution[:, :-1] = (log_probability - arrays["without"]).T
    rows, columns = (tuple(word.visible for word in words) for words in (target, source))
    return Explanation(
        "seq2seq",
        text,
        answer,
        source,
        (
            Measure(
                "contribution",
                contribution.sum(axis=0),
                "How much less probable the answer is when the text is read without the word: the "
                "fall of its log-probability, in nats.",
                signed=True,
            ),
            Measure(
                "attention",
                attention.sum(axis=0),
                "How much the answer looked at the word: its shares of attention, summed over all "
                "words that were written.",
            ),
        ),
        reading.layers,
        (
            Table(
                "attention",
                rows,
                columns,
                attention,
                "How much each written word (row) looked at each word of the text (column); every "
                "row sums to 1.",
            ),
            Table(
                "contributions",
                rows,
                columns,
                contribution,
                "How much less probable each written word (row) is when the text is read without a "
                "word (column), in nats.",
                signed=True,
            ),
        ),
        _remarks(source, found),
        arrays,
        written=Passage(
            tuple(
                Word(word.text, word.start, word.stop, True, _looked_at(row, source))
                for word, row in zip(target, attention, strict=True)
            ),
            (
                Measure(
                    "surprise",
                    -log_probability / math.log(2),
                    "How little the word was expected after the text and the words written before "
                    "it: minus the logarithm of its probability, in bits.",
                ),
            ),
            _writing(fitted, sources, tokens, alone, settings),
        ),
    )


def read_seq2seq(model: Seq2Seq, texts: list[str]) -> list[Reading]:
    """What the encoder did with every text; arguments and errors are those of `read`."""
    return _read(model, texts)[0]


def _read(model: Seq2Seq, texts: list[str]) -> tuple[list[Reading], Ragged]:
    """What the encoder did with every text, and the ids of all."""
    fitted = model.fitted()
    words = [
        (*placed_words(fitted.tokenizer, text), Word(END, len(text), len(text))) for text in texts
    ]
    for some in words:
        checked(len(some), MOST_TOKENS)
    ids = fitted.encode(texts)
    vectors = fitted.weights["embedding.weight"].take(ids.values, axis=0)
    settings = model.settings()
    layers = traces(fitted.encoder, vectors, ids.offsets, *settings)
    return [Reading(*found) for found in zip(texts, words, layers, strict=True)], ids


def _writing(
    fitted: Fitted,
    sources: Sources,
    tokens: NDArray[np.int32],
    found: Rewritten,
    settings: tuple[int | None, str],
) -> tuple[Trace, ...]:
    """What the decoder did at every token: what it was when the token was written."""
    before = np.array([fitted.end, *tokens[:-1]], np.int32)
    vectors = fitted.weights["embedding.weight"].take(before, axis=0)
    if fitted.chosen.input_feeding:
        fed = np.zeros_like(vectors)
        fed[1:] = found.outputs[:-1, 0]
        vectors = np.concatenate([vectors, fed], axis=1)
    return traces(fitted.decoder, vectors, np.array([0, len(tokens)]), *settings, sources.start)[0]


def _without(ids: NDArray[np.int32]) -> Ragged:
    """A row for every token but the end: all others."""
    size = len(ids)
    left = np.broadcast_to(ids, (size - 1, size))[~np.eye(size - 1, size, dtype=np.bool_)]
    return Ragged(left, np.arange(size) * (size - 1))


def _written_words(fitted: Fitted, found: Hypothesis) -> tuple[Word, ...]:
    """The tokens of the answer at their places in it, its end behind them unless it was cut."""
    words, start = list[Word](), 0
    for count, _ in enumerate(found.tokens, start=1):
        text = fitted.tokenizer.decode(found.tokens[:count])
        part = text[start:]
        bare = part.lstrip(" ") or part  # a space alone is a word of its own
        words.append(Word(bare, len(text) - len(bare), len(text)))
        start = len(text)
    return (*words, *[Word(END, start, start)] * (not found.cut))


def _looked_at(weights: NDArray[np.floating], source: tuple[Word, ...]) -> str:
    """The source words that a written one looked at most, for people."""
    best = np.argsort(-weights, kind="stable")[:LOOKED_AT].tolist()
    told = (at for rank, at in enumerate(best) if not rank or weights[at] >= LEAST_TOLD)
    return "looked at " + ", ".join(f"{source[at].visible} {weights[at]:.0%}" for at in told)


def _remarks(source: tuple[Word, ...], found: Hypothesis) -> tuple[str, ...]:
    unknown = [word.text for word in source if not word.known]
    remarks = []
    if unknown:
        remarks.append(f"Not in the vocabulary, so read as '<unk>': {', '.join(unknown)}.")
    if found.cut:
        remarks.append("The answer came to its greatest length without an end and was cut.")
    return tuple(remarks)
