"""States over a file are those of the explanation of every text, for every layer and direction."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from explanation_cases import TEXT, made
from gatewise.errors import DataError
from gatewise.explanation import explain
from gatewise.lab import states as module
from gatewise.lab.states import states

TEXTS = [TEXT, "", "film", "i i i i", "I could not, could I?", "Zyxel wanted… zyxel! love", " "]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"bidirectional": False, "num_layers": 2},
        {"cell": "gru", "num_layers": 2, "max_length": 5},
        {"cell": "rnn", "subwords": 0, "max_length": 4},
        {"level": "char", "subwords": 0},
    ],
    ids=str,
)
def test_they_are_those_of_every_single_text(given: dict[str, Any]) -> None:
    model = made(**given)
    told = [explain(model, text) for text in TEXTS]
    for number, trace in enumerate(told[0].layers):
        found = states(model, TEXTS, number)
        assert found.backward == (trace.direction == "backward")
        assert len(found.words) == len(TEXTS)
        for text, one in enumerate(told):
            start, stop = found.offsets[text : text + 2]
            same = one.layers[number]
            wanted = same.hidden if same.cell is None else same.cell
            np.testing.assert_allclose(found.values[start:stop], wanted, atol=1e-6)
            assert [*found.words[text]] == [*one.words]


@pytest.mark.parametrize("backward", [False, True])
def test_steps_are_from_the_word_that_was_read_before(backward: bool) -> None:
    found = states(made(), TEXTS, int(backward))
    for unit in range(5):
        wanted = []
        for start, stop in pairwise(found.offsets.tolist()):
            row = found.values[start:stop, unit].tolist()
            row = row[::-1] if backward else row
            steps = [now - before for before, now in pairwise([0.0, *row])]
            wanted += steps[::-1] if backward else steps
        np.testing.assert_allclose(found.steps(unit), wanted, atol=1e-6)


def test_final_states_are_those_after_the_last_word_that_was_read() -> None:
    model = made()
    for direction in (0, 1):
        final, numbers = states(model, TEXTS, direction).final()
        assert numbers.tolist() == [0, 2, 3, 4, 5]
        for row, number in enumerate(numbers.tolist()):
            cell = explain(model, TEXTS[number]).layers[direction].cell
            assert cell is not None
            np.testing.assert_allclose(final[row], cell[-1 if direction == 0 else 0], atol=1e-6)


def test_only_so_many_words_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made()
    whole = states(model, TEXTS, 0).offsets
    for most in (1, 13, 14, 18, 1000):
        monkeypatch.setattr(module, "MOST_TOKENS", most)
        kept = states(model, TEXTS, 0)
        assert len(kept.words) == max(1, int((whole[1:] <= most).sum()))
        assert kept.offsets.tolist() == whole[: len(kept.words) + 1].tolist()


def test_texts_without_words_are_refused() -> None:
    with pytest.raises(DataError, match="no words that a unit could follow"):
        states(made(), ["", " "], 0)
