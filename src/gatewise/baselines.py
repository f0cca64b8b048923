"""The linear model whose score every report prints beside ours.

TF-IDF over words and word pairs with logistic regression: on long and topical texts it is hard to
beat (Wang & Manning 2012), and it trains in seconds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.errors import MissingExtraError

MULTIPLE_THRESHOLD = 0.3
"""Probability from which a label is given where many can hold: the linear model's best on
GoEmotions, whose macro-F1 is .40 there and .33 at one half."""


@dataclass(frozen=True)
class Baseline:
    """Answers of the linear model to the dev rows, in the form that `evaluation` takes."""

    answers: NDArray[Any]
    seconds: float


def linear(
    texts: Sequence[str],
    targets: NDArray[Any],
    dev_texts: Sequence[str],
    *,
    multiple: bool,
) -> Baseline:
    """Fit the linear model on the training rows and answer the dev rows.

    Args:
        texts: training texts.
        targets: label numbers (B,), or with `multiple` a table of 0 and 1 (B, L).
        dev_texts: texts to answer.
        multiple: whether a row can have many labels at once.
    """
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
        from sklearn.multiclass import OneVsRestClassifier  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("The linear model", "train") from None
    started = time.perf_counter()
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=min(2, len(texts)), sublinear_tf=True)
    features = vectorizer.fit_transform(texts)
    model: Any = LogisticRegression(C=10, max_iter=1000)
    if multiple:
        model = OneVsRestClassifier(model)
    model.fit(features, targets)
    dev_features = vectorizer.transform(dev_texts)
    if multiple:
        answers = np.asarray(model.predict_proba(dev_features) >= MULTIPLE_THRESHOLD, np.int64)
    else:
        answers = np.asarray(model.predict(dev_features))
    return Baseline(answers, time.perf_counter() - started)
