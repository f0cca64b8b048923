"""Models of text to text with random weights for tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from gatewise.tasks.seq2seq.fitted import Fitted
from gatewise.tasks.seq2seq.task import Seq2Seq
from gatewise.text.tokenizer import Tokenizer

SOURCES = [
    "the cat sat on the mat",
    "A dog!",
    "",
    "the end of the cat, of a dog and of the mat on which it sat",
    "zzz",
]
TARGETS = [
    "die Katze saß auf der Matte",
    "Ein Hund!",
    "was nun",
    "das Ende der Katze",
    "",
]
KINDS: list[dict[str, Any]] = [
    {},
    {"attention": "additive", "hidden_size": 5},
    {"cell": "gru", "num_layers": 2},
    {"cell": "rnn", "num_layers": 3, "level": "char"},
    {"input_feeding": True},
    {"input_feeding": True, "attention": "additive", "num_layers": 2, "cell": "gru"},
    {"input_feeding": True, "num_layers": 3, "cell": "rnn", "hidden_size": 5},
]


def made(seed: int = 0, **given: Any) -> Seq2Seq:
    """A model that knows the tokens of the texts and has random weights."""
    small: dict[str, Any] = {
        "embedding_size": 6,
        "hidden_size": 7,
        "min_count": 1,
        "max_vocabulary": 80,
    }
    model = Seq2Seq(**small | given)
    tokenizer = Tokenizer.train(
        [*SOURCES, *TARGETS],
        level=model.level,
        lowercase=model.lowercase,
        max_vocabulary=model.max_vocabulary,
        min_count=model.min_count,
    )
    random = np.random.default_rng(seed)
    weights = {
        name: random.normal(size=shape).astype(np.float32)
        for name, shape in model.weight_shapes(len(tokenizer)).items()
    }
    model.take(Fitted(model, tokenizer, weights, None))
    return model
