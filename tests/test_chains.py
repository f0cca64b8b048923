"""Sums over paths, best paths and the CRF's gradient against an enumeration of every path."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gatewise.chains import Chain, Sums, side_by_side
from gatewise.decoding.viterbi import best_paths
from gatewise.nn import CRF

Doubles = NDArray[np.float64]


class Case(NamedTuple):
    """A ragged batch of scores and what paths score beside them."""

    scores: Doubles
    offsets: NDArray[np.int64]
    chain: Chain

    def rows(self) -> Iterator[Doubles]:
        """Scores of every sequence, (T, L)."""
        return iter(np.split(self.scores, self.offsets[1:-1]))


def case(seed: int) -> Case:
    """Sequences of 0 to 5 tokens and 1 to 4 labels; in a third of the cases steps are forbidden."""
    random = np.random.default_rng(seed)
    labels = int(random.integers(1, 5))
    lengths = random.integers(0, 6, random.integers(1, 4))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    scale = random.choice([0.1, 1.0, 10.0, 300.0])
    parts = [scale * random.normal(size=s) for s in ((labels, labels), labels, labels)]
    if seed % 3 == 0 and labels > 1:
        parts[0][0, 1:] = -np.inf  # one way to go on is left
        parts[1][1] = -np.inf
    return Case(scale * random.normal(size=(offsets[-1], labels)), offsets, Chain(*parts))


def paths_of(scores: Doubles, chain: Chain) -> tuple[NDArray[np.int64], Doubles]:
    """Every path of one sequence, (P, T), and what it scores by the definition, (P,)."""
    paths = np.array(list(itertools.product(range(scores.shape[1]), repeat=len(scores))))
    totals = chain.start[paths[:, 0]] + chain.end[paths[:, -1]]
    totals = totals + scores[np.arange(len(scores)), paths].sum(axis=1)
    return paths, totals + chain.transitions[paths[:, :-1], paths[:, 1:]].sum(axis=1)


CASES = range(1000)


def test_sums_and_marginals_are_those_of_all_paths() -> None:
    for seed in CASES:
        scores, offsets, chain = given = case(seed)
        walk = side_by_side(offsets)
        sums = Sums(scores[walk.rows], walk, chain)
        totals = dict(zip(walk.order.tolist(), sums.log_total, strict=True))
        marginals = np.empty_like(scores)
        marginals[walk.rows] = sums.marginals()
        followed = np.zeros_like(chain.transitions)
        for row, part in enumerate(given.rows()):
            if not len(part):
                assert row not in totals
                continue
            paths, every = paths_of(part, chain)
            total = every.max() + np.log(np.exp(every - every.max()).sum())
            np.testing.assert_allclose(totals[row], total, rtol=1e-9, atol=1e-9)
            chances = np.exp(every - total)
            wanted = np.zeros_like(part)
            for step in range(len(part)):
                np.add.at(wanted[step], paths[:, step], chances)
            for step in range(1, len(part)):
                np.add.at(followed, (paths[:, step - 1], paths[:, step]), chances)
            found = marginals[offsets[row] : offsets[row + 1]]
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(sums.transitions(), followed, rtol=1e-9, atol=1e-9)


def test_the_best_paths_are_the_best_of_all() -> None:
    for seed in CASES:
        given, count = case(seed), (1, 2, 5)[seed % 3]
        paths, totals = best_paths(given.scores, given.offsets, given.chain, count)
        for row, part in enumerate(given.rows()):
            if not len(part):
                assert totals[row].tolist() == [0.0] + [-np.inf] * (count - 1)
                continue
            possible, every = paths_of(part, given.chain)
            best = np.argsort(-every)[:count]
            best = best[every[best] > -np.inf]
            tokens = slice(given.offsets[row], given.offsets[row + 1])
            np.testing.assert_array_equal(paths[: len(best), tokens], possible[best])
            np.testing.assert_allclose(totals[row, : len(best)], every[best], rtol=1e-9, atol=1e-9)
            assert (totals[row, len(best) :] == -np.inf).all()


def test_the_loss_of_a_crf_and_its_gradient_are_those_of_the_enumerated_one() -> None:
    for seed in CASES:
        scores, offsets, chain = given = case(seed)
        if not np.isfinite(chain.transitions).all():
            continue
        random = np.random.default_rng(seed)
        labels = random.integers(0, scores.shape[1], len(scores))
        crf = CRF(scores.shape[1]).double()
        with torch.no_grad():
            for name, part in chain._asdict().items():
                getattr(crf, name).copy_(torch.from_numpy(part))
        inputs = [torch.from_numpy(scores).requires_grad_(), *crf.parameters()]
        arguments = torch.from_numpy(offsets), torch.from_numpy(labels)
        loss = crf(inputs[0], *arguments)
        (3 * loss).backward()  # a gradient that is passed on is passed on whole
        found = [x.grad for x in inputs]
        wanted_loss = enumerated(inputs, offsets, labels)
        np.testing.assert_allclose(loss.item(), wanted_loss.item(), rtol=1e-9, atol=1e-9)
        wanted = torch.autograd.grad(3 * wanted_loss, inputs, allow_unused=True)
        for ours, theirs, x in zip(found, wanted, inputs, strict=True):
            expected = torch.zeros_like(x) if theirs is None else theirs
            torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-8)
        assert len(list(given.rows())) == len(offsets) - 1


def enumerated(
    inputs: list[torch.Tensor], offsets: NDArray[np.int64], labels: NDArray[np.int64]
) -> torch.Tensor:
    """The negative log-likelihood by a sum over every path, for autograd."""
    scores, transitions, start, end = inputs
    loss = (scores * 0).sum()
    for first, stop in itertools.pairwise(offsets.tolist()):
        if first == stop:
            continue

        steps = torch.arange(first, stop)
        every = torch.tensor(list(itertools.product(range(len(start)), repeat=stop - first)))
        true = torch.from_numpy(labels[first:stop])[None]
        every_total, true_total = (
            start[paths[:, 0]]
            + end[paths[:, -1]]
            + scores[steps, paths].sum(1)
            + transitions[paths[:, :-1], paths[:, 1:]].sum(1)
            for paths in (every, true)
        )
        loss = loss + every_total.logsumexp(0) - true_total[0]
    return loss


def test_far_apart_scores_stay_finite() -> None:
    crf = CRF(3)
    scores = torch.tensor([[1e4, -1e4, 0], [-1e4, 1e4, 0]], requires_grad=True)
    loss = crf(scores, torch.tensor([0, 2]), torch.tensor([2, 0]))
    loss.backward()
    assert loss.item() == pytest.approx(3e4)
    assert scores.grad is not None
    assert torch.equal(scores.grad, torch.tensor([[1.0, 0, -1], [-1, 1, 0]]))


def test_a_batch_of_empty_sequences_costs_nothing() -> None:
    crf = CRF(3)
    loss = crf(torch.zeros(0, 3), torch.tensor([0, 0, 0]), torch.zeros(0, dtype=torch.int64))
    loss.backward()
    assert loss.item() == 0
    for part in crf.parameters():
        assert part.grad is not None
        assert not part.grad.any()
    paths, totals = best_paths(np.zeros((0, 3)), np.array([0, 0, 0]), crf.chain())
    assert paths.shape == (1, 0)
    assert totals.tolist() == [[0.0], [0.0]]
