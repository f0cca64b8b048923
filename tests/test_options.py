from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from gatewise.errors import OptionError
from gatewise.options import CellName, Training, build, check, option, values


@dataclass
class Sizes:
    cell: CellName = option("lstm", "Cell.")
    hidden_size: int = option(8, "Units.", minimum=1)
    dropout: float = option(0.5, "Share.", minimum=0, below=1)
    bidirectional: bool = option(True, "Both ways.")
    vectors: str | None = option(None, "A path.", saved=False)
    stop: str | tuple[str, ...] = option("", "Texts.", saved=False)

    def __post_init__(self) -> None:
        check(self)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"cell": "lsmt"},
            "The 'cell' option of Sizes must be one of lstm, gru, rnn. Got 'lsmt'.",
        ),
        (
            {"hidden_size": 0},
            "The 'hidden_size' option of Sizes must be a whole number of at least 1. Got 0.",
        ),
        (
            {"hidden_size": 2.0},
            "The 'hidden_size' option of Sizes must be a whole number of at least 1. Got 2.0.",
        ),
        (
            {"hidden_size": True},
            "The 'hidden_size' option of Sizes must be a whole number of at least 1. Got True.",
        ),
        (
            {"dropout": 1},
            "The 'dropout' option of Sizes must be a number of at least 0 and below 1. Got 1.",
        ),
        (
            {"dropout": float("nan")},
            "The 'dropout' option of Sizes must be a number of at least 0 and below 1. Got nan.",
        ),
        (
            {"bidirectional": 1},
            "The 'bidirectional' option of Sizes must be true or false. Got 1.",
        ),
        (
            {"hidden_size": 10**400},
            "The 'hidden_size' option of Sizes must be a whole number of at least 1. Got 1"
            + "0" * 400
            + ".",
        ),
        ({"vectors": 3}, "The 'vectors' option of Sizes must be a text or None. Got 3."),
        (
            {"stop": ("a", 3)},
            "The 'stop' option of Sizes must be a text or a list of texts. Got ('a', 3).",
        ),
        ({"hiden_size": 3}, "Sizes has no option 'hiden_size'. Did you mean 'hidden_size'?"),
        (
            {"zzz": 3},
            "Sizes has no option 'zzz'. It has: cell, hidden_size, dropout, bidirectional, "
            "vectors, stop.",
        ),
    ],
)
def test_a_wrong_option_is_one_sentence(given: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as problem:
        build(Sizes, given)
    assert str(problem.value) == message


def test_right_options_are_kept_as_they_are() -> None:
    for stop in ("a", ("a", "b"), ["a"], ()):
        assert build(Sizes, {"stop": stop}).stop == stop
    sizes = build(Sizes, {"cell": "gru", "dropout": 0, "vectors": "glove.txt"})
    assert (sizes.cell, sizes.dropout, sizes.vectors) == ("gru", 0, "glove.txt")


def test_saved_values_leave_out_paths() -> None:
    assert values(Sizes(vectors="glove.txt")) == {
        "cell": "lstm",
        "hidden_size": 8,
        "dropout": 0.5,
        "bidirectional": True,
    }


def test_every_training_default_is_allowed() -> None:
    check(Training())
