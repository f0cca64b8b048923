"""Figures of tags: by the counts of the CoNLL script, and scikit-learn's for single tags."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from conll_script import counts
from gatewise.errors import DataError
from gatewise.tasks.tag.evaluation import evaluate, span_scores

TAGS = ["O", *(f"{prefix}-{kind}" for prefix in "BIES" for kind in ("x", "y", "z-z"))]


def taggings(seed: int, share: float) -> tuple[list[list[str]], list[list[str]]]:
    """True tags of 20 sentences and answers that agree with about a share of them."""
    random = np.random.default_rng(seed)
    lengths = random.integers(0, 9, 20)
    truth = [[str(tag) for tag in random.choice(TAGS, length)] for length in lengths]
    answers = [
        [tag if random.random() < share else str(random.choice(TAGS)) for tag in tags]
        for tags in truth
    ]
    return truth, answers


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9, 1.0])
def test_spans_are_counted_as_the_conll_script_counts_them(share: float) -> None:
    for seed in range(100):
        truth, answers = taggings(seed, share)
        scores = span_scores(truth, answers)
        wanted = counts(truth, answers)
        wanted["all"] = tuple(map(sum, zip(*wanted.values(), strict=True)))  # type: ignore[assignment]
        assert [score.label for score in scores] == [*wanted]
        for score, (right, answered, true) in zip(scores, wanted.values(), strict=True):
            assert score.rows == true
            assert score.precision == (right / answered if answered else 0)
            assert score.recall == (right / true if true else 0)
            both = score.precision + score.recall
            f1 = 2 * score.precision * score.recall / both if both else 0
            assert score.f1 == pytest.approx(f1, abs=1e-12)


def test_half_a_span_is_no_span() -> None:
    truth = [["B-x", "I-x", "O"], ["B-y", "O", "O"]]
    answers = [["B-x", "O", "O"], ["B-x", "O", "B-y"]]
    *_, every = span_scores(truth, answers)
    assert (every.precision, every.recall, every.f1, every.rows) == (0, 0, 0, 2)
    x, y, every = span_scores(truth, [["B-x", "I-x", "O"], ["B-x", "O", "O"]])
    assert (x.precision, x.recall, y.recall, every.f1) == (0.5, 1.0, 0.0, 0.5)


def test_tags_without_spans_are_scored_as_scikit_learn_scores_them() -> None:
    random = np.random.default_rng(0)
    names = ["ADJ", "NOUN", "PUNCT", "VERB"]
    truth = [[str(tag) for tag in random.choice(names[:3], 5)] for _ in range(40)]
    answers = [[str(tag) for tag in random.choice(names, 5)] for _ in range(40)]
    found = evaluate(truth, answers, names, spans=False)
    true, given = [*chain(*truth)], [*chain(*answers)]
    assert found.accuracy == found.score == accuracy_score(true, given)
    wanted = precision_recall_fscore_support(true, given, labels=names, zero_division=0)
    for place, score in enumerate(found.tags):
        assert score.label == names[place]
        figures = score.precision, score.recall, score.f1, score.rows
        assert figures == pytest.approx(tuple(part[place] for part in wanted))
    assert (found.sentences, found.tokens, found.spans, found.metric) == (40, 200, None, "accuracy")


def test_a_true_tag_that_no_answer_can_be_counts_as_wrong() -> None:
    found = evaluate([["A", "NEW"]], [["A", "A"]], ["A", "B"], spans=False)
    assert found.accuracy == 0.5
    assert {score.label: score.rows for score in found.tags} == {"A": 1, "B": 0, "NEW": 1}


NAMES = ["B-x", "B-y", "I-x", "I-y", "O"]


def test_the_figures_as_people_read_them() -> None:
    told = str(evaluate([["B-x", "I-x", "O"]], [["B-x", "I-x", "B-y"]], NAMES, spans=True))
    first, x, y, every, _, total = told.splitlines()
    assert first.split() == ["span", "precision", "recall", "F1", "true"]
    assert x.split() == ["x", "1.000", "1.000", "1.000", "1"]
    assert y.split() == ["y", "0.000", "0.000", "0.000", "0"]
    assert every.split() == ["all", "0.500", "1.000", "0.667", "1"]
    assert total == "span F1 0.6667   accuracy 0.6667   tokens 3   sentences 1"


@pytest.mark.parametrize("nothing", [[], [[]], [[], []]])
def test_nothing_cannot_be_evaluated(nothing: list[list[str]]) -> None:
    with pytest.raises(DataError, match="There are no tokens to evaluate"):
        evaluate(nothing, nothing, ["A", "B"], spans=False)
