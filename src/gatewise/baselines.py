"""The linear model whose score every report prints beside ours.

TF-IDF over words and word pairs with logistic regression: on long and topical texts it is hard to
beat (Wang & Manning 2012), and it trains in seconds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.errors import need


def need_linear() -> None:
    """Raise a MissingExtraError where no `Linear` could be fitted."""
    need("The linear model", "train", "sklearn")


class Linear:
    """TF-IDF over words and word pairs with logistic regression, fitted on the training rows.

    Args:
        texts: training texts.
        targets: label numbers (B,), or a table of 0 and 1 for many labels at once (B, L).
        weights: how much every training row counts, (B,).

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """

    def __init__(
        self, texts: Sequence[str], targets: NDArray[Any], weights: NDArray[np.float32]
    ) -> None:
        need_linear()
        from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - optional
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

        # Rare words are left out where there are enough texts to find others.
        rarest = 2 if len(texts) >= 100 else 1
        self._vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=rarest, sublinear_tf=True)
        try:
            features = self._vectorizer.fit_transform(texts)
        except ValueError:  # no text has a word of two letters that is frequent enough
            self._vectorizer = TfidfVectorizer(analyzer="char", min_df=1)
            features = self._vectorizer.fit_transform([f"{text}." for text in texts])

        def fitted(wanted: NDArray[Any]) -> Any:
            if wanted.min() == wanted.max():
                return None  # the answer is always the same
            model = LogisticRegression(C=10, max_iter=1000)
            return model.fit(features, wanted, sample_weight=weights)

        self._targets = targets
        columns = [targets] if targets.ndim == 1 else targets.T
        self._models = [fitted(column) for column in columns]

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Probability of every label, (texts, L).

        There is a column per label number that occurs in the targets, or per label of the table.
        """
        features = self._vectorizer.transform(texts)
        if self._targets.ndim == 1:
            labels = int(self._targets.max()) + 1
            found = np.zeros((len(texts), labels), np.float32)
            model = self._models[0]
            present = np.unique(self._targets)
            found[:, present] = model.predict_proba(features) if model else 1.0
            return found
        columns = [
            np.full(len(texts), column[0]) if model is None else model.predict_proba(features)[:, 1]
            for column, model in zip(self._targets.T, self._models, strict=True)
        ]
        return np.stack(columns, axis=1).astype(np.float32)

    @property
    def size(self) -> int:
        """Bytes that it takes on disk: the vocabulary as JSON, and all weights in float32."""
        arrays = [model.coef_.size + model.intercept_.size for model in self._models if model]
        weights = sum(arrays, start=self._vectorizer.idf_.size)
        return len(json.dumps(list(self._vectorizer.vocabulary_)).encode()) + 4 * int(weights)


def linear(
    texts: Sequence[str],
    targets: NDArray[Any],
    weights: NDArray[np.float32],
    new_texts: Sequence[str],
) -> NDArray[np.float32]:
    """What a `Linear` of the training rows says of new texts: (new texts, L)."""
    return Linear(texts, targets, weights).probabilities(new_texts)
