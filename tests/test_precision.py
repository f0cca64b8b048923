"""Products in bfloat16, and how walks are divided: by texts or hidden units, few texts at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gatewise import kernels
from gatewise.cells import CELLS, State
from gatewise.errors import OptionError
from layer_cases import (
    BFLOAT16,
    Case,
    by_kernel,
    by_reference,
    check_close,
    check_same,
    every_cell,
    make_case,
    using,
)

Arrays = dict[str, Any]
every_sizes = pytest.mark.parametrize("sizes", [(1, 5), (7, 9), (33, 31), (64, 48), (65, 130)])


@pytest.fixture(params=BFLOAT16 or ["none"])
def bf16_level(request: pytest.FixtureRequest) -> Iterator[str]:
    if not BFLOAT16:
        pytest.skip("This processor has no instructions for bfloat16.")
    with using(request.param):
        yield request.param


def start_of(case: Case, texts: slice = slice(None)) -> Arrays:
    """The states that some texts start from, as the kernel's arguments."""
    states = {"hidden0": case.hidden0, "cell0": case.cell0}
    return {n: None if s is None else s[:, texts].copy() for n, s in states.items()}


def rounded(array: Any) -> Any:
    """To the nearest number of 8 bits of mantissa, ties to even, as float64."""
    bits = array.astype(np.float32).view(np.uint32)
    bits = bits + 0x7FFF + ((bits >> 16) & 1)
    return (bits & 0xFFFF0000).astype(np.uint32).view(np.float32).astype(np.float64)


def cell0_of(case: Case) -> Any:
    """Cell states to start from as float64, (D, B, H), or (D, B, 0) for cells without one."""
    empty = np.zeros((*case.hidden0.shape[:2], 0))
    return empty if case.cell0 is None else case.cell0.astype(np.float64)


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
        cell0 = cell0_of(case)[d]
        before = State(case.hidden0[d].astype(np.float64), cell0)
        inputs = rounded(case.x) @ w_ih.T + weight.bias_ih
        hiddens = rounded(before.hidden) @ w_hh.T + weight.bias_hh
        saved, after = cell.step(inputs, hiddens, before)
        d_hidden = case.d_hidden[:, d * size : (d + 1) * size]
        d_cell = np.zeros((texts, 0)) if case.d_final_cell is None else case.d_final_cell[d]
        d_after = State(d_hidden + case.d_final_hidden[d].astype(np.float64), d_cell)
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


@every_sizes
@every_cell
def test_one_step_multiplies_rounded_numbers(
    cell: str, sizes: tuple[int, int], bf16_level: str
) -> None:
    case = make_case(cell, 2, sizes, (1,) * 37)
    found, wanted = by_kernel(case, precision="bf16"), one_step(case)
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
    case = make_case(cell, directions, sizes, (*range(30), 1, 1, 0, 200))
    exact, rough = by_kernel(case), by_kernel(case, precision="bf16")
    differences = {name: apart(rough[name], array) for name, array in exact.items()}
    assert max(differences.values()) < 0.02, differences
    assert differences["d_x"] > 1e-4  # it does round


@every_cell
def test_any_number_of_threads_gives_the_same_bits(cell: str, bf16_level: str) -> None:
    case = make_case(cell, 2, (33, 65), (9, 0, 40, 1, 17, 30, 30, 2))
    alone = by_kernel(case, 1, "bf16")
    for threads in (2, 3, 8):
        check_same(by_kernel(case, threads, "bf16"), alone)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@every_cell
def test_a_text_alone_and_in_a_batch_gives_the_same_bits(cell: str, precision: str) -> None:
    if precision not in kernels.precisions():
        pytest.skip("This processor has no instructions for bfloat16.")
    case = make_case(cell, 2, (9, 70), (60, 25, 24, 1, 70, 3, 49, 30))
    whole = by_kernel(case, precision=precision)["hidden"]
    for texts in (1, 2, 3):
        rows = slice(case.offsets[3], case.offsets[3 + texts])
        start = start_of(case, slice(3, 3 + texts))
        offsets = case.offsets[3 : 4 + texts] - case.offsets[3]
        few = kernels.forward(
            cell, case.x[rows], offsets, case.weights, precision=precision, **start
        )
        assert np.array_equal(few.hidden, whole[rows])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("lengths", [(30,), (4, 27, 3), (2,) * 20])
def test_layers_divided_by_hidden_units(lengths: tuple[int, ...], precision: str) -> None:
    if precision not in kernels.precisions():
        pytest.skip("This processor has no instructions for bfloat16.")
    case = make_case("lstm", 1, (500, 530), lengths)
    alone = by_kernel(case, 1, precision)
    for threads in (2, 3):
        check_same(by_kernel(case, threads, precision), alone)
    if precision == "fp32":
        wanted = by_reference(case.as_type(np.float64))
        np.testing.assert_allclose(alone["hidden"], wanted["hidden"], atol=3e-6)
        check_close(alone, wanted, 2e-5)


def test_a_precision_that_is_not_there_is_refused() -> None:
    case = make_case("lstm", 2, (3, 4), (2,))
    with pytest.raises(OptionError, match=r"^The precision must be one of fp32, bf16, int8\. Got"):
        by_kernel(case, precision="fp8")
    with pytest.raises(OptionError, match=r"fp32, bf16, int8 or auto\. Got 'fp8'\.$"):
        kernels.chosen_precision("fp8")
    code = "from gatewise import kernels; print(kernels.chosen_precision('auto'))\n"
    code += "kernels.chosen_precision('bf16')"
    name = kernels.describe()["available"][0]
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
@every_sizes
@every_cell
def test_one_step_multiplies_whole_numbers(cell: str, sizes: tuple[int, int]) -> None:
    case = make_case(cell, 2, sizes, (1,) * 37)
    found = kernels.forward(
        cell, case.x, case.offsets, case.weights, precision="int8", **start_of(case)
    ).hidden
    coarse = [
        weight._replace(
            weight_ih=whole_numbers(weight.weight_ih), weight_hh=whole_numbers(weight.weight_hh)
        )
        for weight in case.weights
    ]
    for d, weight in enumerate(coarse):
        hidden0 = case.hidden0[d].astype(np.float64)
        cell0 = cell0_of(case)[d]
        inputs = whole_numbers(case.x) @ weight.weight_ih.T + weight.bias_ih
        hiddens = whole_numbers(hidden0) @ weight.weight_hh.T + weight.bias_hh
        _, after = CELLS[cell].step(inputs, hiddens, State(hidden0, cell0))
        wrong = np.abs(found[:, d * sizes[1] : (d + 1) * sizes[1]] - after.hidden) > 1e-5
        assert wrong.mean() < 0.01  # a rare tie may round the other way


@int8
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_int8_stays_close_to_fp32_alone_and_in_any_batch(cell: str) -> None:
    case = make_case(cell, 2, (64, 100), (30, 0, 55, 1, 200, 7))
    exact = kernels.forward(cell, case.x, case.offsets, case.weights, **start_of(case)).hidden
    prepared = kernels.Prepared(cell, case.weights, precision="int8")
    rough = prepared.forward(case.x, case.offsets, threads=3, **start_of(case)).hidden
    assert 1e-4 < apart(rough, exact) < 0.02
    for text, (first, last) in enumerate(pairwise(case.offsets)):
        start = start_of(case, slice(text, text + 1))
        offsets = np.array([0, last - first])
        alone = prepared.forward(case.x[first:last], offsets, threads=1, **start).hidden
        assert np.array_equal(alone, rough[first:last])


@int8
def test_int8_has_no_gradient_and_keeps_nan() -> None:
    case = make_case("lstm", 2, (4, 5), (3,))
    with pytest.raises(OptionError, match=r"^The precision int8 is for answers: it has no gradie"):
        by_kernel(case, precision="int8")
    case.x[1, 2] = np.nan
    hidden = kernels.forward("lstm", case.x, case.offsets, case.weights, precision="int8").hidden
    forward = hidden[:, :5]
    assert np.isfinite(forward[0]).all()
    assert np.isnan(forward[1:]).all()
