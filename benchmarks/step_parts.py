"""A training step in turns against others, and cut into its parts."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from plain import PaddedBatch, PlainNetwork, PlainOptimizer
from steps import GatewiseNetwork, Places, Reviews
from torch import Tensor

from gatewise.options import LARGEST
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.training.loop import train
from gatewise.training.optimizer import Optimizer
from gatewise.training.progress import Progress

PARTS = [
    "batch out of ids",
    "embedding, dropout",
    "recurrent layer",
    "pooling, head, loss",
    "pooling, head, loss: gradient",
    "recurrent layer: gradient",
    "embedding, dropout: gradient",
    "norm of the gradient",
    "optimizer",
]
Turns = Iterator[float]
"""Seconds of one turn after the other; asking for the next one runs it."""


class Cut(Protocol):
    """A network whose step can be cut."""

    def embed(self, batch: Any) -> Tensor: ...
    def recur(self, values: Tensor, batch: Any) -> tuple[Tensor, Tensor]: ...
    def classify(self, hidden: Tensor, final: Tensor, batch: Any) -> Tensor: ...


def gatewise_turns(
    network: GatewiseNetwork, reviews: Reviews, turns: Sequence[Sequence[Places]]
) -> Turns:
    """Gatewise's own loop, which takes every turn for an epoch."""
    training = ClassifierTraining(epochs=len(turns), patience=LARGEST)
    steps = sum(map(len, turns))
    with Progress(steps, len(turns), "accuracy", quiet=True) as progress:
        epochs = train(
            network,
            network.loss,
            lambda number: (reviews.batch(places) for places in turns[number - 1]),
            lambda: None,
            training,
            steps,
            progress,
        )
        for epoch in epochs:
            yield epoch.seconds


def plain_turns(
    network: PlainNetwork,
    optimizer: PlainOptimizer,
    reviews: Reviews,
    turns: Sequence[Sequence[Places]],
) -> Turns:
    """The loop that everybody writes."""
    for turn in turns:
        started = time.perf_counter()
        for places in turn:
            batch = PaddedBatch.of(reviews, places)
            optimizer.zero_grad()
            loss = network.loss(batch)
            loss.backward()  # type: ignore[no-untyped-call]
            loss.item()
            optimizer.step(optimizer.gradient_norm())
        yield time.perf_counter() - started


def race(contenders: Mapping[str, Turns], count: int) -> dict[str, list[float]]:
    """Seconds of so many turns of every contender, one after the other; the first is left out."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(count):
        for name, turns in contenders.items():
            time.sleep(0.01)
            seconds = next(turns)
            if number:
                found[name].append(seconds)
    for turns in contenders.values():
        # Gatewise's loop gives the network back when it has ended.
        next(turns, None)
    return found


class Stopwatch:
    """Adds up the seconds of named parts."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        """Time what happens inside."""
        started = time.perf_counter()
        yield
        self.seconds[part] += time.perf_counter() - started


def cut_step(
    network: GatewiseNetwork | PlainNetwork,
    optimizer: Optimizer | PlainOptimizer,
    reviews: Reviews,
    places: Places,
    watch: Stopwatch,
) -> None:
    """One step; the graph is cut between the parts, so that each gradient is timed alone."""
    cut: Cut = network
    with watch(PARTS[0]):
        ours = isinstance(network, GatewiseNetwork)
        batch: Any = reviews.batch(places) if ours else PaddedBatch.of(reviews, places)
    optimizer.zero_grad()
    with watch(PARTS[1]):
        values = cut.embed(batch)
    x = values.detach().requires_grad_()
    with watch(PARTS[2]):
        states = cut.recur(x, batch)
    hidden, final = (state.detach().requires_grad_() for state in states)
    with watch(PARTS[3]):
        loss = cut.classify(hidden, final, batch)
        loss.item()
    with watch(PARTS[4]):
        loss.backward()  # type: ignore[no-untyped-call]
    with watch(PARTS[5]):
        torch.autograd.backward(states, [hidden.grad, final.grad])
    with watch(PARTS[6]):
        values.backward(x.grad)  # type: ignore[no-untyped-call]
    with watch(PARTS[7]):
        norm = optimizer.gradient_norm()
    with watch(PARTS[8]):
        optimizer.step(norm)
