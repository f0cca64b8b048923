"""Ragged: rows in, the same rows out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.ragged import NARROW, Ragged, reduce_rows

rows_of_ids = st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=8)


def lists(ragged: Ragged) -> list[list[int]]:
    return [row.tolist() for row in ragged]


@given(rows_of_ids)
def test_rows_come_back(rows: list[list[int]]) -> None:
    ragged = Ragged.from_rows(rows)
    assert len(ragged) == len(rows)
    assert lists(ragged) == rows
    assert ragged.lengths.tolist() == [len(row) for row in rows]
    assert ragged.values.dtype == np.int32
    assert ragged.offsets.dtype == np.int64


@given(rows_of_ids, st.data())
def test_take_is_indexing(rows: list[list[int]], data: Any) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9)) if rows else []
    taken = Ragged.from_rows(rows).take(np.array(chosen, np.int64))
    assert lists(taken) == [rows[i] for i in chosen]


@given(rows_of_ids)
def test_an_end_stands_behind_every_row_and_before_its_first_value(rows: list[list[int]]) -> None:
    ragged = Ragged.from_rows(rows)
    ended = ragged.ended(77)
    assert lists(ended) == [[*row, 77] for row in rows]
    assert ended.values.dtype == np.int32
    assert ended.before(77).tolist() == [value for row in rows for value in [77, *row]]
    assert ragged.before(77).tolist() == [value for row in rows for value in [77, *row][:-1]]


@given(rows_of_ids.filter(bool), st.data())
def test_rows_are_indexed_like_a_list(rows: list[list[int]], data: Any) -> None:
    row = data.draw(st.integers(-len(rows), len(rows) - 1))
    assert Ragged.from_rows(rows)[row].tolist() == rows[row]


@pytest.mark.parametrize("row", [2, -3])
def test_missing_rows_are_named(row: int) -> None:
    with pytest.raises(IndexError, match=rf"Row {row} of a Ragged of 2 rows does not exist\."):
        Ragged.from_rows([[1], [2, 3]])[row]


def test_rows_may_be_vectors() -> None:
    ragged = Ragged.from_rows([[[1.0, 2.0]], [], [[3.0, 4.0], [5.0, 6.0]]], np.float32)
    assert ragged.values.shape == (3, 2)
    assert ragged[2].tolist() == [[3.0, 4.0], [5.0, 6.0]]
    assert ragged.take(np.array([2, 0])).values[:, 0].tolist() == [3.0, 5.0, 1.0]


@given(rows_of_ids, st.integers(0, 7))
def test_shortened_rows_keep_their_ends(rows: list[list[int]], longest: int) -> None:
    shortened, cut = Ragged.from_rows(rows).shortened(longest)
    assert cut == sum(len(row) > longest for row in rows)
    for row, got in zip(rows, lists(shortened), strict=True):
        tail = longest // 2
        kept = row if len(row) <= longest else row[: longest - tail] + row[len(row) - tail :]
        assert got == kept


@pytest.mark.parametrize(
    "offsets",
    [
        np.array([0, 3], np.int32),
        np.array([[0, 3]]),
        np.array([], np.int64),
        np.array([1, 3]),
        np.array([0, 2]),
        np.array([0, 4]),
        np.array([0, 2, 1, 3]),
    ],
    ids=str,
)
def test_wrong_offsets_are_refused(offsets: Any) -> None:
    with pytest.raises(ValueError, match=r"The offsets of a Ragged must (be|rise)"):
        Ragged(np.arange(3), offsets)


@pytest.mark.parametrize("shape", [(), (1,), (NARROW,), (NARROW + 1,), (3, NARROW)])
@pytest.mark.parametrize("lengths", [[], [0], [0, 0], [3], [1, 4, 2], [0, 5, 0, 0, 1, 300, 0]])
def test_rows_are_reduced_as_each_by_itself(lengths: list[int], shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(size=(sum(lengths), *shape)).astype(np.float32) - 2
    rows = Ragged(np.arange(len(values)), np.cumsum([0, *lengths]))
    for function in (np.add, np.maximum):
        found = reduce_rows(function, values, rows)
        assert found.dtype == np.float32
        assert found.shape == (len(lengths), *shape)
        for got, row in zip(found, rows, strict=True):
            exact = values[row].astype(np.float64)
            wanted = function.reduce(exact, axis=0) if len(row) else np.zeros(shape)
            np.testing.assert_allclose(got, wanted, rtol=1e-5)
