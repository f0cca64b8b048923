"""Every cell: the NumPy reference, torch.nn and the kernel agree on values and on every gradient.

Every test of the kernel runs on every instruction set that this machine has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from gatewise import kernels
from gatewise.cells import Weights
from layer_cases import (
    FLOAT32,
    LENGTHS,
    by_kernel,
    by_reference,
    cached_torch,
    check_close,
    check_same,
    every_case,
    every_cell,
    every_direction,
    make_case,
    using,
)


@pytest.fixture(params=FLOAT32)
def machine(request: pytest.FixtureRequest) -> Iterator[None]:
    with using(request.param):
        yield


every_machine = pytest.mark.usefixtures("machine")


@every_cell
@every_direction
@every_case
def test_reference_is_torch(
    cell: str, directions: int, sizes: tuple[int, int], lengths: str
) -> None:
    case = (cell, directions, sizes, LENGTHS[lengths])
    check_close(by_reference(make_case(*case).as_type(np.float64)), cached_torch(*case), 1e-12)


@every_machine
@every_cell
@every_direction
@every_case
def test_kernel_is_torch(cell: str, directions: int, sizes: tuple[int, int], lengths: str) -> None:
    case = (cell, directions, sizes, LENGTHS[lengths])
    got = by_kernel(make_case(*case))
    check_close(got, cached_torch(*case), 1e-5)
    # torch does not show the gates; the reference, which agrees with torch, does.
    reference = by_reference(make_case(*case).as_type(np.float64))
    check_close(got, {"saved": reference["saved"]}, 1e-5)


@every_machine
@every_cell
@every_direction
@pytest.mark.parametrize("sizes", [(70, 129), (64, 128)], ids=str)
def test_any_number_of_threads_gives_the_same_bits(
    cell: str, directions: int, sizes: tuple[int, int]
) -> None:
    # Enough tokens that threads are worth waking, and that the weights' gradients are sums of
    # several blocks.
    case = make_case(cell, directions, sizes, (100, *LENGTHS["ragged"], 150))
    alone = by_kernel(case, threads=1)
    for threads in (2, 3, 5, 8):
        check_same(by_kernel(case, threads=threads), alone)


@every_machine
@every_cell
@every_direction
def test_kernel_sums_long_batches(cell: str, directions: int) -> None:
    case = (cell, directions, (12, 20), (190, 0, 3, 200, 1, 17))
    check_close(by_kernel(make_case(*case)), cached_torch(*case), 2e-5)


@every_machine
@every_cell
@every_direction
@pytest.mark.parametrize("sizes", [(9, 33), (70, 129)], ids=str)
def test_kernel_answers_a_text_alone_as_in_a_batch(
    cell: str, directions: int, sizes: tuple[int, int]
) -> None:
    case = make_case(cell, directions, sizes, LENGTHS["ragged"])
    together = by_kernel(case)
    for text, (start, stop) in enumerate(pairwise(case.offsets)):
        alone = kernels.forward(
            cell,
            case.x[start:stop],
            np.array([0, stop - start]),
            case.weights,
            hidden0=np.ascontiguousarray(case.hidden0[:, text : text + 1]),
            cell0=None
            if case.cell0 is None
            else np.ascontiguousarray(case.cell0[:, text : text + 1]),
        )
        assert np.array_equal(alone.hidden, together["hidden"][start:stop])
        assert np.array_equal(alone.final_hidden[:, 0], together["final_hidden"][:, text])


@every_machine
@every_cell
@every_direction
def test_prepared_weights_answer_as_training_does(cell: str, directions: int) -> None:
    case = make_case(cell, directions, (20, 127), LENGTHS["ragged"])
    start = {"hidden0": case.hidden0, "cell0": case.cell0}
    training = by_kernel(case)
    answer = kernels.Prepared(cell, case.weights).forward(case.x, case.offsets, **start)
    assert answer.saved_gates is None
    for name in ("hidden", "final_hidden", "final_cell"):
        if name in training:
            assert np.array_equal(getattr(answer, name), training[name]), name


@every_machine
@every_cell
def test_missing_inputs_count_as_zeros(cell: str) -> None:
    case = make_case(cell, 2, (7, 9), LENGTHS["ragged"])
    zeros = replace(
        case,
        weights=[
            Weights(w.weight_ih, w.weight_hh, np.zeros_like(w.bias_ih), np.zeros_like(w.bias_hh))
            for w in case.weights
        ],
        hidden0=np.zeros_like(case.hidden0),
        cell0=None if case.cell0 is None else np.zeros_like(case.cell0),
        d_hidden=np.zeros_like(case.d_hidden),
        d_final_cell=None if case.cell0 is None else np.zeros_like(case.d_final_cell),
    )
    missing = replace(
        zeros,
        weights=[Weights(w.weight_ih, w.weight_hh, None, None) for w in case.weights],
        hidden0=None,
        cell0=None,
        d_hidden=None,
        d_final_cell=None,
    )
    wanted, got = by_kernel(zeros), by_kernel(missing)
    check_same(got, {name: array for name, array in wanted.items() if "bias" not in name})


@every_machine
@every_cell
def test_nan_in_one_text_stays_there(cell: str) -> None:
    case = make_case(cell, 1, (7, 9), (3, 4, 5))
    case.x[4] = np.nan
    hidden = kernels.forward(cell, case.x, case.offsets, case.weights).hidden
    assert np.isnan(hidden[4:7]).all()
    assert np.isfinite(hidden[:4]).all()
    assert np.isfinite(hidden[7:]).all()


@every_machine
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_large_sums_saturate(cell: str) -> None:
    case = make_case(cell, 1, (7, 9), (3, 4))
    hidden = kernels.forward(cell, case.x * 1e30, case.offsets, case.weights).hidden
    assert np.abs(hidden).max() <= 1
