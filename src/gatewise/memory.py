"""How far recurrent layers remember: the size of the gradient, and two tasks of growing length.

Hochreiter (1991) and Bengio et al. (1994) showed why the gradient of a plain RNN vanishes with the
distance it travels; the LSTM (Hochreiter & Schmidhuber 1997) is the answer, and the copy and adding
tasks are of the kind that paper tests it on. All layers run on the kernels and start as every layer
of Gatewise starts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional

from gatewise import pictures
from gatewise.errors import OptionError
from gatewise.nn.encoder import Encoder
from gatewise.options import CellName
from gatewise.shapes import EncoderShape

Task = Literal["copy", "adding"]
TASKS: tuple[Task, ...] = ("copy", "adding")
CELLS: tuple[CellName, ...] = ("rnn", "gru", "lstm")
LENGTHS = (10, 20, 40, 80)
SYMBOLS = 8
"""Symbols of the copy task that are to be remembered; as many others stand between."""
HIDDEN, BATCH, CHECKED = 32, 32, 512
RATE, CLIP = 0.005, 1.0
EVERY = 50
"""Steps between two looks at how good a layer is."""
LINES: dict[str, tuple[CellName, float]] = {
    "RNN": ("rnn", 1.0),
    "GRU": ("gru", 1.0),
    "LSTM, forget bias 0": ("lstm", 0.0),
    "LSTM, forget bias 1": ("lstm", 1.0),
}
"""Layers whose gradient is measured, with the first forget bias of an LSTM."""


@dataclass(frozen=True)
class Outcome:
    """How a layer did in a task: copy in share of right answers, adding in mean squared error."""

    task: Task
    cell: CellName
    length: int
    solved: bool
    score: float
    steps: int


@dataclass(frozen=True)
class Memory:
    """What was measured.

    `gradients` has for every layer the size of the gradient at each distance from 0, as a share of
    that at distance 0. A layer that failed at a length is not tried at longer ones.
    """

    gradients: dict[str, tuple[float, ...]]
    lengths: tuple[int, ...]
    steps: int
    seed: int
    outcomes: tuple[Outcome, ...]
    seconds: float

    def as_json(self) -> Any:
        """All of it, as JSON can hold it."""
        return msgspec.to_builtins(self)

    def outcome(self, task: Task, cell: CellName, length: int) -> Outcome | None:
        """What a layer did at a length; None if it was not tried."""
        wanted = task, cell, length
        found = (o for o in self.outcomes if (o.task, o.cell, o.length) == wanted)
        return next(found, None)


def measure(
    *,
    lengths: Sequence[int] = LENGTHS,
    steps: int = 2500,
    distance: int = 100,
    seed: int = 0,
    threads: int = 1,
    told: Callable[[Outcome], None] = lambda _: None,
) -> Memory:
    """Measure gradients, and let every cell learn both tasks at growing length.

    Args:
        lengths: of the sequences, rising.
        steps: of training at most, for a task and a length.
        distance: greatest distance of the gradients.
        seed: of weights and sequences.
        threads: that all steps take; they are so small that more than one rarely pays.
        told: is called after every task.

    Raises:
        OptionError: a number is not allowed.
    """
    counts = steps, distance, threads
    if len(lengths) == 0 or min(lengths) < 2 or min(counts) < 1 or seed < 0:
        raise OptionError(
            "Lengths must be from 2, steps, distance and threads from 1, the seed from 0. Got "
            f"lengths {', '.join(map(str, lengths))}, steps {steps}, distance {distance}, threads "
            f"{threads}, seed {seed}."
        )
    started = time.perf_counter()
    lengths = sorted(set(lengths))
    gradients, outcomes, before = {}, [], torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for name, (cell, bias) in LINES.items():
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                found = gradient_sizes(layer(cell, 8, 64, bias), torch.randn(64, distance + 1, 8))
                gradients[name] = tuple((found / found[0]).tolist())
        for task, cell in product(TASKS, CELLS):
            for length in lengths:
                outcomes.append(learn(task, cell, length, steps, seed))
                told(outcomes[-1])
                if not outcomes[-1].solved:
                    break
    finally:
        torch.set_num_threads(before)
    seconds = time.perf_counter() - started
    return Memory(gradients, tuple(lengths), steps, seed, tuple(outcomes), seconds)


def layer(cell: CellName, inputs: int, size: int, forget_bias: float = 1.0) -> nn.RNNBase:
    """A new layer of `size` units, batch first, with Gatewise's first weights."""
    made = Encoder(EncoderShape(cell, 1, inputs, 0, size, 1, False, "last")).recurrent
    assert isinstance(made, nn.RNNBase)
    made.batch_first = True
    if cell == "lstm":
        with torch.no_grad():
            made.get_parameter("bias_ih_l0")[size : 2 * size] = forget_bias
    return made


def gradient_sizes(recurrent: nn.Module, inputs: Tensor) -> Tensor:
    """How much the last state depends on each input before it, by distance from 0, (T,).

    The root of the mean square, over the batch, of the norm of the gradient that one random
    direction of the last state has at the input of that distance.

    Args:
        recurrent: a layer, batch first.
        inputs: (B, T, E).
    """
    inputs = inputs.detach().requires_grad_()
    last = recurrent(inputs)[0][:, -1]
    direction = torch.randn(last.shape[1])
    (gradient,) = torch.autograd.grad((last @ direction).sum(), inputs)
    sizes: Tensor = gradient.norm(dim=2).square().mean(dim=0).sqrt().flip(0)
    return sizes


def copy(batch: int, length: int) -> tuple[Tensor, Tensor]:
    """The first symbol is to be said after all others: (B, T, 2 * SYMBOLS) → (B,)."""
    ids = torch.randint(SYMBOLS, 2 * SYMBOLS, (batch, length))
    ids[:, 0] = torch.randint(SYMBOLS, (batch,))
    return functional.one_hot(ids, 2 * SYMBOLS).float(), ids[:, 0]


def adding(batch: int, length: int) -> tuple[Tensor, Tensor]:
    """Two of T numbers are marked, one in each half; their sum is wanted: (B, T, 2) → (B,)."""
    inputs = torch.zeros(batch, length, 2)
    inputs[:, :, 0].uniform_()
    rows, half = torch.arange(batch), length // 2
    inputs[rows, torch.randint(half, (batch,)), 1] = 1
    inputs[rows, torch.randint(half, length, (batch,)), 1] = 1
    return inputs, inputs.prod(dim=2).sum(dim=1)


def learn(task: Task, cell: CellName, length: int, steps: int, seed: int) -> Outcome:
    """Train one layer on new sequences until it has solved the task or used up its steps.

    Copy counts as solved from 99 % right answers on, adding below a mean squared error of 0.01;
    who always answers the mean has 0.17.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made, sizes = (copy, (2 * SYMBOLS, SYMBOLS)) if task == "copy" else (adding, (2, 1))
        recurrent, head = layer(cell, sizes[0], HIDDEN), nn.Linear(HIDDEN, sizes[1])
        parameters = [*recurrent.parameters(), *head.parameters()]
        optimizer = torch.optim.Adam(parameters, RATE)

        def answer(inputs: Tensor) -> Tensor:
            scores: Tensor = head(recurrent(inputs)[0][:, -1])
            return scores

        for step in range(1, steps + 1):
            inputs, wanted = made(BATCH, length)
            loss = _loss(task, answer(inputs), wanted)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, CLIP)
            optimizer.step()
            if step % EVERY == 0 or step == steps:
                with torch.no_grad():
                    inputs, wanted = made(CHECKED, length)
                    answers = answer(inputs)
                right = (answers.argmax(dim=1) == wanted).float().mean()
                score = float(right if task == "copy" else _loss(task, answers, wanted))
                solved = score >= 0.99 if task == "copy" else score < 0.01
                if solved:
                    break
    return Outcome(task, cell, length, solved, score, step)


def _loss(task: Task, answers: Tensor, wanted: Tensor) -> Tensor:
    if task == "copy":
        return functional.cross_entropy(answers, wanted)
    return functional.mse_loss(answers[:, 0], wanted)


def picture(found: Memory) -> bytes:
    """Gradient against distance, and what was solved at which length, as PNG.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    drawing = pictures.figure(10, 3.8)
    axes, *solved = drawing.subplots(1, 3, width_ratios=(2, 1, 1))
    for name, sizes in found.gradients.items():
        axes.plot(range(len(sizes)), sizes, label=name)
    axes.set(yscale="log", xlabel="distance (steps)", ylabel="gradient, as a share of distance 0")
    axes.legend(frameon=False)
    axes.grid(alpha=0.3)
    for task, part in zip(TASKS, solved, strict=True):
        for row, cell in enumerate(CELLS):
            for place, length in enumerate(found.lengths):
                outcome = found.outcome(task, cell, length)
                good = outcome is not None and outcome.solved
                color = "tab:green" if good else "lightgray" if outcome is None else "tab:red"
                part.barh(row, 0.9, left=place, height=0.8, color=color)
                text = "" if outcome is None else f"{outcome.steps:,}" if good else "no"
                part.text(place + 0.45, row, text, ha="center", va="center", color="white")
        part.set_yticks(range(len(CELLS)), [cell.upper() for cell in CELLS])
        places = [place + 0.45 for place in range(len(found.lengths))]
        part.set_xticks(places, [str(length) for length in found.lengths])
        part.set(title=f"{task}: steps needed", xlabel="length")
        part.invert_yaxis()
    return pictures.png(drawing)
