"""Linear layers and the likeliest of their outputs against NumPy, on every instruction set."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import numpy as np
import pytest

from gatewise.kernels import Likeliest, Linear
from layer_cases import FLOAT32, using

CASES = [
    # rows, classes, size, count
    (1, 1, 1, 1),
    (5, 47, 7, 3),
    (9, 48, 1, 48),
    (8, 49, 33, 0),
    (33, 1009, 20, 7),
    (2, 2017, 5, 300),
    (300, 3001, 12, 6),
    (0, 5, 3, 2),
]


def drawn(rows: int, classes: int, size: int) -> tuple[Any, Any, Any]:
    """Weight, bias and inputs."""
    random = np.random.default_rng([rows, classes, size])
    shapes = (classes, size), (classes,), (rows, size)
    weight, bias, inputs = (random.normal(size=shape).astype(np.float32) for shape in shapes)
    return weight, bias, inputs


def exact(weight: Any, bias: Any, inputs: Any) -> Any:
    return inputs.astype(np.float64) @ weight.astype(np.float64).T + bias


def assert_true(found: Likeliest, scores: Any, count: int) -> None:
    """That these are the greatest scores and the logarithms of all sums."""
    sizes = np.abs(scores).max(axis=1, initial=1.0)
    totals = np.logaddexp.reduce(scores, axis=1)
    assert (np.abs(found.log_totals - totals) <= 2e-6 * sizes).all()
    greatest = -np.sort(-scores, axis=1)[:, :count]
    assert (np.abs(found.scores - greatest) <= 1e-6 * sizes[:, None]).all()
    told = np.take_along_axis(scores, found.ids.astype(np.int64), axis=1)
    assert (np.abs(found.scores - told) <= 1e-6 * sizes[:, None]).all()
    assert all(len(set(row)) == count for row in found.ids.tolist())
    assert (np.diff(found.scores, axis=1) <= 0).all()


@pytest.mark.parametrize("name", FLOAT32)
@pytest.mark.parametrize(("rows", "classes", "size", "count"), CASES)
def test_the_likeliest_and_the_sum(
    name: str, rows: int, classes: int, size: int, count: int
) -> None:
    weight, bias, inputs = drawn(rows, classes, size)
    with using(name):
        found = Linear(weight, bias).likeliest(inputs, count, threads=1)
    assert_true(found, exact(weight, bias, inputs), count)


@pytest.mark.parametrize("name", FLOAT32)
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize(("rows", "classes", "size", "count"), CASES)
def test_outputs(
    name: str, with_bias: bool, rows: int, classes: int, size: int, count: int
) -> None:
    weight, bias, inputs = drawn(rows, classes, size)
    with using(name):
        layer = Linear(weight, bias if with_bias else None)
        found = [layer(inputs, threads) for threads in (1, 3)]
        alone = [layer(inputs[row : row + 1]) for row in range(min(rows, 12))]
    wanted = exact(weight, bias * with_bias, inputs)
    np.testing.assert_allclose(found[0], wanted, rtol=0, atol=1e-6 * max(size, 4))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(np.concatenate([found[0][:0], *alone]), found[0][:12])


@pytest.mark.parametrize("name", FLOAT32)
def test_rows_alone_and_threads_change_no_bit(name: str) -> None:
    weight, bias, inputs = drawn(100, 2500, 9)
    with using(name):
        layer = Linear(weight, bias)
        wanted = layer.likeliest(inputs, 5, threads=1)
        for threads in (2, 3, 7):
            for one, other in zip(layer.likeliest(inputs, 5, threads), wanted, strict=True):
                np.testing.assert_array_equal(one, other)
        for row in (0, 41, 99):
            alone = layer.likeliest(inputs[row : row + 1], 5, threads=4)
            np.testing.assert_array_equal(alone.ids[0], wanted.ids[row])
            np.testing.assert_array_equal(alone.scores[0], wanted.scores[row])
            np.testing.assert_array_equal(alone.log_totals[0], wanted.log_totals[row])


@pytest.mark.parametrize("name", FLOAT32)
@pytest.mark.parametrize("scale", [1.0, 1e2, 1e6, 1e30])
def test_large_scores_do_not_overflow(name: str, scale: float) -> None:
    weight, bias, inputs = drawn(6, 1100, 4)
    inputs *= np.float32(scale)
    inputs[0] = 0
    with using(name):
        found = Linear(weight, bias).likeliest(inputs, 3)
    assert_true(found, exact(weight, bias, inputs), 3)


@pytest.mark.parametrize("name", FLOAT32)
def test_impossible_classes_are_never_found(name: str) -> None:
    weight, bias, inputs = drawn(3, 2100, 4)
    bias[:2098] = -np.inf
    with using(name):
        found = Linear(weight, bias).likeliest(inputs, 4)
        bias[:] = -np.inf
        nothing = Linear(weight, bias).likeliest(inputs, 1)
    np.testing.assert_array_equal(np.sort(found.ids, axis=1), [[-1, -1, 2098, 2099]] * 3)
    bias[2098:] = drawn(3, 2100, 4)[1][2098:]
    scores = exact(weight, bias, inputs)[:, 2098:]
    np.testing.assert_allclose(found.log_totals, np.logaddexp.reduce(scores, axis=1), atol=1e-5)
    assert (nothing.ids == -1).all()
    assert (nothing.log_totals < -1e37).all()


@pytest.mark.parametrize("name", FLOAT32)
def test_of_equal_scores_the_first_classes_are_taken(name: str) -> None:
    bias = np.random.default_rng(0).integers(0, 40, 3000).astype(np.float32)
    with using(name):
        layer = Linear(np.zeros((3000, 2), np.float32), bias)
        for count in (4, 200):
            found = layer.likeliest(np.ones((1, 2), np.float32), count, 3)
            wanted = np.argsort(-bias, kind="stable")[:count]
            np.testing.assert_array_equal(found.ids, wanted[None])


def test_equal_scores_of_all_classes() -> None:
    layer = Linear(np.zeros((3000, 2), np.float32), np.zeros(3000, np.float32))
    for threads in (1, 4):
        found = layer.likeliest(np.ones((2, 2), np.float32), 4, threads)
        np.testing.assert_array_equal(found.ids, [[0, 1, 2, 3]] * 2)
        np.testing.assert_allclose(found.log_totals, np.log(3000), rtol=1e-6)


@pytest.mark.parametrize("name", FLOAT32)
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_no_number_is_told(name: str, wrong: float) -> None:
    weight, bias, inputs = drawn(9, 1500, 4)
    weight[1203, 2], inputs[:, 2] = wrong, 1.0
    with using(name):
        assert np.isnan(Linear(weight, bias).likeliest(inputs, 3).log_totals).all()


def test_log_probabilities_of_given_classes() -> None:
    weight, bias, inputs = drawn(40, 1700, 31)
    classes = np.random.default_rng(3).integers(0, 1700, 40)
    scores = exact(weight, bias, inputs)
    wanted = scores[np.arange(40), classes] - np.logaddexp.reduce(scores, axis=1)
    found = Linear(weight, bias).log_probabilities(inputs, classes)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=3e-5)
    for wrong in (np.full(40, 1700), np.full(40, -1), np.zeros(1, int)):
        with pytest.raises(ValueError, match=r"^classes must "):
            Linear(weight, bias).log_probabilities(inputs, wrong)


def test_no_class_is_more_than_certain() -> None:
    weight = 3 * np.random.default_rng(0).normal(size=(500, 128)).astype(np.float32)
    found = Linear(weight).log_probabilities(weight, np.arange(500))
    assert (found <= 0).all()
    assert (found > -1e-3).all()


def test_it_is_copied_and_pickled() -> None:
    weight, bias, inputs = drawn(5, 200, 6)
    layer = Linear(weight, bias)
    wanted = layer.likeliest(inputs, 3)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):  # noqa: S301
        for one, two in zip(other.likeliest(inputs, 3), wanted, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("weight", "bias", "inputs", "count", "sentence"),
    [
        ((6,), (6,), (2, 3), 1, "weight must be a two-dimensional array of weights. Got (6,)."),
        ((6, 3), (5,), (2, 3), 1, "bias must have shape (6,) for 6 outputs. Got (5,)."),
        (
            (6, 3),
            (6,),
            (2, 4),
            1,
            "x must have shape (2, 3) for an input size of 3. Got (2, 4).",
        ),
        ((6, 3), (6,), (2, 3), 7, "count must be from 0 to 6, the outputs. Got 7."),
        ((6, 3), (6,), (2, 3), -1, "count must be from 0 to 6, the outputs. Got -1."),
    ],
)
def test_what_does_not_fit_is_refused(
    weight: Any, bias: Any, inputs: Any, count: int, sentence: str
) -> None:
    one, other, rows = (np.zeros(shape, np.float32) for shape in (weight, bias, inputs))
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Linear(one, other).likeliest(rows, count)
