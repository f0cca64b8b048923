"""Products in bfloat16, and how walks are divided: by texts or hidden units, few texts at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gatewise import kernels
from gatewise.cells import CELLS, State, Weights, layer
from gatewise.errors import OptionError
from gatewise.kernels import machine

_kernel: Any = machine.compiled
Arrays = dict[str, Any]


def _levels() -> list[str]:
    """The instruction sets of this machine that multiply in bfloat16."""
    before, found = _kernel.target(), []
    for name in _kernel.available_targets():
        _kernel.use_target(name)
        if "bf16" in kernels.precisions():
            found.append(name)
    _kernel.use_target(before)
    return found


LEVELS = _levels()


@pytest.fixture(params=LEVELS or ["none"])
def bf16_level(request: pytest.FixtureRequest) -> Iterator[str]:
    if not LEVELS:
        pytest.skip("This processor has no instructions for bfloat16.")
    before = _kernel.target()
    _kernel.use_target(request.param)
    yield request.param
    _kernel.use_target(before)


@dataclass
class Case:
    cell: str
    x: Any
    offsets: Any
    weights: list[Weights]
    start: Arrays
    d_outputs: Arrays

    def run(self, precision: str, threads: int = 1) -> Arrays:
        """Every output and every gradient, by name."""
        output = kernels.forward(
            self.cell, self.x, self.offsets, self.weights,
            save=True, threads=threads, precision=precision, **self.start,
        )  # fmt: skip
        gradients = kernels.backward(
            self.cell, self.x, self.offsets, self.weights, output,
            threads=threads, precision=precision, **self.start, **self.d_outputs,
        )  # fmt: skip
        found: Arrays = {"hidden": output.hidden, "final_hidden": output.final_hidden}
        found |= {"final_cell": output.final_cell, "d_cell0": gradients.d_cell0}
        found |= {"d_x": gradients.d_x, "d_hidden0": gradients.d_hidden0}
        for direction, weights in enumerate(gradients.d_weights):
            found |= {f"d_{name}[{direction}]": w for name, w in weights._asdict().items()}
        return {name: array for name, array in found.items() if array is not None}


def make_case(cell: str, lengths: Any, sizes: tuple[int, int], directions: int = 2) -> Case:
    rng = np.random.default_rng([len(lengths), *sizes])

    def random(*shape: int, scale: float = 1.0) -> Any:
        return (rng.standard_normal(shape) * scale).astype(np.float32)

    (width, size), rows = sizes, len(CELLS[cell].gates) * sizes[1]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    state = (directions, len(lengths), size)
    start = {"hidden0": random(*state)}
    d_outputs = {"d_hidden": random(offsets[-1], directions * size)}
    d_outputs["d_final_hidden"] = random(*state)
    if CELLS[cell].has_cell:
        start["cell0"] = random(*state)
        d_outputs["d_final_cell"] = random(*state)
    weights = [
        Weights(
            random(rows, width, scale=width**-0.5),
            random(rows, size, scale=size**-0.5),
            random(rows),
            random(rows),
        )
        for _ in range(directions)
    ]
    return Case(cell, random(offsets[-1], width), offsets, weights, start, d_outputs)


def rounded(array: Any) -> Any:
    """To the nearest number of 8 bits of mantissa, ties to even, as float64."""
    bits = array.astype(np.float32).view(np.uint32)
    bits = bits + 0x7FFF + ((bits >> 16) & 1)
    return (bits & 0xFFFF0000).astype(np.uint32).view(np.float32).astype(np.float64)


def apart(found: Any, wanted: Any) -> float:
    """Norm of the difference over the norm of what is wanted."""
    return float(np.linalg.norm(found - wanted)) / max(float(np.linalg.norm(wanted)), 1e-30)


def one_step(case: Case) -> Arrays:
    """The reference for texts of one token, in float64 with rounded operands."""
    cell = CELLS[case.cell]
    found: Arrays = {}
    hidden: list[Any] = []
    d_x: Any = 0.0
    for d, weight in enumerate(case.weights):
        w_ih, w_hh = rounded(weight.weight_ih), rounded(weight.weight_hh)
        texts, size = len(case.x), w_hh.shape[1]
        cell0 = case.start.get("cell0", np.zeros((2, texts, 0)))[d].astype(np.float64)
        before = State(case.start["hidden0"][d].astype(np.float64), cell0)
        inputs = rounded(case.x) @ w_ih.T + weight.bias_ih
        hiddens = rounded(before.hidden) @ w_hh.T + weight.bias_hh
        saved, after = cell.step(inputs, hiddens, before)
        d_hidden = case.d_outputs["d_hidden"][:, d * size : (d + 1) * size]
        d_cell = case.d_outputs.get("d_final_cell", np.zeros((2, texts, 0)))[d]
        d_after = State(d_hidden + case.d_outputs["d_final_hidden"][d].astype(np.float64), d_cell)
        d_inputs, d_hiddens, d_before = cell.gradient(saved, before, after, d_after)
        d_inputs, d_hiddens = rounded(d_inputs), rounded(d_hiddens)
        hidden.append(after.hidden)
        d_x = d_x + d_inputs @ w_ih
        found[f"d_weight_ih[{d}]"] = d_inputs.T @ rounded(case.x)
        found[f"d_weight_hh[{d}]"] = d_hiddens.T @ rounded(before.hidden)
        found[f"d_bias_ih[{d}]"] = d_inputs.sum(0)
        found[f"d_bias_hh[{d}]"] = d_hiddens.sum(0)
        found[f"d_hidden0[{d}]"] = d_before.hidden + d_hiddens @ w_hh
    return found | {"hidden": np.concatenate(hidden, axis=1), "d_x": d_x}


@pytest.mark.parametrize("sizes", [(1, 5), (7, 9), (33, 31), (64, 48), (65, 130)])
@pytest.mark.parametrize("cell", CELLS)
def test_one_step_multiplies_rounded_numbers(
    cell: str, sizes: tuple[int, int], bf16_level: str
) -> None:
    case = make_case(cell, [1] * 37, sizes)
    found, wanted = case.run("bf16"), one_step(case)
    found |= {f"d_hidden0[{d}]": found["d_hidden0"][d] for d in range(2)}
    np.testing.assert_allclose(found["hidden"], wanted.pop("hidden"), atol=2e-6)
    for name, array in wanted.items():
        assert apart(found[name], array) < 3e-4, name  # a rare tie may round the other way


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("sizes", [(5, 3), (64, 128), (100, 100), (33, 65)])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_many_steps_stay_close_to_fp32(
    cell: str, sizes: tuple[int, int], directions: int, bf16_level: str
) -> None:
    lengths = [*range(30), 1, 1, 0, 200]
    case = make_case(cell, lengths, sizes, directions)
    exact, rough = case.run("fp32"), case.run("bf16")
    differences = {name: apart(rough[name], array) for name, array in exact.items()}
    assert max(differences.values()) < 0.02, differences
    assert differences["d_x"] > 1e-4  # it does round


@pytest.mark.parametrize("cell", CELLS)
def test_any_number_of_threads_gives_the_same_bits(cell: str, bf16_level: str) -> None:
    case = make_case(cell, [9, 0, 40, 1, 17, 30, 30, 2], (33, 65))
    alone = case.run("bf16")
    for threads in (2, 3, 8):
        for name, array in case.run("bf16", threads).items():
            assert np.array_equal(array, alone[name]), (threads, name)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("cell", CELLS)
def test_a_text_alone_and_in_a_batch_gives_the_same_bits(cell: str, precision: str) -> None:
    if precision not in kernels.precisions():
        pytest.skip("This processor has no instructions for bfloat16.")
    lengths = [60, 25, 24, 1, 70, 3, 49, 30]
    case = make_case(cell, lengths, (9, 70))
    whole = case.run(precision)["hidden"]
    for texts in (1, 2, 3):
        rows = slice(case.offsets[3], case.offsets[3 + texts])
        start = {name: state[:, 3 : 3 + texts].copy() for name, state in case.start.items()}
        offsets = case.offsets[3 : 4 + texts] - case.offsets[3]
        few = kernels.forward(
            cell, case.x[rows], offsets, case.weights, precision=precision, **start
        )
        assert np.array_equal(few.hidden, whole[rows])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("lengths", [[30], [4, 27, 3], [2] * 20])
def test_layers_divided_by_hidden_units(lengths: list[int], precision: str) -> None:
    if precision not in kernels.precisions():
        pytest.skip("This processor has no instructions for bfloat16.")
    case = make_case("lstm", lengths, (500, 530), directions=1)
    alone = case.run(precision)
    for threads in (2, 3):
        for name, array in case.run(precision, threads).items():
            assert np.array_equal(array, alone[name]), (threads, name)
    if precision == "fp32":
        wanted = layer(
            CELLS["lstm"], case.x.astype(np.float64), case.offsets, case.weights, **case.start
        )
        np.testing.assert_allclose(alone["hidden"], wanted.hidden, atol=3e-6)


def test_a_precision_that_is_not_there_is_refused() -> None:
    case = make_case("lstm", [2], (3, 4))
    with pytest.raises(OptionError, match=r"^The precision must be one of fp32, bf16, int8\. Got"):
        case.run("fp8")
    code = "from gatewise import kernels; print(kernels.chosen_precision('auto'))\n"
    code += "kernels.chosen_precision('bf16')"
    name = _kernel.available_targets()[0]
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "GATEWISE_KERNEL": name}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.stdout == "fp32\n"
    assert run.stderr.endswith(
        "The precision bf16 needs a processor with AMX or AVX512-BF16. The instruction set in use "
        f"here is {name}: choose fp32.\n"
    )


def whole_numbers(rows: Any) -> Any:
    """Every row rounded to whole numbers up to 127 times its scale, as float64."""
    scale = np.abs(rows).max(axis=1, keepdims=True).astype(np.float64) / 127
    return np.rint(rows / np.where(scale > 0, scale, 1)) * scale


int8 = pytest.mark.skipif("int8" not in kernels.precisions(), reason="No instructions for int8.")


@int8
@pytest.mark.parametrize("sizes", [(1, 5), (7, 9), (33, 31), (64, 48), (65, 130)])
@pytest.mark.parametrize("cell", CELLS)
def test_one_step_multiplies_whole_numbers(cell: str, sizes: tuple[int, int]) -> None:
    case = make_case(cell, [1] * 37, sizes)
    found = kernels.forward(
        cell, case.x, case.offsets, case.weights, precision="int8", **case.start
    ).hidden
    coarse = [
        weight._replace(
            weight_ih=whole_numbers(weight.weight_ih), weight_hh=whole_numbers(weight.weight_hh)
        )
        for weight in case.weights
    ]
    for d, weight in enumerate(coarse):
        hidden0 = case.start["hidden0"][d].astype(np.float64)
        cell0 = case.start.get("cell0", np.zeros((2, 37, 0)))[d].astype(np.float64)
        inputs = whole_numbers(case.x) @ weight.weight_ih.T + weight.bias_ih
        hiddens = whole_numbers(hidden0) @ weight.weight_hh.T + weight.bias_hh
        _, after = CELLS[cell].step(inputs, hiddens, State(hidden0, cell0))
        wrong = np.abs(found[:, d * sizes[1] : (d + 1) * sizes[1]] - after.hidden) > 1e-5
        assert wrong.mean() < 0.01  # a rare tie may round the other way


@int8
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_int8_stays_close_to_fp32_alone_and_in_any_batch(cell: str) -> None:
    case = make_case(cell, [30, 0, 55, 1, 200, 7], (64, 100))
    exact = kernels.forward(cell, case.x, case.offsets, case.weights, **case.start).hidden
    prepared = kernels.Prepared(cell, case.weights, precision="int8")
    rough = prepared.forward(case.x, case.offsets, threads=3, **case.start).hidden
    assert 1e-4 < apart(rough, exact) < 0.02
    for text, (first, last) in enumerate(pairwise(case.offsets)):
        start = {name: state[:, text : text + 1].copy() for name, state in case.start.items()}
        offsets = np.array([0, last - first])
        alone = prepared.forward(case.x[first:last], offsets, threads=1, **start).hidden
        assert np.array_equal(alone, rough[first:last])


@int8
def test_int8_has_no_gradient_and_keeps_nan() -> None:
    case = make_case("lstm", [3], (4, 5))
    with pytest.raises(OptionError, match=r"^The precision int8 is for answers: it has no gradie"):
        case.run("int8")
    case.x[1, 2] = np.nan
    hidden = kernels.forward("lstm", case.x, case.offsets, case.weights, precision="int8").hidden
    forward = hidden[:, :5]
    assert np.isfinite(forward[0]).all()
    assert np.isnan(forward[1:]).all()
