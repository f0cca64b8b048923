"""What a classifier did with a text: which words its answer hangs on, and which part said it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gatewise.encoder import Floats
from gatewise.explanation.explanation import Explanation
from gatewise.explanation.limits import checked
from gatewise.explanation.margins import Numbers, Side, measures, parts_told, strongest_pairs
from gatewise.explanation.pooling import greatest, placed_head
from gatewise.explanation.traces import Reading, Word, placed_words, traces
from gatewise.ragged import Ragged
from gatewise.tasks.classify.fitted import together
from gatewise.text.pairs import placed_scores

if TYPE_CHECKING:
    from gatewise.tasks.classify.fitted import Fitted
    from gatewise.tasks.classify.task import TextClassifier


def explain_classifier(classifier: TextClassifier, text: str, label: object = None) -> Explanation:
    """What a classifier did with a text; arguments and errors are those of `explain`."""
    fitted = classifier.fitted()
    settings = classifier.settings()
    (words,), row, unknown = _encoded(fitted, [text])
    ids = row.values
    recurrent, linear = fitted.parts(row, unknown, *settings)
    scores = together(recurrent, linear)
    side = Side.of(fitted.labels, scores[0], label)
    others = fitted.batched_scores(_without_and_before(ids), unknown, *settings)
    running = np.append(others[len(ids) :], scores, axis=0)
    vectors = fitted.encoder.embedded(row.values, unknown)
    layers = traces(fitted.encoder, vectors, row.offsets, *settings)[0]
    hidden = np.concatenate([t.hidden for t in layers if t.layer == layers[-1].layer], axis=1)
    probabilities = fitted.labels.probabilities(scores)
    arrays: dict[str, Numbers] = {
        "scores": scores[0],
        "probabilities": probabilities[0],
        "without": others[: len(ids)],
        "running": running,
        "recurrent": recurrent[0],
        "pooled": placed_head(fitted.encoder, fitted.weights["head.weight"], hidden),
    }
    if fitted.encoder.shape.pooling == "attention":
        arrays["attention"] = fitted.encoder.attention(hidden, row)
    elif fitted.encoder.shape.pooling in ("max", "concat"):
        arrays["maxima"] = greatest(hidden)
    if linear is not None:
        arrays["linear"] = linear[0]
        weights = fitted.weights["pairs.weight"], fitted.weights["pairs.rarity"]
        arrays["tokens"], arrays["pairs"] = placed_scores(ids, len(fitted.tokenizer), *weights)
    return Explanation(
        "classify",
        text,
        _answer(fitted, probabilities),
        words,
        measures(arrays, side, fitted.labels.probabilities(running)[1:, side.label]),
        layers,
        strongest_pairs(words, arrays, side),
        (*_remarks(fitted, text, words), parts_told(arrays, side)),
        arrays,
        fitted.labels.names,
    )


def read_classifier(classifier: TextClassifier, texts: list[str]) -> list[Reading]:
    """What the layers did with every text; arguments and errors are those of `read`."""
    fitted = classifier.fitted()
    settings = classifier.settings()
    words, ids, unknown = _encoded(fitted, texts)
    vectors = fitted.encoder.embedded(ids.values, unknown)
    layers = traces(fitted.encoder, vectors, ids.offsets, *settings)
    return [Reading(*found) for found in zip(texts, words, layers, strict=True)]


def _encoded(fitted: Fitted, texts: list[str]) -> tuple[list[tuple[Word, ...]], Ragged, Floats]:
    """The words of every text that are read, their ids, and the vectors of unknown ones."""
    ids, unknown = fitted.encode(texts)
    longest = fitted.chosen.max_length
    tail, words = longest // 2, []
    for text in texts:
        every = placed_words(fitted.tokenizer, text)
        cut = len(every) > longest
        words.append((*every[: longest - tail], *every[len(every) - tail :]) if cut else every)
        checked(len(words[-1]))
    return words, ids.shortened(longest)[0], fitted.encoder.vectors(unknown)


def _remarks(fitted: Fitted, text: str, words: tuple[Word, ...]) -> list[str]:
    """What there is to say about what was read."""
    remarks, longest = [], fitted.chosen.max_length
    if len(words) == longest and words:
        tokens = len(fitted.encode([text])[0].values)
        if tokens > longest:
            remarks = [f"Only the first and last of the {tokens} tokens are read: {longest}."]
    unread = [word.text for word in words if not word.known]
    if unread:
        by = " but by its pieces" if fitted.chosen.subwords else ""
        remarks.append(f"Not in the vocabulary, so not known{by}: {', '.join(unread)}.")
    return remarks


def _without_and_before(ids: NDArray[np.int32]) -> Ragged:
    """2 T rows: the text without its first, second, … token, then its first 0, 1, … tokens."""
    size = len(ids)
    every = np.broadcast_to(ids, (size, size))
    left = every[~np.eye(size, dtype=np.bool_)]
    before = every[np.tri(size, k=-1, dtype=np.bool_)]
    lengths = [0, *[size - 1] * size, *range(size)]
    return Ragged(np.concatenate([left, before]), np.cumsum(lengths))


def _answer(fitted: Fitted, probabilities: Floats) -> str:
    """The label or labels that are given, and the likeliest ones with their probabilities."""
    given = fitted.labels.named(fitted.labels.decide(probabilities))[0]
    given = given if fitted.labels.multiple else [given]
    order = np.argsort(-probabilities[0], kind="stable").tolist()
    listed = [f"{fitted.labels.names[i]} {probabilities[0, i]:.3f}" for i in order]
    likeliest = ", ".join(listed[:5]) + (", …" if len(listed) > 5 else "")
    return f"{' | '.join(map(str, given)) or 'no label'} ({likeliest})"
