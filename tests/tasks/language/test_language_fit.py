from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatewise import DataError
from gatewise.data.lines import Lines
from gatewise.tasks.language.task import LanguageModel

RANDOM = np.random.default_rng(0)
WORDS = [f"w{number}" for number in range(30)]


def texts(count: int) -> list[str]:
    return [" ".join(RANDOM.choice(WORDS, RANDOM.integers(1, 12))) for _ in range(count)]


TEXTS = texts(60)
QUIET: dict[str, Any] = {"epochs": 2, "batch_size": 4, "bptt": 12, "quiet": True, "threads": 1}


def small(**given: Any) -> LanguageModel:
    sizes: dict[str, Any] = {"embedding_size": 6, "hidden_size": 8, "min_count": 1}
    return LanguageModel(**sizes | given)


def test_the_lines_of_a_file_are_joined_and_other_texts_apart(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text("\n".join(TEXTS), "utf-8")
    for given, found in ((Lines(path), "joined"), (TEXTS, "apart"), (tuple(TEXTS), "apart")):
        assert small().fit(given, **QUIET).chosen_.documents == found
        for documents in ("joined", "apart"):
            model = small(documents=documents).fit(given, **QUIET)
            assert model.chosen_.documents == documents
    model = small().fit(Lines(path), **QUIET)
    assert model.documents is None
    joined = small(documents="joined").fit(TEXTS, **QUIET)
    for name, weight in model.weights_.items():
        np.testing.assert_array_equal(weight, joined.weights_[name])
    # What was resolved holds for answers too, here and in another process.
    assert model.perplexity(TEXTS) == model.evaluate(TEXTS, documents="joined").perplexity
    assert model.generate(temperature=1, seed=0, max_tokens=50).count("\n") > 1
    assert model.fine_tune(TEXTS, **QUIET).chosen_.documents == "joined"


def test_one_text_has_nothing_to_hold_out() -> None:
    text = "\n".join(TEXTS)
    with pytest.raises(DataError) as problem:
        small().fit([text], **QUIET)
    assert str(problem.value) == (
        "The last 5% of 1 text cannot be held out: at least 2 texts are needed, and no very long "
        "one at an end. Give 'dev' texts, set documents=\"joined\" to learn from the lines of a "
        "text, or set dev_share=0."
    )
    assert small().fit([text], dev_share=0.0, **QUIET).report_.texts == 1  # type: ignore[union-attr]
    report = small(documents="joined").fit([text], **QUIET).report_
    assert report is not None
    assert report.texts == 57
    with pytest.raises(DataError, match=r"Give 'dev' texts or set dev_share=0\.$"):
        small(documents="joined").fit(["a line"], **QUIET)
    with pytest.raises(DataError, match=r"^There are no texts to learn from\.$"):
        small().fit([], **QUIET)
