"""An example of every task: what it learns from, and what its answers are. It needs no torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.tasks import task_class

GOOD = ["a very good film", "good and funny", "i loved it", "wonderful acting", "what a good day"]
BAD = ["a very bad film", "bad and boring", "i hated it", "terrible acting", "what a bad day"]
TEXTS = [f"{start} {text}" for start in ("well ,", "honestly") for text in [*GOOD, *BAD]]
LABELS = ["good"] * 5 + ["bad"] * 5 + ["good"] * 5 + ["bad"] * 5
NEW = ["a good film", "a bad film", "", "zzz qqq", "good"]


@dataclass(frozen=True)
class Example:
    """How a task is fitted and asked.

    Args:
        data: what `fit` takes.
        options: of the model.
        training: fields of the training options that suffice to learn the data.
        numbers: what a model says of texts, a row of numbers for each.
        answers: all that it says of texts, as JSON can hold it.
        has_learned: whether it knows the data.
    """

    data: tuple[Any, ...]
    options: dict[str, Any]
    numbers: Callable[[Any, Sequence[str]], NDArray[Any]]
    answers: Callable[[Any, Sequence[str]], Any]
    has_learned: Callable[[Any], bool]
    training: dict[str, Any] = field(default_factory=dict)


QUIET: dict[str, Any] = {
    "dev_share": 0.0,
    "epochs": 40,
    "batch_size": 4,
    "learning_rate": 0.01,
    "quiet": True,
}


def log_probabilities(lm: Any, texts: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[found.log_probability] for found in lm.score(texts)])


def written_and_scored(lm: Any, texts: Sequence[str]) -> Any:
    written = [lm.generate(text, seed=seed, max_tokens=9) for seed, text in enumerate(texts)]
    return [written, lm.next(texts[0], 3), [found.tokens for found in lm.score(texts)]]


def foretells_its_texts(lm: Any) -> bool:
    """Nearly as well as one can: every text has one chance in twenty, and then no doubts."""
    tokens = sum(len(found.tokens) for found in lm.score(TEXTS))
    least = math.exp(len(TEXTS) * math.log(len(TEXTS)) / tokens)
    if not least <= lm.perplexity(TEXTS) < 1.05 * least:
        return False
    return bool(lm.generate("honestly what a bad", temperature=0) == "honestly what a bad day")


FILM = ["B-film", "I-film"]
SENTENCES = [text.split() for text in TEXTS]
# The last two words of a text are a span of two tokens, a word like "good" before them one of one.
TAGS = [
    [*("B-kind" if word in ("good", "bad") else "O" for word in words[:-2]), *FILM]
    for words in SENTENCES
]


def tag_numbers(tagger: Any, texts: Sequence[str]) -> NDArray[np.float64]:
    """Of every text the likeliest tagging's log-probability and the mean chance of every tag."""
    sentences = [text.split() for text in texts]
    best = [found[0][1] for found in tagger.n_best(sentences, 2)]
    chances = [each.sum(axis=0) / max(len(each), 1) for each in tagger.marginals(sentences)]
    return np.column_stack([best, chances])


def tagged_and_scored(tagger: Any, texts: Sequence[str]) -> Any:
    sentences = [text.split() for text in texts]
    return [tagger.predict(sentences), [scores.tolist() for scores in tagger.scores(sentences)]]


REPLIES = [
    f"{'yes' if label == 'good' else 'oh no'}, {text.split()[-1]}!"
    for text, label in zip(TEXTS, LABELS, strict=True)
]


def replies_and_scores(model: Any, texts: Sequence[str]) -> Any:
    """Whole answers; scores are rounded, as those of a text alone differ in their last bits."""
    found = model.answer(texts, beam=3, n_best=3, max_tokens=12)
    return [[[one.text, round(one.score, 4), one.cut] for one in each] for each in found]


def likelihoods_of_replies(model: Any, texts: Sequence[str]) -> NDArray[np.float64]:
    found = model.answer(texts, beam=2, n_best=2, max_tokens=12)
    return np.array([[one.log_probability for one in each] for each in found])


EXAMPLES = {
    "classify": Example(
        data=(TEXTS, LABELS),
        options={
            "embedding_size": 8,
            "hidden_size": 9,
            "subwords": 50,
            "token_pairs": 64,
            "min_count": 1,
        },
        numbers=lambda classifier, texts: np.asarray(classifier.scores(texts)),
        answers=lambda classifier, texts: [
            classifier.predict(texts),
            classifier.scores(texts).tolist(),
        ],
        has_learned=lambda classifier: classifier.predict(TEXTS) == LABELS,
    ),
    "tag": Example(
        data=(SENTENCES, TAGS),
        options={
            "embedding_size": 12,
            "hidden_size": 16,
            "character_size": 6,
            "character_units": 7,
            "subwords": 50,
            "dropout": 0.0,
            "embedding_dropout": 0.0,
        },
        training={"batch_size": 5, "threads": 1, "average": 0.9},
        numbers=tag_numbers,
        answers=tagged_and_scored,
        has_learned=lambda tagger: tagger.predict(SENTENCES) == TAGS,
    ),
    "language": Example(
        data=(TEXTS,),
        options={
            "embedding_size": 12,
            "hidden_size": 32,
            "min_count": 1,
            "embedding_dropout": 0.0,
            "dropout": 0.0,
        },
        training={
            "epochs": 100,
            "learning_rate": 0.03,
            "average": 0.0,
            "bptt": 12,
            "patience": 100,
            "threads": 1,
        },
        numbers=log_probabilities,
        answers=written_and_scored,
        has_learned=foretells_its_texts,
    ),
    "seq2seq": Example(
        data=(TEXTS, REPLIES),
        options={
            "embedding_size": 16,
            "hidden_size": 32,
            "level": "word",
            "min_count": 1,
            "embedding_dropout": 0.0,
            "dropout": 0.0,
        },
        training={
            "epochs": 80,
            "average": 0.0,
            "label_smoothing": 0.0,
            "patience": 100,
            "threads": 1,
        },
        numbers=likelihoods_of_replies,
        answers=replies_and_scores,
        has_learned=lambda model: model.predict(TEXTS, max_tokens=30) == REPLIES,
    ),
}


def fitted(task: str, **changes: Any) -> Any:
    """A small model of a task; changes are of its options, or of QUIET."""
    example = EXAMPLES[task]
    training = QUIET | example.training
    training |= {key: changes.pop(key) for key in [*changes] if key in training | {"seed": 0}}
    return task_class(task)(**example.options | changes).fit(*example.data, **training)
