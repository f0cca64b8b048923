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
from gatewise.lab.states import read_texts, states

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
@pytest.mark.parametrize("at_once", [1, 7, 10_000])
def test_they_are_those_of_every_single_text(
    given: dict[str, Any], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    model = made(**given)
    texts = read_texts(model, TEXTS)
    assert len(texts.ids) == len(TEXTS)
    told = [explain(model, text) for text in TEXTS]
    directions = 2 if model.bidirectional else 1
    for number, trace in enumerate(told[0].layers):
        found = states(model, texts, *divmod(number, directions))
        assert found.backward == (trace.direction == "backward")
        for text, one in enumerate(told):
            start, stop = texts.ids.offsets[text : text + 2]
            same = one.layers[number]
            wanted = same.hidden if same.cell is None else same.cell
            np.testing.assert_allclose(found.values[start:stop], wanted, atol=1e-6)
            assert [*texts.words(TEXTS[text])] == [*one.words]
    for text, one in enumerate(told):
        names = [texts.names[id] for id in texts.ids[text].tolist()]
        # An unknown word has its own name where it is read by its pieces.
        open_words = bool(model.chosen_.subwords)
        wanted_names = [
            word.text.lower().replace("…", "...") if word.known or open_words else "<unk>"
            for word in one.words
        ]
        assert names == wanted_names


@pytest.mark.parametrize("backward", [False, True])
def test_steps_are_from_the_word_that_was_read_before(backward: bool) -> None:
    model = made()
    texts = read_texts(model, TEXTS)
    found = states(model, texts, 0, int(backward))
    for unit in range(5):
        wanted = []
        for start, stop in zip(texts.ids.offsets[:-1], texts.ids.offsets[1:], strict=True):
            row = found.values[start:stop, unit].tolist()
            row = row[::-1] if backward else row
            steps = [now - before for before, now in pairwise([0.0, *row])]
            wanted += steps[::-1] if backward else steps
        np.testing.assert_allclose(found.steps(unit), wanted, atol=1e-6)


def test_final_states_are_those_after_the_last_word_that_was_read() -> None:
    model = made()
    texts = read_texts(model, TEXTS)
    for direction in (0, 1):
        final, numbers = states(model, texts, 0, direction).final()
        assert numbers.tolist() == [0, 2, 3, 4, 5]
        for row, number in enumerate(numbers.tolist()):
            cell = explain(model, TEXTS[number]).layers[direction].cell
            assert cell is not None
            np.testing.assert_allclose(final[row], cell[-1 if direction == 0 else 0], atol=1e-6)


def test_only_so_many_words_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made()
    whole = read_texts(model, TEXTS).ids.offsets
    for most in (1, 13, 14, 18, 1000):
        monkeypatch.setattr(module, "MOST_TOKENS", most)
        kept = read_texts(model, TEXTS).ids
        assert len(kept) == max(1, int((whole[1:] <= most).sum()))
        assert kept.offsets.tolist() == whole[: len(kept) + 1].tolist()


def test_texts_without_words_are_refused() -> None:
    model = made()
    with pytest.raises(DataError, match="no words that a unit could follow"):
        states(model, read_texts(model, ["", " "]), 0, 0)
