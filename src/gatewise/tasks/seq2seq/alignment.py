"""Alignment: which tokens of a source every token of its answer looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatewise.encoder import Floats
from gatewise.tasks.seq2seq.fitted import Fitted
from gatewise.tasks.seq2seq.reading import Sources, SourceWriter
from gatewise.text.rules import END


@dataclass(frozen=True, eq=False)
class Alignment:
    """Weights of attention.

    Args:
        source: its tokens, the end as the last one, S of them.
        target: the tokens of the answer and its end, T of them.
        weights: of every source token for every target token, (T, S); every row sums to 1.
        log_probability: of the answer, in nats.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: Floats
    log_probability: float

    def pairs(self) -> list[tuple[str, str]]:
        """Every target token and the source token that it looked at most."""
        best = self.weights.argmax(axis=1)
        return [(target, self.source[at]) for target, at in zip(self.target, best, strict=True)]

    def as_json(self) -> dict[str, Any]:
        """All of it by name."""
        return {
            "source": list(self.source),
            "target": list(self.target),
            "weights": np.round(self.weights, 6).tolist(),
            "log_probability": self.log_probability,
        }


class Rewritten(NamedTuple):
    """What a model does when it writes a given text of T tokens after each of B sources.

    Args:
        weights: of attention, (T, B, S).
        outputs: what is compared with the classes, (T, B, E).
        log_probabilities: of the tokens, in nats, (B, T).
    """

    weights: Floats
    outputs: Floats
    log_probabilities: NDArray[np.float64]


def rewritten(
    fitted: Fitted, sources: Sources, tokens: NDArray[np.int32], threads: int | None, precision: str
) -> Rewritten:
    """Let a model write a text that is given, step by step as it answers.

    Args:
        fitted: the model.
        sources: B of them.
        tokens: of the text, with or without its end, (T,); T is at least 1.
        threads: by default all cores.
        precision: of the recurrent layers' products.
    """
    writer, texts = SourceWriter(fitted, sources, threads, precision), np.arange(len(sources.keys))
    steps, found = [], []
    for before, token in zip([fitted.end, *tokens[:-1].tolist()], tokens.tolist(), strict=True):
        outputs, weights = writer.step(texts, texts, np.full(len(texts), before, np.int32))
        steps.append((weights, outputs))
        found.append(
            fitted.output_layer.log_probabilities(outputs, np.full(len(texts), token), threads)
        )
    weights, outputs = (np.stack(each) for each in zip(*steps, strict=True))
    return Rewritten(weights, outputs, np.stack(found, axis=1))


def align(
    fitted: Fitted,
    source: str,
    tokens: NDArray[np.int32],
    threads: int | None,
    precision: str,
) -> Alignment:
    """Let a model read a source and write a target that is given.

    Args:
        fitted: the model.
        source: a text.
        tokens: of its answer, with or without its end, (T,).
        threads: by default all cores.
        precision: of the recurrent layers' products.
    """
    ids = fitted.encode([source])
    sources = Sources.read(fitted, ids, threads, precision)
    found = rewritten(fitted, sources, tokens, threads, precision)
    names = (*fitted.tokenizer.vocabulary, END)
    return Alignment(
        tuple(names[id] for id in ids.values.tolist()),
        tuple(names[id] for id in tokens.tolist()),
        found.weights[:, 0],
        float(found.log_probabilities.sum()),
    )
