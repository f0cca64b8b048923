"""How good answers are: accuracy, precision, recall, F1 and the confusion matrix.

Counted over all rows at once, never as a mean over batches. It is plain NumPy and not scikit-learn,
because a model is evaluated where it answers; the tests compare the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.errors import DataError

DRAWS = 500
"""Bootstrap draws for the noise of a difference in macro-F1."""


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
    right), `macro_f1` the mean F1 over the labels that occur, `micro_f1` the F1 over all decisions.
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

    Raises:
        DataError: there are no rows.
    """
    if len(truth) == 0:
        raise DataError("There are no rows to evaluate.")
    confusion = None
    if multiple:
        exact = (truth == answers).all(axis=1).mean()
    else:
        counts = np.zeros((len(names), len(names)), np.int64)
        np.add.at(counts, (truth, answers), 1)
        confusion = tuple(tuple(row) for row in counts.tolist())
        exact = (truth == answers).mean()
        truth, answers = np.eye(len(names))[truth], np.eye(len(names))[answers]
    right, given, rows = (truth * answers).sum(0), answers.sum(0), truth.sum(0)
    f1 = _shares(2 * right, given + rows)
    figures = zip(names, _shares(right, given), _shares(right, rows), f1, rows, strict=True)
    return Evaluation(
        rows=len(truth),
        accuracy=float(exact),
        macro_f1=_mean_present(f1, given + rows),
        micro_f1=float(2 * right.sum() / max(given.sum() + rows.sum(), 1)),
        labels=tuple(
            LabelScore(name, float(p), float(r), float(f), int(n)) for name, p, r, f, n in figures
        ),
        confusion=confusion,
    )


def noise(truth: NDArray[Any], first: NDArray[Any], second: NDArray[Any], multiple: bool) -> float:
    """Two standard errors of the difference between two models' scores on the same rows.

    For accuracy from the rows where the two differ; for macro-F1 by a paired bootstrap (Efron
    1979), since rare labels make it far noisier than a share of rows.

    Args:
        truth: label numbers (B,), or with `multiple` a table of 0 and 1 (B, L).
        first: answers of the one, in the same form.
        second: answers of the other.
        multiple: whether a row can have many labels at once.
    """
    rows = len(truth)
    if not multiple:
        gain = (first == truth).astype(float) - (second == truth)
        return float(2 * gain.std() / np.sqrt(rows))
    random = np.random.default_rng(0)
    differences = []
    for _ in range(DRAWS):
        drawn = random.integers(0, rows, rows)
        ours, theirs = _macro_f1(truth[drawn], first[drawn]), _macro_f1(truth[drawn], second[drawn])
        differences.append(ours - theirs)
    return float(2 * np.std(differences))


def _macro_f1(truth: NDArray[Any], answers: NDArray[Any]) -> float:
    found = answers.sum(0) + truth.sum(0)
    return _mean_present(_shares(2 * (truth * answers).sum(0), found), found)


def _mean_present(f1: NDArray[np.float64], found: NDArray[Any]) -> float:
    """The mean over the labels that are true or answered somewhere; others have no F1."""
    return float(f1[found > 0].mean()) if (found > 0).any() else 0.0


def _shares(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """part / whole, 0 where the whole is 0."""
    return np.asarray(np.where(whole > 0, part / np.maximum(whole, 1), 0.0))
