"""Inputs whose products were made once: the same answers to the bit, on every instruction set."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import numpy as np
import pytest

from gatewise import kernels
from gatewise.cells import CELLS
from gatewise.encoder import Encoder
from gatewise.kernels import Prepared, Projected, TokenProducts
from gatewise.ragged import Ragged
from gatewise.shapes import EncoderShape
from layer_cases import CASES, FLOAT32, LENGTHS, make_case, using


def same(one: kernels.Output, other: kernels.Output) -> None:
    for name in ("hidden", "final_hidden", "final_cell", "saved_gates", "saved_cells"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("name", FLOAT32)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize(("sizes", "lengths"), CASES)
def test_answers_are_those_from_the_inputs(
    name: str, cell: str, directions: int, sizes: tuple[int, int], lengths: str
) -> None:
    case = make_case(cell, directions, sizes, LENGTHS[lengths])
    different = np.ascontiguousarray(case.x[:5] if len(case.x) else np.zeros((1, sizes[0]), "f"))
    places = np.random.default_rng(0).integers(0, len(different), len(case.x))
    start = {"hidden0": case.hidden0, "cell0": case.cell0, "save": True}
    with using(name):
        layer = Prepared(cell, case.weights)
        wanted = layer.forward(different[places], case.offsets, **start)
        for threads in (1, 3):
            projected = Projected(layer.project(different, threads), places)
            same(layer.forward(projected, case.offsets, threads=threads, **start), wanted)


def test_many_inputs_are_divided_among_threads() -> None:
    case = make_case("gru", 2, (70, 80), (1000,))
    layer = Prepared("gru", case.weights)
    wanted = layer.project(case.x, threads=1)
    np.testing.assert_array_equal(layer.project(case.x, threads=3), wanted)


@pytest.mark.parametrize("pooling", ["last", "max"])
@pytest.mark.parametrize("many", [1, 1000])
@pytest.mark.parametrize("kept", [0, 10**6])
def test_an_encoder_answers_the_same_whatever_is_kept(
    pooling: Any, many: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = EncoderShape("lstm", 20, 6, 0, 9, 2, True, pooling)
    random = np.random.default_rng(1)
    weights = {
        name: random.normal(size=size).astype(np.float32) for name, size in shape.weights().items()
    }
    unknown = random.normal(size=(2, 6)).astype(np.float32)
    rows = Ragged.from_rows([[3, 19, 0], [], [7, 3, 3, 1]], np.int32)
    strange = Ragged.from_rows([[20, 3, 19, 20], [21], [7, 0]], np.int32)
    vectors = np.concatenate([weights["embedding.weight"], unknown])
    plain = Encoder(shape, weights)
    for ids, more in ((rows, None), (strange, unknown), (rows, unknown)):
        hidden, finals = plain.walk(vectors[ids.values], ids.offsets)
        monkeypatch.setattr("gatewise.encoder.MANY", many)
        monkeypatch.setattr("gatewise.kernels.products.MOST_KEPT", kept)
        encoder = Encoder(shape, weights)
        for _ in range(2):  # tokens that are new and tokens that were met
            found, final = encoder.states(ids, more)
            np.testing.assert_array_equal(found, hidden)
            last = finals[-1].hidden
            np.testing.assert_array_equal(final, np.concatenate([last[0], last[1]], axis=1))
        for wrong in (20 if more is None else 22, 99):
            with pytest.raises(ValueError, match="Token ids must be below 2"):
                encoder.states(Ragged.from_rows([[wrong]], np.int32), more)


def test_copies_of_kept_products_answer_the_same() -> None:
    case = make_case("lstm", 1, (5, 16), (3,))
    products = TokenProducts(Prepared("lstm", case.weights), case.x)
    ids = np.array([2, 0, 2])
    wanted = products.look_up(ids, None)
    for other in (copy.deepcopy(products), pickle.loads(pickle.dumps(products))):  # noqa: S301
        found = other.look_up(ids, None)
        np.testing.assert_array_equal(found.rows[found.places], wanted.rows[wanted.places])


@pytest.mark.parametrize("name", FLOAT32)
def test_what_does_not_fit_is_refused(name: str) -> None:
    case = make_case("lstm", 1, (5, 16), (3,))
    with using(name):
        layer = Prepared("lstm", case.weights)
    size = layer.projected_size

    def refused(shape: tuple[int, ...], places: Any, offsets: list[int], sentence: str) -> None:
        projected = Projected(np.zeros(shape, np.float32), np.array(places, np.int64))
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            layer.forward(projected, np.array(offsets))

    whose = f"rows must have shape (4, {size}) of this layer's products."
    refused((4, size - 1), [0], [0, 1], f"{whose} Got (4, {size - 1}).")
    limits = "places must be from 0 to 3, the rows."
    refused((4, size), [0, 4], [0, 2], f"{limits} Got 0 to 4.")
    refused((4, size), [-1], [0, 1], f"{limits} Got -1 to -1.")
    refused((0, size), [0], [0, 1], "places must be empty where there are no rows.")
    flat = "places must be a contiguous one-dimensional int64 array."
    refused((4, size), [[0]], [0, 1], f"{flat} Got int64 of shape (1, 1).")
    rise = "offsets must rise from 0 to 2, the number of places."
    refused((4, size), [0, 1], [0, 3], f"{rise} Got offsets from 0 to 3.")


@pytest.mark.parametrize("precision", [p for p in kernels.precisions() if p != "fp32"])
def test_other_precisions_have_no_products(precision: str) -> None:
    case = make_case("lstm", 1, (5, 16), (3,))
    layer = Prepared("lstm", case.weights, precision=precision)
    assert not layer.projects
    with pytest.raises(ValueError, match=f"^Inputs are projected in fp32 only. Got {precision}"):
        layer.project(case.x)
    with pytest.raises(ValueError, match=r"^Projected inputs need a layer in fp32"):
        layer.forward(Projected(np.zeros((1, 64), np.float32), np.zeros(3, np.int64)), case.offsets)
