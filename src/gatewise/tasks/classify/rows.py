"""The rows of a fit: texts, targets and how much every row counts, split into train and dev."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gatewise.data.split import split
from gatewise.errors import DataError
from gatewise.tasks.classify.labels import Labels
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.tasks.texts import check_lengths, list_of_texts

ClassWeight = Literal["balanced"] | Mapping[Any, float] | None


@dataclass(frozen=True)
class Rows:
    """B texts with targets (B,) or (B, L), as `Labels.targets` makes them, and weights (B,).

    The weights of all rows that were read together have the mean 1.
    """

    texts: list[str]
    targets: NDArray[Any]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """The given rows, in the given order."""
        return Rows([self.texts[row] for row in rows], self.targets[rows], self.weights[rows])


@dataclass(frozen=True)
class Given:
    """What a user gives to learn from; see `TextClassifier.fit`."""

    texts: Sequence[str]
    labels: Any
    dev: tuple[Sequence[str], Any] | None = None
    label_names: Sequence[Any] | None = None
    sample_weight: Sequence[float] | None = None
    class_weight: ClassWeight = None


def read_rows(
    texts: Sequence[str],
    given: Any,
    labels: Labels,
    sample_weight: Sequence[float] | None = None,
    class_weight: ClassWeight = None,
) -> Rows:
    """Join texts and labels to rows.

    Raises:
        DataError: there are not as many labels or weights as texts, or one of them is not allowed.
    """
    listed = list_of_texts(texts)
    check_lengths(listed, given, "labels")
    targets = labels.targets(given)
    weights = np.ones(len(listed), np.float32)
    if sample_weight is not None:
        check_lengths(listed, sample_weight, "sample weights")
        weights *= np.asarray(sample_weight, np.float32)
        wrong = ~(np.isfinite(weights) & (weights >= 0))
        if wrong.any():
            row = int(wrong.argmax())
            raise DataError(
                f"Sample weights must be numbers from 0. Row {row + 1} has {sample_weight[row]}."
            )
    if class_weight is not None:
        weights *= _class_weights(class_weight, labels, targets)
    if len(weights) and not weights.any():
        raise DataError("All weights are 0, so there is nothing to learn from.")
    weights /= weights.mean() if len(weights) else 1.0
    return Rows(listed, targets, weights)


def split_rows(rows: Rows, labels: Labels, training: ClassifierTraining) -> tuple[Rows, Rows]:
    """Hold out dev rows: the rows to learn from and the dev rows, none for a share of 0."""
    if training.dev_share == 0:
        return rows, rows.take(np.empty(0, np.int64))
    train, dev = split(
        rows.texts, hard_targets(rows.targets, labels), share=training.dev_share, seed=training.seed
    )
    return rows.take(train), rows.take(dev)


def hard_targets(targets: NDArray[Any], labels: Labels) -> NDArray[np.int64]:
    """Targets as decisions: the likeliest label (B,) of probabilities, others as they are."""
    if targets.ndim == 2 and not labels.multiple:
        return np.asarray(targets.argmax(axis=1))
    return np.asarray(targets, np.int64)


def _class_weights(
    class_weight: Literal["balanced"] | Mapping[Any, float],
    labels: Labels,
    targets: NDArray[Any],
) -> NDArray[np.float32]:
    """How much every row counts by its labels, (B,): the mean over them where there are many."""
    table = targets if targets.ndim == 2 else np.eye(len(labels.names))[targets]
    if class_weight == "balanced":
        counts = table.sum(axis=0)
        weights = counts.sum() / (len(labels.names) * np.maximum(counts, 1))
    elif isinstance(class_weight, Mapping):
        unknown = [name for name in class_weight if name not in labels.names]
        if unknown:
            known = ", ".join(str(name) for name in labels.names)
            raise DataError(f"There is no label {unknown[0]!r} to weigh. The labels are: {known}.")
        weights = np.array([float(class_weight.get(name, 1)) for name in labels.names])
        if not (np.isfinite(weights) & (weights >= 0)).all():
            raise DataError(f"Class weights must be numbers from 0. Got {dict(class_weight)}.")
    else:
        raise DataError(
            f"class_weight must be 'balanced' or numbers by label. Got {class_weight!r}."
        )
    shares = table.sum(axis=1)
    # A row without any label counts as one.
    return np.asarray(np.where(shares > 0, table @ weights / np.maximum(shares, 1), 1), np.float32)
