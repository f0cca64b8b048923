"""The reference itself: its names, its equations by hand, its gradients by finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gatewise import cells
from gatewise.cells import CELLS, State, Weights


def test_names() -> None:
    assert CELLS["lstm"].gates == ("input", "forget", "candidate", "output")
    assert CELLS["gru"].gates == ("reset", "update", "candidate")
    assert [len(cell.saved) for cell in CELLS.values()] == [4, 4, 1, 1]
    assert list(CELLS) == ["lstm", "gru", "rnn", "rnn_relu"]


def test_sigmoid_neither_overflows_nor_loses_digits() -> None:
    with np.errstate(all="raise", under="ignore"):
        assert cells.sigmoid(np.array([-800.0, 0.0, 800.0])).tolist() == [0.0, 0.5, 1.0]
        assert cells.sigmoid(np.array([-30.0]))[0] == pytest.approx(np.exp(-30), rel=1e-12)


def test_lstm_step_by_hand() -> None:
    before = State(np.array([0.1]), np.array([2.0]))
    closed, opened = -1e3, 1e3
    keep = np.array([closed, opened, 0.7, opened])
    saved, after = CELLS["lstm"].step(keep, np.zeros(4), before)
    assert saved.tolist() == [0.0, 1.0, np.tanh(0.7), 1.0]
    assert after.cell.tolist() == [2.0]
    assert after.hidden.tolist() == [np.tanh(2.0)]
    write = np.array([opened, closed, 0.7, closed])
    _, after = CELLS["lstm"].step(write, np.zeros(4), before)
    assert after.cell.tolist() == [np.tanh(0.7)]
    assert after.hidden.tolist() == [0.0]


def test_gru_step_by_hand() -> None:
    before = State(np.array([0.1]), np.zeros(0))
    closed, opened = -1e3, 1e3
    # r, z, n: with the update gate open, the past stays; closed, the candidate takes its place.
    _, after = CELLS["gru"].step(np.array([0.0, opened, 0.7]), np.zeros(3), before)
    assert after.hidden.tolist() == [0.1]
    saved, after = CELLS["gru"].step(
        np.array([closed, closed, 0.7]), np.array([0.0, 0.0, 9.0]), before
    )
    assert after.hidden.tolist() == [np.tanh(0.7)]
    assert saved.tolist() == [np.tanh(0.7), 0.0, 0.0, 9.0]


def test_rnn_steps_by_hand() -> None:
    before, inputs, hiddens = State(np.zeros(2), np.zeros(0)), np.array([0.5, -2.0]), np.ones(2)
    assert CELLS["rnn"].step(inputs, hiddens, before)[0].tolist() == np.tanh([1.5, -1.0]).tolist()
    assert CELLS["rnn_relu"].step(inputs, hiddens, before)[0].tolist() == [1.5, 0.0]


@pytest.mark.parametrize("name", CELLS)
def test_gradients_are_slopes(name: str) -> None:
    cell, rng = CELLS[name], np.random.default_rng(0)
    rows = 3 * len(cell.gates)
    offsets = np.array([0, 2, 2, 6])
    weights = [
        Weights(*(rng.standard_normal(shape) for shape in ((rows, 2), (rows, 3), rows, rows)))
        for _ in range(2)
    ]
    x, hidden0 = rng.standard_normal((6, 2)), rng.standard_normal((2, 3, 3))
    cell0 = rng.standard_normal((2, 3, 3 if cell.has_cell else 0))
    d_hidden, d_final = rng.standard_normal((6, 6)), rng.standard_normal(hidden0.shape)
    d_final_cell = rng.standard_normal(cell0.shape)

    def loss() -> Any:
        result = cells.layer(cell, x, offsets, weights, hidden0=hidden0, cell0=cell0)
        return (
            (result.hidden * d_hidden).sum()
            + (result.final_hidden * d_final).sum()
            + (result.final_cell * d_final_cell).sum()
        )

    result = cells.layer(cell, x, offsets, weights, hidden0=hidden0, cell0=cell0)
    gradients = cells.layer_gradients(
        cell,
        x,
        offsets,
        weights,
        result,
        d_hidden=d_hidden,
        d_final_hidden=d_final,
        d_final_cell=d_final_cell,
    )
    pairs: list[tuple[Any, Any]] = [
        (x, gradients.d_x),
        (hidden0, gradients.d_hidden0),
        (cell0, gradients.d_cell0),
    ]
    for weight, d_weight in zip(weights, gradients.d_weights, strict=True):
        pairs += zip(weight, d_weight, strict=True)
    for array, gradient in pairs:
        for place in list(np.ndindex(array.shape))[:12]:
            kept = array[place]
            array[place] = kept + 1e-6
            above = loss()
            array[place] = kept - 1e-6
            below = loss()
            array[place] = kept
            assert gradient[place] == pytest.approx((above - below) / 2e-6, rel=1e-5, abs=1e-7)
