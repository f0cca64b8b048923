"""Language models with random weights for tests, and what they must answer, by plain equations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.cells import CELLS, Weights, layer
from gatewise.tasks.language.fitted import Cache, Fitted
from gatewise.tasks.language.task import LanguageModel
from gatewise.text.tokenizer import Tokenizer

TEXTS = [
    "the cat sat on the mat, and the dog didn't (not at all).",
    "A dog on a mat!",
    "the end of the cat",
    "un able unable cat mat dog sat",
]


def made(seed: int = 0, texts: Sequence[str] = TEXTS, **given: Any) -> LanguageModel:
    """A language model that knows the tokens of the texts and has random weights."""
    small: dict[str, Any] = {
        "embedding_size": 7,
        "hidden_size": 5,
        "dropout": 0.2,
        "min_count": 1,
        "max_vocabulary": 70,
        "documents": "joined",
    }
    model = LanguageModel(**small | given)
    tokenizer = Tokenizer.train(
        texts,
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
    model.take(Fitted(model, tokenizer, weights, Cache(0.3, 0.2), None))
    return model


def fixed(scores: dict[str, float], **given: Any) -> LanguageModel:
    """A model whose raw scores are always these, and 0 of all other tokens."""
    model = made(**given)
    for array in model.weights_.values():
        array[:] = 0
    classes = [*model.tokenizer_.vocabulary, "<end>"]
    for token, score in scores.items():
        model.weights_["output.bias"][classes.index(token)] = score
    return model


def plain_outputs(model: LanguageModel, ids: Sequence[int]) -> NDArray[np.float64]:
    """The output after every one of the ids, (N, E), from zeros on, in float64."""
    weights = {name: array.astype(np.float64) for name, array in model.weights_.items()}
    values: NDArray[Any] = weights["embedding.weight"][list(ids)]
    for number in range(model.num_layers):
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        parts = Weights(*(weights[f"recurrent.{name}_l{number}"] for name in names))
        values = layer(CELLS[model.cell], values, np.array([0, len(ids)]), [parts]).hidden
    if model.hidden_size != model.embedding_size:
        values = values @ weights["projection.weight"].T + weights["projection.bias"]
    return values


def plain_scores(model: LanguageModel, ids: Sequence[int]) -> NDArray[np.float64]:
    """Raw scores of all classes after every one of the ids, (N, K)."""
    weights = model.weights_
    table = weights["embedding.weight" if model.tied else "output.weight"].astype(np.float64)
    return plain_outputs(model, ids) @ table.T + weights["output.bias"].astype(np.float64)


def plain_log_probabilities(model: LanguageModel, ids: Sequence[int]) -> NDArray[np.float64]:
    """Log-probability of every class after every one of the ids, (N, K), in nats."""
    scores = plain_scores(model, ids)
    return np.array([row - math.log(math.fsum(np.exp(row))) for row in scores])


def end(model: LanguageModel) -> int:
    """The id of the end of a text."""
    return len(model.tokenizer_)


def ids_of(model: LanguageModel, text: str) -> list[int]:
    """Ids of a text without its end."""
    ids: list[int] = model.tokenizer_.encode([text]).values.tolist()
    return ids
