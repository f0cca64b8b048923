"""Answering sentences: in batches of similar length, from scores to tags and their chances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatewise import kernels
from gatewise.chains import Chain, Sums, side_by_side
from gatewise.data.batches import in_order
from gatewise.decoding.viterbi import best_paths
from gatewise.encoder import Floats
from gatewise.options import AnswerPrecision
from gatewise.tasks.tag.fitted import Fitted

ANSWER_TOKENS = 32_768
"""Tokens that are answered at once: enough to keep the kernel busy, few enough to bound memory."""
Tagging = tuple[list[str], float]
"""A tag for every token of a sentence, and the logarithm of how likely all of them are."""


class Scored(NamedTuple):
    """B of the sentences: which they are, scores of their tokens (N, L), and offsets (B + 1,)."""

    rows: NDArray[np.int64]
    scores: Floats
    offsets: NDArray[np.int64]


def taggings(
    batches: Iterable[Scored], chain: Chain, names: Sequence[str], sentences: int
) -> list[list[str]]:
    """The likeliest tagging of every sentence.

    Args:
        batches: scores of the sentences.
        chain: what paths score beside their tokens.
        names: of the L tags.
        sentences: how many there are.
    """
    found: list[list[str]] = [[] for _ in range(sentences)]
    named = np.array(names, object)
    alone = not any(part.any() for part in chain)  # where no tag says anything of the next
    for rows, scores, offsets in batches:
        best = scores.argmax(axis=1) if alone else best_paths(scores, offsets, chain)[0][0]
        tags, bounds = named[best].tolist(), offsets.tolist()
        for place, row in enumerate(rows.tolist()):
            found[row] = tags[bounds[place] : bounds[place + 1]]
    return found


class Answering:
    """A fitted tagger, asked in a certain way.

    Args:
        fitted: the tagger.
        threads: by default all cores.
        precision: of the recurrent layers' products.
    """

    def __init__(self, fitted: Fitted, threads: int | None, precision: AnswerPrecision) -> None:
        self._fitted = fitted
        self._threads = threads
        self._precision = kernels.chosen_precision(precision)

    def tags(self, sentences: list[list[str]]) -> list[list[str]]:
        """The likeliest tagging of every sentence."""
        return self._tags(self._scored(sentences), len(sentences))

    def tags_and_marginals(
        self, sentences: list[list[str]]
    ) -> tuple[list[list[str]], list[NDArray[np.float64]]]:
        """Both, from the same scores."""
        scored = list(self._scored(sentences))
        return self._tags(scored, len(sentences)), self._marginals(scored, len(sentences))

    def scores(self, sentences: list[list[str]]) -> list[Floats]:
        """Scores of every tag for every token, (tokens, L), without those of the CRF."""
        found = [np.zeros((0, len(self._fitted.tags.names)), np.float32)] * len(sentences)
        for rows, scores, offsets in self._scored(sentences):
            for row, part in zip(rows.tolist(), np.split(scores, offsets[1:-1]), strict=True):
                found[row] = part
        return found

    def marginals(self, sentences: list[list[str]]) -> list[NDArray[np.float64]]:
        """Probability of every tag at every token, (tokens, L), over all taggings."""
        return self._marginals(self._scored(sentences), len(sentences))

    def _tags(self, scored: Iterable[Scored], sentences: int) -> list[list[str]]:
        fitted = self._fitted
        return taggings(scored, fitted.chain, fitted.tags.names, sentences)

    def _marginals(self, scored: Iterable[Scored], sentences: int) -> list[NDArray[np.float64]]:
        found = [np.zeros((0, len(self._fitted.tags.names)))] * sentences
        for rows, scores, offsets in scored:
            walk = side_by_side(offsets)
            every = np.empty(scores.shape)
            every[walk.rows] = Sums(scores[walk.rows], walk, self._fitted.chain).marginals()
            for row, part in zip(rows.tolist(), np.split(every, offsets[1:-1]), strict=True):
                found[row] = part
        return found

    def n_best(self, sentences: list[list[str]], count: int) -> list[list[Tagging]]:
        """Up to `count` taggings of every sentence, the likeliest first."""
        found: list[list[Tagging]] = [[] for _ in sentences]
        names, chain = self._fitted.tags.names, self._fitted.chain
        for rows, scores, offsets in self._scored(sentences):
            exact = scores.astype(np.float64)
            paths, totals = best_paths(exact, offsets, chain, count)
            walk = side_by_side(offsets)
            logarithms = np.zeros(len(rows))
            logarithms[walk.order] = Sums(exact[walk.rows], walk, chain).log_total
            for place, row in enumerate(rows.tolist()):
                tokens = slice(offsets[place], offsets[place + 1])
                found[row] = [
                    ([names[tag] for tag in path[tokens]], float(total - logarithms[place]))
                    for path, total in zip(paths, totals[place], strict=True)
                    if total > -np.inf
                ]
        return found

    def _scored(self, sentences: list[list[str]]) -> Iterator[Scored]:
        lengths = np.array([len(sentence) for sentence in sentences], np.int64)
        for rows in in_order(lengths, batch_size=512, batch_tokens=ANSWER_TOKENS):
            some = [sentences[row] for row in rows]
            yield Scored(rows, *self._fitted.scores(some, self._threads, self._precision))
