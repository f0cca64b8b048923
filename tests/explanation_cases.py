"""Classifiers with random weights for tests: the arithmetic of an explanation needs no training."""

from __future__ import annotations

from typing import Any

import numpy as np

from gatewise.tasks.classify.fitted import Fitted
from gatewise.tasks.classify.labels import Label, Labels
from gatewise.tasks.classify.task import TextClassifier
from gatewise.text.tokenizer import Tokenizer

WORDS = ("i", "wanted", "to", "love", "this", "film", "and", "could", "not", "not", "to", "love")
TEXT = " ".join((*WORDS, "zyxel"))  # the last word is not known


def made(
    labels: tuple[Label, ...] = ("negative", "positive"),
    *,
    multiple: bool = False,
    seed: int = 0,
    **given: Any,
) -> TextClassifier:
    """A classifier that knows all words of TEXT but the last and has random weights."""
    small: dict[str, Any] = {
        "embedding_size": 7,
        "hidden_size": 5,
        "subwords": 40,
        "token_pairs": 64,
        "min_count": 1,
        "embedding_dropout": 0.1,
    }
    chosen = TextClassifier(**small | given)
    tokenizer = Tokenizer.train([" ".join(WORDS)], level=chosen.level, min_count=1)
    random = np.random.default_rng(seed)
    weights = {
        # Recurrent weights of a layer that forgets: rounding shall not grow from step to step.
        name: random.normal(
            size=shape, scale=shape[-1] ** -0.5 if name.startswith("recurrent") else 0.7
        ).astype(np.float32)
        for name, shape in chosen.weight_shapes(len(tokenizer), len(labels)).items()
    }
    if chosen.token_pairs:
        weights["pairs.rarity"] = np.abs(weights["pairs.rarity"]) + 1
    chosen.take(Fitted(chosen, Labels(labels, multiple), tokenizer, weights, None))
    return chosen
