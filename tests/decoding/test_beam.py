from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from gatewise.decoding import beam
from gatewise.decoding.beam import Hypothesis, beam_search, top

END = 0


class Table:
    """Writes by chance: the scores after a beginning are random, but always the same for it."""

    def __init__(self, seed: int, texts: int, classes: int) -> None:
        self.seed, self.classes = seed, classes
        self.begun: list[tuple[int, ...]] = []
        self.texts = texts
        self.calls: list[int] = []

    def scores(self, text: int, begun: tuple[int, ...]) -> NDArray[np.float32]:
        random = np.random.default_rng([self.seed, text, *begun, 7])
        return (2 * random.normal(size=self.classes)).astype(np.float32)

    def log_probabilities(self, text: int, begun: tuple[int, ...]) -> NDArray[np.float64]:
        scores = self.scores(text, begun).astype(np.float64)
        return np.asarray(scores - np.logaddexp.reduce(scores))

    def next(
        self, texts: NDArray[np.int64], parents: NDArray[np.int64], tokens: NDArray[np.int32]
    ) -> Iterator[NDArray[np.float32]]:
        if not self.calls:
            assert tokens.tolist() == [END] * self.texts
            self.begun = [()] * len(texts)
        else:
            self.begun = [(*self.begun[p], int(t)) for p, t in zip(parents, tokens, strict=True)]
        self.calls.append(len(texts))
        pairs = zip(texts.tolist(), self.begun, strict=True)
        scores = np.array([self.scores(text, begun) for text, begun in pairs])
        yield from np.array_split(scores, [*range(3, len(scores), 3)])


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


@pytest.mark.parametrize("threads", [1, 3])
def test_many_classes_are_searched_as_few_are(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beam, "FEWEST_ROWS", 1)  # blocks of three rows are divided
    limits = np.array([5, 3, 4])
    table = Table(3, len(limits), 5001)
    found = beam_search(table, limits, end=END, beam=4, threads=threads)
    for text, (got, limit) in enumerate(zip(found, limits.tolist(), strict=True)):
        assert_same(got, ranked(plainly(table, text, limit, 4), 1.0))


@pytest.mark.parametrize("size", [1.0, 50.0, 1e3, 1e6])
def test_large_scores_do_not_overflow(size: float) -> None:
    random = np.random.default_rng(4)
    scores = (size * random.normal(size=(6, 9))).astype(np.float32)
    scores[0] += np.float32(8 * size)
    wanted = scores - np.logaddexp.reduce(scores.astype(np.float64), axis=1, keepdims=True)
    ids, values = beam._likeliest(scores.copy(), beam=3, end=END, forbidden=[2])
    order = np.argsort(-np.where(np.isin(np.arange(9), [END, 2]), -np.inf, wanted), axis=1)
    np.testing.assert_array_equal(np.sort(ids[:, 1:], axis=1), np.sort(order[:, :3], axis=1))
    told = np.take_along_axis(wanted, ids.astype(np.int64), axis=1)
    np.testing.assert_allclose(values, told, rtol=1e-6, atol=1e-5)


def test_what_is_certain_and_what_is_impossible() -> None:
    class Certain:
        def next(
            self, texts: object, parents: object, tokens: NDArray[np.int32]
        ) -> Iterator[NDArray[np.float32]]:
            scores = np.full((len(tokens), 3), -np.inf, np.float32)
            scores[:, np.where(tokens[0] == END, 1, END)] = 4.0
            yield scores

    (found,) = beam_search(Certain(), np.array([9]), end=END, beam=3)
    ((tokens, score, _, cut),) = found
    assert (tokens, cut) == ([1], False)
    assert score == pytest.approx(0.0, abs=1e-6)
    assert beam_search(Certain(), np.array([], np.int64), end=END, beam=3) == []


@pytest.mark.parametrize("classes", [5, 2047, 2048, 2049, 4999, 8001])
@pytest.mark.parametrize("count", [1, 5, 200])
def test_top_finds_the_greatest(classes: int, count: int) -> None:
    count = min(count, classes - 1)
    scores = np.random.default_rng(classes).normal(size=(7, classes)).astype(np.float32)
    scores[0, : classes // 2] = -np.inf
    got = np.sort(np.take_along_axis(scores, top(scores, count), axis=1), axis=1)
    np.testing.assert_array_equal(got, np.sort(scores, axis=1)[:, -count:])
    places = top(scores, count)
    assert all(len(set(row)) == count for row in places.tolist())
    assert math.isfinite(float(got[1:].min()))
