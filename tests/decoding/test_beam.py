from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from gatewise.decoding.beam import Hypothesis, beam_search

END = 0


class Table:
    """Writes by chance: the scores after a beginning are random, but always the same for it."""

    def __init__(self, seed: int, texts: int, classes: int) -> None:
        self.seed, self.classes = seed, classes
        self.begun: list[tuple[int, ...]] = []
        self.texts = texts
        self.calls: list[int] = []

    def log_probabilities(self, text: int, begun: tuple[int, ...]) -> NDArray[np.float64]:
        random = np.random.default_rng([self.seed, text, *begun, 7])
        scores = 2 * random.normal(size=self.classes)
        return np.asarray(scores - np.logaddexp.reduce(scores))

    def next(
        self,
        texts: NDArray[np.int64],
        parents: NDArray[np.int64],
        tokens: NDArray[np.int32],
        count: int,
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        if not self.calls:
            assert tokens.tolist() == [END] * self.texts
            self.begun = [()] * len(texts)
        else:
            self.begun = [(*self.begun[p], int(t)) for p, t in zip(parents, tokens, strict=True)]
        self.calls.append(len(texts))
        pairs = zip(texts.tolist(), self.begun, strict=True)
        logarithms = np.array([self.log_probabilities(text, begun) for text, begun in pairs])
        ids = np.argsort(-logarithms, axis=1)[:, :count]
        return ids.astype(np.int32), np.take_along_axis(logarithms, ids, axis=1)


class Whole(NamedTuple):
    tokens: list[int]
    log_probability: float
    cut: bool


def every(table: Table, text: int, limit: int, forbidden: tuple[int, ...]) -> list[Whole]:
    """All texts that can be written, by full enumeration."""
    found = []
    others = [t for t in range(table.classes) if t != END and t not in forbidden]
    for length in range(limit + 1):
        for tokens in itertools.product(others, repeat=length):
            total = 0.0
            for place, token in enumerate(tokens):
                total += float(table.log_probabilities(text, tokens[:place])[token])
            if length < limit:
                total += float(table.log_probabilities(text, tokens)[END])
            found.append(Whole([*tokens], total, length == limit))
    return found


def ranked(found: list[Whole], penalty: float) -> list[tuple[list[int], float, bool]]:
    scored = [(t, p / (len(t) + (not cut)) ** penalty, cut) for t, p, cut in found]
    return sorted(scored, key=lambda each: (each[2], -each[1]))


def assert_same(got: list[Hypothesis], wanted: list[tuple[list[int], float, bool]]) -> None:
    assert [(each.tokens, each.cut) for each in got] == [(t, cut) for t, _, cut in wanted]
    scores = [each.score for each in got]
    np.testing.assert_allclose(scores, [s for _, s, _ in wanted], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0])
@pytest.mark.parametrize(("classes", "forbidden"), [(3, ()), (4, ()), (4, (2,))])
def test_a_beam_that_is_wide_enough_finds_all_there_are(
    penalty: float, classes: int, forbidden: tuple[int, ...]
) -> None:
    limits = np.array([3, 1, 4])
    table = Table(classes, len(limits), classes)
    found = beam_search(
        table, limits, end=END, beam=400, length_penalty=penalty, forbidden=forbidden
    )
    for text, (got, limit) in enumerate(zip(found, limits.tolist(), strict=True)):
        assert_same(got, ranked(every(table, text, limit, forbidden), penalty))


def plainly(table: Table, text: int, limit: int, beam: int) -> list[Whole]:
    """The same search, one text at a time and word for word as its definition says."""
    alive: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
    found: list[Whole] = []
    for length in range(1, limit + 1):
        longer = [
            ((*tokens, token), total + float(value))
            for tokens, total in alive
            for token, value in enumerate(table.log_probabilities(text, tokens))
        ]
        best = sorted(longer, key=lambda each: -each[1])[: beam - len(found)]
        found += [Whole([*t[:-1]], total, False) for t, total in best if t[-1] == END]
        alive = [each for each in best if each[0][-1] != END]
        if length == limit:
            found += [Whole([*t], total, True) for t, total in alive]
    return found


@pytest.mark.parametrize("beam", [1, 2, 3, 5])
def test_a_narrow_beam_searches_as_it_is_defined(beam: int) -> None:
    limits = np.array([6, 2, 9, 4, 1, 12])
    table = Table(beam, len(limits), 11)
    found = beam_search(table, limits, end=END, beam=beam)
    for text, (got, limit) in enumerate(zip(found, limits.tolist(), strict=True)):
        assert_same(got, ranked(plainly(table, text, limit, beam), 1.0))
        assert len(got) == beam
    assert table.calls[-1] < max(table.calls)  # what has ended costs nothing any more


def test_what_is_certain_and_what_is_impossible() -> None:
    class Certain:
        def next(
            self, texts: object, parents: object, tokens: NDArray[np.int32], count: int
        ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
            sure = 1 if tokens[0] == END else END
            rows = len(tokens)
            return np.full((rows, 2), [sure, -1], np.int32), np.full((rows, 2), [0.0, -np.inf])

    (found,) = beam_search(Certain(), np.array([9]), end=END, beam=3)
    ((tokens, score, _, cut),) = found
    assert (tokens, cut) == ([1], False)
    assert score == pytest.approx(0.0, abs=1e-6)
    assert beam_search(Certain(), np.array([], np.int64), end=END, beam=3) == []
