"""How many spans are found: chosen by the F1 of the dev sentences."""

from __future__ import annotations

import numpy as np
import pytest

from gatewise import SequenceTagger
from gatewise.tasks.tag.answering import Scored
from gatewise.tasks.tag.balance import GRID, best_balance
from gatewise.tasks.tag.tags import Tags
from tagger_cases import OPTIONS, TAGS, TOKENS, TRAINING

KNOWN = Tags(("B-x", "I-x", "O"), "bio")


def sentences(timid: float, count: int = 60) -> tuple[list[Scored], list[list[str]]]:
    """Sentences of one token, a third of them a span that scores `timid` less than "O".

    In every tenth of the others the span scores 2.6 less.
    """
    spans = np.arange(count) % 3 == 0
    scores = np.zeros((count, 3), np.float32)
    scores[:, 0] = np.where(spans, -timid, -9)
    scores[:, 1] = -20
    scores[1::10, 0] = np.where(spans[1::10], -timid, -2.6)
    truth = [["B-x"] if span else ["O"] for span in spans]
    rows = np.arange(count)
    halves = [rows[: count // 2], rows[count // 2 :]]
    return [Scored(each, scores[each], np.arange(len(each) + 1)) for each in halves], truth


@pytest.mark.parametrize("timid", [-1.0, 0.1, 0.6, 1.1, 1.9])
def test_it_is_where_all_spans_are_found_and_no_others(timid: float) -> None:
    batches, truth = sentences(timid)
    found = best_balance(batches, KNOWN.allowed, KNOWN, truth)
    assert found in GRID
    # 0 where nothing is to be gained; else the first place whose neighbours are right as well.
    assert found == 0 if timid < 0 else timid < found < 2.6
    if timid > 0:
        assert found - timid <= 0.5


def test_few_spans_and_plain_tags_choose_nothing() -> None:
    batches, truth = sentences(1.1, 30)
    assert best_balance(batches, KNOWN.allowed, KNOWN, truth) == 0
    plain = Tags(("A", "B", "O"), None)
    batches, _ = sentences(1.1)
    assert best_balance(batches, plain.allowed, plain, [["A"], ["O"]] * 30) == 0


def test_a_fit_takes_it_from_the_score_of_o() -> None:
    dev = (TOKENS * 4, TAGS * 4)
    training = TRAINING | {"epochs": 12, "learning_rate": 0.01, "average": 0.0}
    plain, balanced = (
        SequenceTagger(**OPTIONS).fit(TOKENS, TAGS, dev=dev, **training, balance=wanted)
        for wanted in (False, True)
    )
    before, after = plain.report_, balanced.report_
    assert before is not None
    assert after is not None
    assert before.balance == 0
    assert after.balance > 0
    assert f"'O' scores {after.balance:.2f} less than was learned" in str(after)
    difference = plain.weights_["head.bias"] - balanced.weights_["head.bias"]
    wanted = [after.balance if tag == "O" else 0.0 for tag in plain.labels_]
    np.testing.assert_allclose(difference, wanted, atol=1e-6)
    np.testing.assert_array_equal(plain.weights_["head.weight"], balanced.weights_["head.weight"])
    assert after.evaluation == balanced.evaluate(*dev)
    assert after.evaluation is not None
    assert before.evaluation is not None
    assert after.evaluation.score > before.evaluation.score
