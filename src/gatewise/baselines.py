"""The linear model whose score every report prints beside ours.

TF-IDF over words and word pairs with logistic regression: on long and topical texts it is hard to
beat (Wang & Manning 2012), and it trains in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.errors import MissingExtraError


def linear(
    texts: Sequence[str],
    targets: NDArray[Any],
    weights: NDArray[np.float32],
    new_texts: Sequence[str],
) -> NDArray[np.float32]:
    """Fit the linear model on the training rows and answer new texts.

    Args:
        texts: training texts.
        targets: label numbers (B,), or a table of 0 and 1 for many labels at once (B, L).
        weights: how much every training row counts, (B,).
        new_texts: texts to answer.

    Returns:
        Probability of every label: a column per label number that occurs in the targets, or per
        label of the table, (new texts, L).

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - optional
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("The linear model", "train") from None
    # Rare words are left out where there are enough texts to find others.
    rarest = 2 if len(texts) >= 100 else 1
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=rarest, sublinear_tf=True)
    try:
        features = vectorizer.fit_transform(texts)
    except ValueError:  # no text has a word of two letters that is frequent enough
        vectorizer = TfidfVectorizer(analyzer="char", min_df=1)
        features = vectorizer.fit_transform([f"{text}." for text in texts])
    new_features = vectorizer.transform(new_texts)

    def answer(wanted: NDArray[Any]) -> NDArray[np.float32]:
        model = LogisticRegression(C=10, max_iter=1000)
        model.fit(features, wanted, sample_weight=weights)
        return np.asarray(model.predict_proba(new_features), np.float32)

    if targets.ndim == 1:
        labels = int(targets.max()) + 1
        found = np.zeros((len(new_texts), labels), np.float32)
        present = np.unique(targets)
        found[:, present] = answer(targets) if len(present) > 1 else 1.0
        return found
    columns = []
    for column in targets.T:
        constant = column.min() == column.max()
        share = np.full(len(new_texts), column[0], np.float32)
        columns.append(share if constant else answer(column)[:, 1])
    return np.stack(columns, axis=1)
