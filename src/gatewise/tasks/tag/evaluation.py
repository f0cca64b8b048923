"""How good tags are: by token, and by span as the CoNLL script counts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gatewise.errors import DataError
from gatewise.evaluation import LabelScore
from gatewise.evaluation import evaluate as evaluate_labels
from gatewise.text.spans import spans_of


@dataclass(frozen=True)
class TagEvaluation:
    """How good a tagger's answers on some sentences are.

    `accuracy` is the share of the tokens with the right tag. `spans` holds precision, recall and F1
    of every type of span and, last, of all; a span is right if its start, its end and its type
    are. It is None where tags are not of spans.
    """

    sentences: int
    tokens: int
    accuracy: float
    tags: tuple[LabelScore, ...]
    spans: tuple[LabelScore, ...] | None

    @property
    def metric(self) -> str:
        """Name of the figure that stands for the whole."""
        return "accuracy" if self.spans is None else "span F1"

    @property
    def score(self) -> float:
        """The figure that stands for the whole."""
        return self.accuracy if self.spans is None else self.spans[-1].f1

    def __str__(self) -> str:
        heading, scores = ("tag", self.tags) if self.spans is None else ("span", self.spans)
        width = max(len(heading), *(len(str(score.label)) for score in scores))
        lines = [f"{heading:<{width}}  precision  recall      F1    true"]
        lines += [
            f"{score.label!s:<{width}}  {score.precision:9.3f}  {score.recall:6.3f}"
            f"  {score.f1:6.3f}  {score.rows:6d}"
            for score in scores
        ]
        total = f"accuracy {self.accuracy:.4f}   tokens {self.tokens}   sentences {self.sentences}"
        if self.spans is not None:
            total = f"span F1 {self.score:.4f}   {total}"
        return "\n".join([*lines, "", total])


def evaluate(
    truth: Sequence[Sequence[str]],
    answers: Sequence[Sequence[str]],
    names: Sequence[str],
    *,
    spans: bool,
) -> TagEvaluation:
    """Compare tags with the true ones.

    Args:
        truth: tags of every sentence.
        answers: as many.
        names: the tags that there are; true ones that are not among them only can be wrong.
        spans: whether the tags are of spans.

    Raises:
        DataError: there are no tokens.
    """
    wanted = [tag for tags in truth for tag in tags]
    given = [tag for tags in answers for tag in tags]
    if not wanted:
        raise DataError("There are no tokens to evaluate.")
    every = {
        name: number for number, name in enumerate(dict.fromkeys([*names, *sorted(set(wanted))]))
    }
    true, answered = (np.array([every[tag] for tag in tags]) for tags in (wanted, given))
    found = evaluate_labels(true, answered, list(every), multiple=False)
    return TagEvaluation(
        sentences=len(truth),
        tokens=len(wanted),
        accuracy=found.accuracy,
        tags=found.labels,
        spans=span_scores(truth, answers) if spans else None,
    )


def span_scores(
    truth: Sequence[Sequence[str]], answers: Sequence[Sequence[str]]
) -> tuple[LabelScore, ...]:
    """Scores of every type of span and, last, of all together, which is called "all"."""
    right, given, wanted = Counter[str](), Counter[str](), Counter[str]()
    for true_tags, tags in zip(truth, answers, strict=True):
        true, found = set(spans_of(true_tags)), set(spans_of(tags))
        wanted.update(span.type for span in true)
        given.update(span.type for span in found)
        right.update(span.type for span in true & found)
    kinds = sorted(wanted.keys() | given.keys())
    counts = [(kind, right[kind], given[kind], wanted[kind]) for kind in kinds]
    counts.append(("all", right.total(), given.total(), wanted.total()))
    return tuple(
        LabelScore(
            label=kind,
            precision=hits / answered if answered else 0.0,
            recall=hits / there if there else 0.0,
            f1=2 * hits / (answered + there) if answered + there else 0.0,
            rows=there,
        )
        for kind, hits, answered, there in counts
    )
