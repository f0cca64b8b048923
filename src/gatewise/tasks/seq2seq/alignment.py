"""Alignment: which tokens of a source every token of its answer looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gatewise.encoder import Floats
from gatewise.tasks.seq2seq.fitted import END, Fitted
from gatewise.tasks.seq2seq.reading import Memory, SourceWriter


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


def align(
    fitted: Fitted, source: str, target: str, threads: int | None, precision: str
) -> Alignment:
    """Let a model read a source and write a target that is given.

    Args:
        fitted: the model.
        source: a text.
        target: its answer.
        threads: by default all cores.
        precision: of the recurrent layers' products.
    """
    ids, wanted = fitted.encode([source]), fitted.encode([target]).values
    writer = SourceWriter(fitted, Memory.read(fitted, ids, threads, precision), threads, precision)
    only = np.zeros(1, np.int64)
    total, rows = 0.0, []
    for before, token in zip([fitted.end, *wanted[:-1].tolist()], wanted.tolist(), strict=True):
        outputs, weights = writer.step(only, only, np.array([before], np.int32))
        ((scored,),) = fitted.scores(outputs)
        scores = scored.astype(np.float64)
        total += float(scores[token] - np.logaddexp.reduce(scores))
        rows.append(weights[0])
    names = (*fitted.tokenizer.vocabulary, END)
    return Alignment(
        tuple(names[id] for id in ids.values.tolist()),
        tuple(names[id] for id in wanted.tolist()),
        np.array(rows),
        total,
    )
