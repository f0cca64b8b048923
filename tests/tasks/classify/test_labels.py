from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gatewise.errors import DataError, ModelFileError
from gatewise.tasks.classify.labels import Labels


@pytest.mark.parametrize(
    ("labels", "names", "multiple"),
    [
        (["b", "a", "b"], ("a", "b"), False),
        ([1, 0, 2], (0, 1, 2), False),
        (np.array([1, 0, 1]), (0, 1), False),
        ([True, False], (False, True), False),
        ([["x", "y"], [], ["z"]], ("x", "y", "z"), True),
        ([{"x"}, ("y",)], ("x", "y"), True),
        (["None", "NA", ""], ("", "NA", "None"), False),
    ],
)
def test_labels_are_learned_and_come_back(labels: Any, names: Any, multiple: bool) -> None:
    learned = Labels.learn(labels)
    assert (learned.names, learned.multiple) == (names, multiple)
    targets = learned.targets(labels)
    back = learned.named(targets.astype(np.int64))
    expected = [sorted(row) for row in labels] if multiple else list(labels)
    assert back == expected
    assert Labels.from_json({**learned.as_json(), "names": list(names)}) == learned


def test_probabilities_are_targets_as_they_are() -> None:
    taught = np.array([[0.2, 0.8], [0.5, 0.5]])
    labels = Labels.learn(taught, ["no", "yes"])
    np.testing.assert_array_equal(labels.targets(taught), taught.astype(np.float32))
    np.testing.assert_array_equal(labels.targets(["yes", "no"]), [1, 0])


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        ([], None, "A classifier needs at least two labels, but there are no labels."),
        (["a", "a"], None, "A classifier needs at least two labels, but the only label is 'a'."),
        (["a", 1], None, "Labels must all be texts or all whole numbers. Got int, str."),
        ([1.5, 2.5], None, "Labels must all be texts or all whole numbers. Got float."),
        ([["a"], "b"], None, "Some labels are single and some are lists of labels. Use one form."),
        (["a", ["b"]], None, "Some labels are single and some are lists of labels. Use one form."),
        (np.ones((2, 2)) / 2, None, "in 2 columns need 2 names in 'label_names'. Got none."),
        (["a", "c"], ["a", "b"], "The label 'c' is not in 'label_names'."),
    ],
)
def test_labels_that_cannot_be_learned(labels: Any, names: Any, message: str) -> None:
    with pytest.raises(DataError) as problem:
        Labels.learn(labels, names)
    assert message in str(problem.value)


def test_an_unknown_label_is_named_with_its_row() -> None:
    labels = Labels.learn(["a", "b"])
    with pytest.raises(DataError, match=r"Row 2 has the label 'c', .* It knows: a, b\."):
        labels.targets(["a", "c"])
    with pytest.raises(DataError, match=r"Row 1 has the label \['a'\]"):
        labels.targets([["a"]])


@pytest.mark.parametrize("row", [[0.5, 0.6], [1.5, -0.5], [float("nan"), 1.0]])
def test_rows_that_are_no_probabilities_are_refused(row: list[float]) -> None:
    labels = Labels.learn(np.array([[0.5, 0.5]]), ["a", "b"])
    with pytest.raises(DataError, match="Row 2 is"):
        labels.targets(np.array([[0.5, 0.5], row]))


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        {"names": ["a", "b"]},
        {"names": ["a"], "multiple": False, "thresholds": None},
        {"names": ["a", "a"], "multiple": False, "thresholds": None},
        {"names": ["a", 1], "multiple": False, "thresholds": None},
        {"names": [["a"], ["b"]], "multiple": False, "thresholds": None},
        {"names": ["a", "b"], "multiple": 1, "thresholds": None},
        {"names": ["a", "b"], "multiple": True, "thresholds": [0.5]},
        {"names": ["a", "b"], "multiple": True, "thresholds": [0.5, 7.0]},
        {"names": ["a", "b"], "multiple": True, "thresholds": "0.5"},
    ],
)
def test_broken_label_files_are_refused(broken: Any) -> None:
    with pytest.raises(ModelFileError, match=r"labels\.json"):
        Labels.from_json(broken)
