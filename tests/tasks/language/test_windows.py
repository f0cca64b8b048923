from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from gatewise.tasks.language.windows import HALVED, Window, Windows

END = 0


def ids_of(count: int, seed: int = 0) -> NDArray[np.int32]:
    """Ids that end with an end, each but the ends only once."""
    ids = np.arange(1, count + 1, dtype=np.int32)
    random = np.random.default_rng(seed)
    ids[random.random(count) < 0.2] = END
    ids[-1:] = END
    return ids


def columns_of(windows: list[Window], width: int, part: str) -> NDArray[np.int64]:
    """What all windows read of every column, one after another, (C, T)."""
    return np.concatenate([getattr(one, part).reshape(width, -1) for one in windows], axis=1)


SIZES = [(1, 1), (2, 1), (3, 1), (3, 2), (2, 9), (7, 2), (120, 4), (121, 7), (1000, 16), (50, 64)]


@pytest.mark.parametrize(("count", "columns"), SIZES)
@pytest.mark.parametrize("end", [None, END])
def test_an_epoch_reads_every_token_once(count: int, columns: int, end: int | None) -> None:
    ids = np.arange(count, dtype=np.int32)
    windows = Windows(ids, columns, bptt=8, end=end)
    assert windows.width * windows.height == count - count % windows.width
    assert windows.width == max(1, min(columns, count // 2))
    seen = np.zeros(count, np.int64)
    for number in (1, 2, 3):
        epoch = list(windows.epoch(seed=3, epoch=number))
        assert [one.tokens for one in epoch] == [
            length * windows.width for length in windows.lengths(3, number)
        ]
        read = columns_of(epoch, windows.width, "ids")
        assert read.size == len(np.unique(read)) == windows.width * windows.height
        np.testing.assert_array_equal(
            columns_of(epoch, windows.width, "following"), (read + 1) % count
        )
        for one in epoch:
            # Where texts stand apart, nothing of a text stands before its start.
            wanted = np.arange(one.tokens) if end is None else np.flatnonzero(one.ids != end)
            assert one.preceded.tolist() == wanted.tolist()
            assert one.previous.tolist() == ((one.ids[wanted] - 1) % count).tolist()
        # Every column is a piece of the row, and the next column goes on where it ends.
        assert (np.diff(read, axis=1) % count == 1 % count).all()
        assert ((read[1:, 0] - read[:-1, -1]) % count == 1).all()
        seen[read.ravel()] += 1
    assert seen.max() <= 3
    assert seen.min() >= (3 if count % windows.width == 0 else 0)


def test_an_epoch_starts_anywhere() -> None:
    windows = Windows(np.arange(100, dtype=np.int32), 1, bptt=8)
    starts = [next(windows.epoch(0, number)).ids[0] for number in range(1, 40)]
    assert len(set(starts)) > 20


@pytest.mark.parametrize(("count", "columns"), SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_rows_start_at_ends_where_texts_are_apart(count: int, columns: int, seed: int) -> None:
    ids = ids_of(count, seed)
    windows = Windows(ids, columns, bptt=6, end=END)
    for number, one in enumerate(windows.epoch(seed, 1)):
        read = one.ids.reshape(windows.width, -1)
        firsts = np.arange(windows.width) * read.shape[1]
        starts = {*firsts.tolist(), *np.flatnonzero(one.ids == END).tolist()}
        assert one.offsets.tolist() == [*sorted(starts), one.tokens]
        assert (one.offsets[one.first] == firsts).all()
        ends = np.append(firsts[1:], one.tokens)
        assert (one.offsets[one.last + 1] == ends).all()
        assert (one.continues == (read[:, 0] != END)).all()
        assert one.fresh == (number == 0)


def test_every_column_is_one_row_where_texts_are_joined() -> None:
    windows = Windows(ids_of(103), 5, bptt=6)
    for number, one in enumerate(windows.epoch(0, 2)):
        length = one.tokens // 5
        assert one.offsets.tolist() == [length * column for column in range(6)]
        assert one.first.tolist() == one.last.tolist() == [0, 1, 2, 3, 4]
        assert one.continues.all()
        assert one.fresh == (number == 0)


@pytest.mark.parametrize("end", [None, END])
@pytest.mark.parametrize(("count", "columns"), SIZES)
def test_in_order_everything_is_foretold_from_the_first_token_on(
    count: int, columns: int, end: int | None
) -> None:
    ids = ids_of(count)
    windows = Windows(ids, columns, bptt=8, end=end)
    read = list(windows.in_order())
    foretold = columns_of(read, windows.width, "following")
    np.testing.assert_array_equal(foretold.ravel(), ids[: foretold.size])
    assert foretold.size == count - count % windows.width
    before = columns_of(read, windows.width, "ids")
    np.testing.assert_array_equal(before.ravel(), np.roll(ids, 1)[: foretold.size])
    assert all(len(one.ids) == 8 * windows.width for one in read[:-1])


def test_lengths_vary_and_repeat_with_their_seed() -> None:
    windows = Windows(np.zeros(1_000_000, np.int32), 2, bptt=70)
    lengths = windows.lengths(0, 1)
    assert lengths == windows.lengths(0, 1)
    assert sum(lengths) == windows.height
    for other in (windows.lengths(1, 1), windows.lengths(0, 2)):
        assert other != lengths
    found = np.array(lengths[:-1])
    assert found.min() >= 1
    usual = found[found > 52]
    assert abs(usual.mean() - 70) < 4 * 5 / np.sqrt(len(usual))
    assert 4 < usual.std() < 6
    short = np.mean(found <= 52)
    assert abs(short - HALVED) < 4 * np.sqrt(HALVED / len(found))


def test_no_window_is_longer_than_what_is_left() -> None:
    for count, bptt in itertools.product((1, 2, 3, 11), (1, 5, 70)):
        windows = Windows(np.zeros(count, np.int32), 1, bptt)
        assert sum(windows.lengths(0, 1)) == count
        assert sum(one.tokens for one in windows.in_order()) == count


@pytest.mark.parametrize("bptt", [1, 2, 5, 20])
def test_short_windows_are_as_long_as_they_are_asked_to_be(bptt: int) -> None:
    found = np.array(Windows(np.zeros(40_000, np.int32), 2, bptt).lengths(0, 1)[:-1])
    usual = found[found > 0.75 * bptt]
    assert abs(usual.mean() - bptt) <= 0.02 * bptt
