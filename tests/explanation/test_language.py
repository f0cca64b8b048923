"""The surprise of every word is what the language model's own score says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gatewise import DataError, OptionError, explain
from language_cases import made

every_text = pytest.mark.parametrize("text", ["the cat sat on the zyxel mat", "", "cat\n\nmat a\n"])


@pytest.mark.parametrize("level", ["word", "char", "bpe"])
@pytest.mark.parametrize("documents", ["joined", "apart"])
@every_text
def test_surprise_is_the_score_s(text: str, documents: Any, level: Any) -> None:
    model = made(documents=documents, level=level, hidden_size=8)
    found = explain(model, text)
    scored = model.score([text])[0]
    assert math.isnan(found.measure("surprise")[0])
    wanted = np.array([value for _, value in scored.tokens])
    np.testing.assert_allclose(found.arrays["log_probability"][1:], wanted, atol=1e-5)
    np.testing.assert_allclose(found.measure("surprise")[1:], -wanted / math.log(2), atol=1e-5)
    assert found.answer == f"perplexity {scored.perplexity:.2f} per token"


def test_words_stand_in_the_text_and_every_line_break_is_an_end() -> None:
    text = "the cat\n\n sat mat"
    found = explain(made(), text)
    assert [word.text for word in found.words] == (
        ["<end>", "the", "cat", "<end>", "<end>", "sat", "mat", "<end>"]
    )
    assert [(word.start, word.stop) for word in found.words] == (
        [(0, 0), (0, 3), (4, 7), (7, 7), (8, 8), (10, 13), (14, 17), (17, 17)]
    )


def test_what_was_expected_is_what_next_says() -> None:
    model = made()
    found = explain(model, "the cat sat")
    for number, start in enumerate(("", "the", "the cat"), start=1):
        note = found.words[number].note
        for token, probability in model.next(start, 2):
            assert f"'{token}' {probability:.0%}" in note or "<unk>" in note
        assert note.startswith("expected: '")
    assert found.words[0].note == ""


def test_unknown_words_are_told() -> None:
    assert "read and foretold as '<unk>': zyxel." in explain(made(), "the zyxel").remarks[0]
    assert explain(made(), "the cat").remarks == ()


def test_a_language_model_has_no_labels_and_reads_no_book() -> None:
    with pytest.raises(OptionError, match="Only a classifier explains a label"):
        explain(made(), "the", label="good")
    with pytest.raises(DataError, match=r"at most 2,000 tokens\. Got 2,002"):
        explain(made(), "cat " * 2000)
