"""Layers to try, what the truth about them is, and what the kernel says.

The truth is torch.nn in float64, run on one text at a time, so that it involves no packing; and the
NumPy reference, which agrees with it and also shows the gates.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gatewise import cells, kernels
from gatewise.cells import CELLS, Weights
from gatewise.kernels import machine

LENGTHS = {
    "ragged": (5, 0, 1, 9, 3, 2, 2, 14),
    "equal": (4, 4, 4, 4, 4, 4, 4),
    "ones": (1, 1, 1),
    "one long": (40,),
    "two": (23, 30),
    "all empty": (0, 0),
    "no texts": (),
}
SIZES = ((1, 1), (7, 9), (8, 8), (33, 7), (9, 33), (20, 127))
CASES = [(sizes, "ragged") for sizes in SIZES] + [((7, 9), name) for name in LENGTHS]
CASES.remove(((7, 9), "ragged"))
CASES += [((20, 127), "one long"), ((20, 127), "two")]  # one or two texts have a way of their own
Result = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Case:
    """Inputs of one layer and the gradients of its outputs."""

    cell: str
    x: Any
    offsets: Any
    weights: list[Weights]
    hidden0: Any
    cell0: Any
    d_hidden: Any
    d_final_hidden: Any
    d_final_cell: Any

    def as_type(self, dtype: Any) -> Case:
        def cast(array: Any) -> Any:
            return None if array is None else array.astype(dtype)

        arrays = ("x", "hidden0", "cell0", "d_hidden", "d_final_hidden", "d_final_cell")
        return replace(
            self,
            weights=[Weights(*map(cast, weight)) for weight in self.weights],
            **{name: cast(getattr(self, name)) for name in arrays},
        )


def make_case(
    cell: str, directions: int, sizes: tuple[int, int], lengths: tuple[int, ...], seed: int = 0
) -> Case:
    rng = np.random.default_rng([seed, directions, *sizes, len(lengths)])

    def random(*shape: int, scale: float = 1.0) -> Any:
        return (rng.standard_normal(shape) * scale).astype(np.float32)

    (input_size, size), texts = sizes, len(lengths)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    rows, state = len(CELLS[cell].gates) * size, (directions, texts, size)
    has_cell = CELLS[cell].has_cell
    return Case(
        cell,
        random(offsets[-1], input_size),
        offsets,
        [
            Weights(
                random(rows, input_size, scale=input_size**-0.5),
                random(rows, size, scale=size**-0.5),
                random(rows),
                random(rows),
            )
            for _ in range(directions)
        ],
        random(*state),
        random(*state) if has_cell else None,
        random(offsets[-1], directions * size),
        random(*state),
        random(*state) if has_cell else None,
    )


def results(**named: Any) -> Result:
    """Arrays by name; gradients of weights become one entry per direction and name."""
    d_weights = named.pop("d_weights")
    for direction, weight in enumerate(d_weights):
        for name, part in weight._asdict().items():
            named[f"d_{name}[{direction}]"] = part
    return {name: np.asarray(array) for name, array in named.items() if array is not None}


def by_torch(case: Case) -> Result:
    import torch

    def leaf(array: Any) -> Any:
        return torch.tensor(array, dtype=torch.float64, requires_grad=True)

    options = {} if case.cell in ("lstm", "gru") else {"nonlinearity": "tanh"}
    if case.cell == "rnn_relu":
        options = {"nonlinearity": "relu"}
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}.get(case.cell, torch.nn.RNN)
    size = case.weights[0].weight_hh.shape[1]
    directions = len(case.weights)
    module = kind(case.x.shape[1], size, bidirectional=directions == 2, **options).double()
    for weight, ending in zip(case.weights, ("l0", "l0_reverse"), strict=False):
        for name, part in weight._asdict().items():
            getattr(module, f"{name}_{ending}").data = torch.tensor(part, dtype=torch.float64)
    x, hidden0 = leaf(case.x), leaf(case.hidden0)
    cell0 = leaf(case.cell0) if case.cell0 is not None else None
    hidden = [x.new_zeros(0, directions * size)]
    final_hidden: list[Any] = []
    final_cell: list[Any] = []
    for text, (start, stop) in enumerate(pairwise(case.offsets)):
        first_hidden = hidden0[:, text : text + 1]
        first_cell = cell0[:, text : text + 1] if cell0 is not None else None
        if stop > start:
            first = first_hidden if first_cell is None else (first_hidden, first_cell)
            output, final = module(x[start:stop, None], first)
            hidden.append(output[:, 0])
            first_hidden, first_cell = final if cell0 is not None else (final, None)
        final_hidden.append(first_hidden)
        final_cell.append(first_cell)
    joined = torch.cat(hidden)
    last = torch.cat(final_hidden, 1) if final_hidden else hidden0
    last_cell = cell0
    if cell0 is not None and final_cell:
        last_cell = torch.cat(final_cell, 1)
    loss = (joined * torch.tensor(case.d_hidden)).sum()
    loss = loss + (last * torch.tensor(case.d_final_hidden)).sum()
    if last_cell is not None:
        loss = loss + (last_cell * torch.tensor(case.d_final_cell)).sum()
    torch.autograd.backward(loss)

    def grad(tensor: Any) -> Any:
        return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad

    return results(
        hidden=joined.detach(),
        final_hidden=last.detach(),
        final_cell=None if last_cell is None else last_cell.detach(),
        d_x=grad(x),
        d_hidden0=grad(hidden0),
        d_cell0=None if cell0 is None else grad(cell0),
        d_weights=[
            Weights(*(grad(getattr(module, f"{name}_{ending}")) for name in Weights._fields))
            for ending in ("l0", "l0_reverse")[:directions]
        ],
    )


def by_reference(case: Case) -> Result:
    kind = CELLS[case.cell]
    layer = cells.layer(
        kind, case.x, case.offsets, case.weights, hidden0=case.hidden0, cell0=case.cell0
    )
    gradients = cells.layer_gradients(
        kind,
        case.x,
        case.offsets,
        case.weights,
        layer,
        d_hidden=case.d_hidden,
        d_final_hidden=case.d_final_hidden,
        d_final_cell=case.d_final_cell,
    )
    return results(
        hidden=layer.hidden,
        final_hidden=layer.final_hidden,
        final_cell=layer.final_cell if kind.has_cell else None,
        saved=layer.saved,
        d_x=gradients.d_x,
        d_hidden0=gradients.d_hidden0,
        d_cell0=gradients.d_cell0 if kind.has_cell else None,
        d_weights=gradients.d_weights,
    )


def by_kernel(case: Case, threads: int = 2, precision: str = "fp32") -> Result:
    layer = (case.cell, case.x, case.offsets, case.weights)
    start: dict[str, Any] = {"hidden0": case.hidden0, "cell0": case.cell0}
    start |= {"threads": threads, "precision": precision}
    output = kernels.forward(*layer, **start, save=True)
    gradients = kernels.backward(
        *layer,
        output,
        d_hidden=case.d_hidden,
        d_final_hidden=case.d_final_hidden,
        d_final_cell=case.d_final_cell,
        **start,
    )
    return results(
        hidden=output.hidden,
        final_hidden=output.final_hidden,
        final_cell=output.final_cell,
        saved=output.saved_gates,
        d_x=gradients.d_x,
        d_hidden0=gradients.d_hidden0,
        d_cell0=gradients.d_cell0,
        d_weights=gradients.d_weights,
    )


def check_close(got: Result, truth: Result, tolerance: float) -> None:
    """Compares every array of `truth`, relative to its largest entry.

    An array whose sums cancel to nearly nothing is held against a twentieth of the largest array.
    """
    largest = max(np.abs(wanted).max(initial=0) for wanted in truth.values())
    for name, wanted in truth.items():
        assert got[name].shape == wanted.shape, name
        error = np.abs(got[name] - wanted).max(initial=0)
        assert error <= tolerance * max(np.abs(wanted).max(initial=0), largest / 20), (name, error)


def check_same(got: Result, wanted: Result) -> None:
    assert got.keys() == wanted.keys()
    for name in wanted:
        assert np.array_equal(got[name], wanted[name]), name


cached_torch = cache(lambda *case: by_torch(make_case(*case)))
every_cell = pytest.mark.parametrize("cell", CELLS)
every_direction = pytest.mark.parametrize("directions", [1, 2])
every_case = pytest.mark.parametrize(("sizes", "lengths"), CASES, ids=str)


def instruction_sets() -> list[str]:
    """Those of this machine, or the one that the environment forces."""
    about = kernels.describe()
    available: list[str] = about["available"]
    return [about["in_use"]] if "GATEWISE_KERNEL" in os.environ else available


@contextmanager
def using(instruction_set: str) -> Iterator[None]:
    before = kernels.describe()["in_use"]
    machine.compiled.use_target(instruction_set)
    try:
        yield
    finally:
        machine.compiled.use_target(before)


def sets_with(precision: str) -> list[str]:
    found = []
    for name in instruction_sets():
        with using(name):
            if precision in kernels.precisions():
                found.append(name)
    return found


# A set has the products of those before it too, unless it has better ones of its own.
BFLOAT16, INT8 = sets_with("bf16"), sets_with("int8")[:1]
FLOAT32 = [name for name in instruction_sets() if name not in BFLOAT16 + INT8]
FLOAT32 = FLOAT32 or instruction_sets()
