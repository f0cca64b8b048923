"""What is told of a tagger's tags adds up to its answer; states are those of the answer."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatewise import explain, load
from gatewise.explanation import read
from gatewise.explanation.html import page
from task_examples import fitted

TEXT = "a zyxel in Oslo , it said"


@pytest.fixture(scope="module", params=[True, False])
def tagger(request: pytest.FixtureRequest) -> Any:
    return fitted("tag", epochs=2, crf=request.param, num_layers=2)


def test_scores_and_transitions_are_those_of_the_answer(tagger: Any) -> None:
    found = explain(tagger, TEXT)
    tokens = [word.text for word in found.words]
    assert [TEXT[word.start : word.stop] for word in found.words] == tokens == TEXT.split()
    # The likeliest tagging and every probability, by an enumeration of all taggings.
    chain = found.arrays
    short = explain(tagger, " ".join(tokens[:4]))
    scores = short.arrays["scores"].astype(np.float64)
    labels, total = range(scores.shape[1]), 0.0
    sums = np.zeros_like(scores)
    best, likeliest = -np.inf, tuple[int, ...]()
    for path in itertools.product(labels, repeat=len(scores)):
        score = chain["start"][path[0]] + chain["end"][path[-1]]
        score += sum(scores[t, tag] for t, tag in enumerate(path))
        score += sum(chain["transitions"][a, b] for a, b in itertools.pairwise(path))
        if score > best:
            best, likeliest = score, path
        total += np.exp(score)
        for t, tag in enumerate(path):
            sums[t, tag] += np.exp(score)
    np.testing.assert_allclose(short.arrays["marginals"], sums / total, atol=1e-6)
    chances = [sums[t, tag] / total for t, tag in enumerate(likeliest)]
    np.testing.assert_allclose(short.measure("probability"), chances, atol=1e-6)
    tags = [tagger.labels_[tag] for tag in likeliest]
    assert tags == tagger.predict([tokens[:4]])[0]
    assert short.answer == " ".join(f"{a}/{b}" for a, b in zip(tokens, tags, strict=False))
    assert all(w.note.startswith(tag) for w, tag in zip(short.words, tags, strict=True))


def test_hidden_states_are_those_of_the_answer_to_the_bit(tagger: Any) -> None:
    found = explain(tagger, TEXT)
    top = [trace.hidden for trace in found.layers if trace.layer == 2]
    weights, (scores,) = tagger.weights_, tagger.scores([TEXT.split()])
    hidden = np.concatenate(top, axis=1)
    np.testing.assert_array_equal(tagger.fitted().head(hidden), scores)
    product = hidden.astype(np.float64) @ weights["head.weight"].T + weights["head.bias"]
    np.testing.assert_allclose(scores, product, atol=1e-5)
    (again,) = (reading for reading in read(tagger, ["", "it said", TEXT]) if reading.text == TEXT)
    for trace, wanted in zip(again.layers, found.layers, strict=True):
        for name, part in trace.parts.items():
            np.testing.assert_array_equal(part, wanted.parts[name])


@pytest.mark.parametrize("text", [TEXT, "", "it"])
def test_pages_and_json_have_no_infinity(tagger: Any, text: str) -> None:
    found = explain(tagger, text)
    data = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert [table["name"] for table in data["tables"]][-1] == "transitions"
    assert page(found).startswith("<!DOCTYPE html>")
    transitions = np.array(data["tables"][-1]["values"], float)
    np.testing.assert_allclose(
        transitions[0, :-1],
        np.where(np.isfinite(found.arrays["start"]), found.arrays["start"], np.nan),
        atol=1e-6,
    )


def test_a_model_that_was_just_loaded_answers_no_words_first(tmp_path: Path) -> None:
    fitted("tag", epochs=1).save(tmp_path / "model")
    assert explain(load(tmp_path / "model"), "").words == ()
    assert load(tmp_path / "model").predict([[]]) == [[]]
