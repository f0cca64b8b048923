"""Eight Python threads that use one layer at once get the bits that each would get alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from gatewise import kernels
from layer_cases import (
    BFLOAT16,
    FLOAT32,
    INT8,
    Case,
    by_kernel,
    check_same,
    every_cell,
    make_case,
    results,
    using,
)

CALLERS = 8
MACHINES = [(name, "fp32") for name in FLOAT32] + [(name, "bf16") for name in BFLOAT16]
ANSWERING = MACHINES + [(name, "int8") for name in INT8]


def at_once(work: Any) -> None:
    """Calls work(caller) several times in each of eight threads, which start together."""
    start = Barrier(CALLERS)

    def repeat(caller: int) -> None:
        start.wait()
        for _ in range(3):
            work(caller)

    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(repeat, range(CALLERS)))


def batches(cell: str) -> list[Case]:
    """A batch per caller, large enough for several threads, for layers of the same weights."""
    cases = [make_case(cell, 2, (64, 65), (100, 3, 80, 0, 60), seed) for seed in range(CALLERS)]
    for case in cases:
        case.weights[:] = cases[0].weights
    return cases


@pytest.mark.parametrize(("machine", "precision"), ANSWERING)
@every_cell
def test_one_prepared_layer_serves_all_callers(cell: str, machine: str, precision: str) -> None:
    cases = batches(cell)
    with using(machine):
        prepared = kernels.Prepared(cell, cases[0].weights, precision=precision)

    def answer(caller: int, threads: int) -> Any:
        case = cases[caller]
        output = prepared.forward(
            case.x, case.offsets, hidden0=case.hidden0, cell0=case.cell0, threads=threads
        )
        return results(
            hidden=output.hidden,
            final_hidden=output.final_hidden,
            final_cell=output.final_cell,
            d_weights=[],
        )

    wanted = [answer(caller, threads=1) for caller in range(CALLERS)]
    # Some ask for one thread and some for four.
    at_once(lambda caller: check_same(answer(caller, 1 + caller % 4), wanted[caller]))


@pytest.mark.parametrize(("machine", "precision"), MACHINES)
@every_cell
def test_gradients_of_many_callers_do_not_mix(cell: str, machine: str, precision: str) -> None:
    cases = batches(cell)
    with using(machine):
        wanted = [by_kernel(case, threads=1, precision=precision) for case in cases]
        at_once(
            lambda caller: check_same(
                by_kernel(cases[caller], threads=1 + caller % 4, precision=precision),
                wanted[caller],
            )
        )
