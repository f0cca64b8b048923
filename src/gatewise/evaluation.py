"""How good answers are: accuracy, precision, recall, F1 and the confusion matrix.

Counted over all rows at once, never as a mean over batches. The arithmetic is scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.errors import MissingExtraError


@dataclass(frozen=True)
class LabelScore:
    """How good the answers are for one label; `rows` is how many rows truly have it."""

    label: Any
    precision: float
    recall: float
    f1: float
    rows: int


@dataclass(frozen=True)
class Evaluation:
    """How good a classifier's answers on some rows are.

    `accuracy` is the share of rows answered exactly right (for many labels at once: all labels
    right), `macro_f1` the mean F1 over labels, `micro_f1` the F1 over all decisions.
    `confusion[i][j]` counts rows of label i that were answered j; None for many labels at once.
    """

    rows: int
    accuracy: float
    macro_f1: float
    micro_f1: float
    labels: tuple[LabelScore, ...]
    confusion: tuple[tuple[int, ...], ...] | None

    @property
    def metric(self) -> str:
        """Name of the figure that stands for the whole: macro-F1 for many labels at once."""
        return "macro-F1" if self.confusion is None else "accuracy"

    @property
    def score(self) -> float:
        """The figure that stands for the whole."""
        return self.macro_f1 if self.confusion is None else self.accuracy

    def __str__(self) -> str:
        width = max(5, *(len(str(score.label)) for score in self.labels))
        lines = [f"{'label':<{width}}  precision  recall      F1    rows"]
        lines += [
            f"{score.label!s:<{width}}  {score.precision:9.3f}  {score.recall:6.3f}"
            f"  {score.f1:6.3f}  {score.rows:6d}"
            for score in self.labels
        ]
        exact = "accuracy" if self.confusion is not None else "all labels right"
        lines.append("")
        lines.append(
            f"{exact} {self.accuracy:.4f}   macro-F1 {self.macro_f1:.4f}"
            f"   micro-F1 {self.micro_f1:.4f}   rows {self.rows}"
        )
        return "\n".join(lines)

    def confusion_table(self, most: int = 12) -> str:
        """The confusion matrix as text, for up to `most` labels; a hint where there are more."""
        if self.confusion is None or len(self.labels) > most:
            return "The confusion matrix is in the picture: it has too many labels to print."
        names = [str(score.label) for score in self.labels]
        width = max(6, *(len(name) for name in names))
        head = " " * width + "".join(f"  {name:>{width}}" for name in names)
        rows = [
            f"{name:<{width}}" + "".join(f"  {count:{width}d}" for count in row)
            for name, row in zip(names, self.confusion, strict=True)
        ]
        return "\n".join(["true label (rows) and answer (columns):", head, *rows])


def evaluate(
    truth: NDArray[Any], answers: NDArray[Any], names: Sequence[Any], *, multiple: bool
) -> Evaluation:
    """Compare answers with the truth.

    Args:
        truth: label numbers (B,), or with `multiple` a table of 0 and 1 (B, L).
        answers: the same for the answers.
        names: the labels by number.
        multiple: whether a row can have many labels at once.
    """
    try:
        from sklearn.metrics import (  # noqa: PLC0415 - slow to import, optional
            accuracy_score,
            confusion_matrix,
            f1_score,
            precision_recall_fscore_support,
        )
    except ImportError:
        raise MissingExtraError("Evaluation", "train") from None
    numbers = np.arange(len(names))
    precision, recall, f1, rows = precision_recall_fscore_support(
        truth, answers, labels=numbers, zero_division=0.0
    )
    confusion = None
    if not multiple:
        counts = confusion_matrix(truth, answers, labels=numbers)
        confusion = tuple(tuple(row) for row in counts.tolist())
    return Evaluation(
        rows=len(truth),
        accuracy=float(accuracy_score(truth, answers)),
        macro_f1=float(np.mean(f1)),
        micro_f1=float(
            f1_score(truth, answers, labels=numbers, average="micro", zero_division=0.0)
        ),
        labels=tuple(
            LabelScore(name, float(p), float(r), float(f), int(n))
            for name, p, r, f, n in zip(names, precision, recall, f1, rows, strict=True)
        ),
        confusion=confusion,
    )
