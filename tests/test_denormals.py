"""Numbers below 1e-38 are numbers to the kernel, which leaves the processor's modes as they were.

bfloat16 products are left out: the processor's instructions for them take denormals for zeros.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gatewise.cells import Weights
from layer_cases import (
    BFLOAT16,
    FLOAT32,
    Case,
    by_kernel,
    by_reference,
    every_cell,
    make_case,
    using,
)

SMALLEST = 1.4e-45
every_machine = pytest.mark.parametrize("machine", FLOAT32)


def float_control() -> tuple[int, ...]:
    """What decides how this thread computes: rounding, and whether denormals become zeros."""
    words = (ctypes.c_uint32 * 64)()
    assert ctypes.CDLL("libm.so.6").fegetenv(words) == 0
    if platform.machine() == "aarch64":
        return (words[0],)  # FPCR
    return words[0] & 0xFFFF, words[7] & 0xFFC0  # x87 control word, MXCSR without what happened


def without_bias(case: Case) -> Case:
    """The same with no biases and no start states, so that small inputs have small outputs."""
    return replace(
        case,
        weights=[Weights(w.weight_ih, w.weight_hh, None, None) for w in case.weights],
        hidden0=None,
        cell0=None,
    )


def check_denormal(got: Any, truth: Any) -> None:
    largest = np.abs(truth).max()
    assert 1e-41 < largest < 1e-38
    assert np.abs(got - truth).max() < largest * 1e-5 + 200 * SMALLEST


@every_machine
@every_cell
def test_small_inputs_give_small_states(cell: str, machine: str) -> None:
    case = without_bias(make_case(cell, 2, (64, 65), (4,) * 60))
    case = replace(case, x=case.x * np.float32(2e-40))
    with using(machine):
        got = by_kernel(case, threads=3)
    truth = by_reference(case.as_type(np.float64))
    for name in ("hidden", "final_hidden"):
        check_denormal(got[name], truth[name])


@every_machine
@every_cell
def test_small_gradients_stay_gradients(cell: str, machine: str) -> None:
    case = make_case(cell, 2, (64, 65), (4,) * 60)
    small = np.float32(2e-41)
    case = replace(
        case,
        d_hidden=case.d_hidden * small,
        d_final_hidden=case.d_final_hidden * small,
        d_final_cell=None if case.d_final_cell is None else case.d_final_cell * small,
    )
    with using(machine):
        got = by_kernel(case, threads=3)
    truth = by_reference(case.as_type(np.float64))
    for name in ("d_x", "d_hidden0", "d_bias_ih[0]", "d_weight_hh[1]"):
        check_denormal(got[name], truth[name])


@pytest.mark.skipif(sys.platform != "linux", reason="The layout of fenv_t is glibc's.")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@every_cell
def test_calls_leave_the_processor_s_modes_alone(cell: str, precision: str) -> None:
    machines = FLOAT32 if precision == "fp32" else BFLOAT16
    if not machines:
        pytest.skip("No instruction set here has products in bfloat16.")
    case = make_case(cell, 2, (64, 65), (100, 3, 80, 0, 60))
    before = float_control()
    for machine in machines:
        with using(machine):
            by_kernel(case, threads=3, precision=precision)
        assert float_control() == before, machine
