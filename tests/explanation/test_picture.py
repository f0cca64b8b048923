"""The picture holds every panel, also for odd words and odd shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import language_cases
import seq2seq_cases
import tagger_cases
from explanation_cases import TEXT, made
from gatewise import DataError, explain, pictures
from gatewise.explanation import picture


def drawn(found: Any, monkeypatch: pytest.MonkeyPatch) -> Figure:
    """The figure behind the PNG."""
    figures: list[Figure] = []

    def kept(figure: Figure) -> bytes:
        figures.append(figure)
        return pictures.png(figure)

    monkeypatch.setattr(picture, "png", kept)
    assert picture.drawn(found).startswith(b"\x89PNG")
    return figures[0]


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (made, {"num_layers": 2}),
        (made, {"cell": "gru", "bidirectional": False, "pooling": "attention"}),
        (made, {"cell": "rnn", "token_pairs": 0}),
        (language_cases.made, {}),
    ],
)
def test_every_part_of_every_trace_is_a_panel(
    make: Any, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = explain(make(**options), TEXT)
    figure = drawn(found, monkeypatch)
    images = [np.asarray(axis.images[0].get_array()) for axis in figure.axes if axis.images]
    parts = [part for trace in found.layers for part in trace.parts.values()]
    assert len(images) == len(parts)
    # Panels stand row by row: one row a part, one column a trace.
    count = len(found.layers[0].parts)
    by_row = [parts[t * count + p] for p in range(count) for t in range(len(found.layers))]
    for image, part in zip(images, by_row, strict=True):
        np.testing.assert_array_equal(image, part.T)
    bars = [axis.patches for axis in figure.axes if axis.patches]
    heights = [bar.get_height() for bar in bars[0]]  # type: ignore[attr-defined]
    np.testing.assert_allclose(heights, np.nan_to_num(found.measures[0].values), atol=1e-6)


def test_of_a_tagger_the_tag_stands_under_every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = tagger_cases.made()
    found = explain(tagger, "Anna lives in Oslo")
    (tags,) = tagger.predict([["Anna", "lives", "in", "Oslo"]])
    assert [word.tag for word in found.words] == tags
    bars, *maps = [
        [label.get_text() for label in axis.get_xticklabels()]
        for axis in drawn(found, monkeypatch).axes
        if axis.get_xticklabels()
    ]
    assert bars == [f"{word.text}\n{word.tag}" for word in found.words]
    assert not any("\n" in name for names in maps for name in names)


def test_of_text_to_text_tables_and_both_texts_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    found = explain(seq2seq_cases.made(cell="rnn"), "the cat sat")
    assert found.written is not None
    figure = drawn(found, monkeypatch)
    images = [np.asarray(axis.images[0].get_array()) for axis in figure.axes if axis.images]
    traces = [*found.layers, *found.written.layers]
    wanted = [*(table.values for table in found.tables), *(trace.hidden.T for trace in traces)]
    for image, values in zip(images, wanted, strict=True):
        np.testing.assert_array_equal(np.nan_to_num(image), np.nan_to_num(values))
    names = [label.get_text() for axis in figure.axes for label in axis.get_yticklabels()]
    assert found.written.words[0].visible in names


def test_words_are_not_read_as_formulas(monkeypatch: pytest.MonkeyPatch) -> None:
    found = explain(made(("$a$", "b^_{"), cell="rnn"), "cost $\\frac$ film $x$ _^{ not")
    figure = drawn(found, monkeypatch)
    names = [label.get_text() for axis in figure.axes for label in axis.get_xticklabels()]
    assert "$" in names


def test_letters_that_the_font_does_not_have_are_told_once() -> None:
    with pytest.warns(UserWarning, match="has no letters for 好电") as told:
        picture.drawn(explain(made(cell="rnn"), "film 好电好 not"))
    assert len(told) == 1


def test_the_shortest_text_has_a_picture_and_no_text_has_none() -> None:
    assert picture.drawn(explain(made(cell="rnn"), "film")).startswith(b"\x89PNG")
    with pytest.raises(DataError, match="nothing to draw"):
        picture.drawn(explain(made(), ""))
