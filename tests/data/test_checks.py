"""Checks of texts and labels: every warning with its counts, and no false alarms."""

from __future__ import annotations

import time

import pytest

from gatewise.data.checks import (
    check_agreement,
    check_label_column,
    check_labels,
    check_rows,
    check_swapped,
    check_test,
    check_texts,
    refuse_unknown,
)
from gatewise.errors import DataError

GOEMOTIONS = [
    "admiration",
    "amusement",
    "anger",
    "annoyance",
    "approval",
    "caring",
    "confusion",
    "curiosity",
    "desire",
    "disappointment",
    "disapproval",
    "disgust",
    "embarrassment",
    "excitement",
    "fear",
    "gratitude",
    "grief",
    "joy",
    "love",
    "nervousness",
    "optimism",
    "pride",
    "realization",
    "relief",
    "remorse",
    "sadness",
    "surprise",
    "neutral",
]


def only(warnings: list[str]) -> str:
    (warning,) = warnings
    return warning


def test_case_26_swapped_columns() -> None:
    texts, labels = ["good", "bad"] * 5000, [f"text {row}" for row in range(10_000)]
    told = only(check_swapped(texts, labels))
    assert "10,000 different values in 10,000 rows" in told
    assert "only 2. Are the two swapped?" in told
    with pytest.raises(DataError, match=r"--max-classes\..* Are the two swapped\?"):
        check_rows(texts, labels)
    with pytest.raises(DataError, match=r"^t\.csv, line 1: .* Are the two swapped\?"):
        check_label_column(texts, ["", *labels[1:]], place=lambda row: f"t.csv, line {row + 1}")
    assert any("swapped" in warning for warning in check_rows(texts[:400], labels[:400]))
    assert check_swapped(labels, texts) == []
    assert check_swapped(labels, labels) == []
    assert check_swapped(["a", "b"], ["c", "d"]) == []


@pytest.mark.parametrize("typo", ["postive", "positivve", "positve", "posiitve", "pasitive"])
def test_case_27_typos(typo: str) -> None:
    told = only(check_labels([typo] * 3 + ["positive"] * 90 + ["negative"] * 90))
    assert f"'{typo}' (3) looks like a typo of 'positive' (90)" in told
    with pytest.raises(
        DataError,
        match=rf"^row 4: the label '{typo}' is none of those allowed: positive, negative "
        r"\(2 rows with 1 such label\)",
    ):
        refuse_unknown(["positive"] * 3 + [typo, typo], ["positive", "negative"])


def test_case_27_a_closed_list_names_place_and_source() -> None:
    known = [f"label {number}" for number in range(30)]
    refuse_unknown(known * 2, known)
    with pytest.raises(
        DataError, match=r"^t\.csv, line 9: .* of those in train: .* and 10 more \("
    ):
        refuse_unknown(["\x1b"], known, lambda row: f"t.csv, line {row + 9}", of="those in train")


@pytest.mark.parametrize(
    "labels",
    [
        ["1", "2", "3", "10", "11"],
        ["A", "B", "AB"],
        ["anger", "annoyance"],
        GOEMOTIONS,
        ["class1", "class2", "class12"],
        ["typical", "atypical"],
        ["happy", "unhappy"],
        ["male", "female"],
        ["topic-2021", "topic-2022"],
        ["spam", "ham"],
        ["B-PER", "I-PER", "B-ORG", "O"],
    ],
)
def test_case_27_no_false_alarms(labels: list[str]) -> None:
    rows = [label for place, label in enumerate(labels) for _ in range(2000 if place else 30)]
    assert check_labels(rows) == []
    assert check_labels(rows[::-1]) == []


def test_case_27_long_labels_take_no_time() -> None:
    start = time.perf_counter()
    check_labels([letter * 100_000 for letter in "abcdefgh"] * 30)
    assert time.perf_counter() - start < 2


def test_case_27_frequent_words_are_no_typos() -> None:
    labels = ["import"] * 100 + ["export"] * 100 + ["imports"] * 90
    assert check_labels(labels) == []
    assert check_labels([*labels, "other", "other"]) == []


@pytest.mark.parametrize(
    "pair",
    [
        ("positive", "Positive"),
        ("positive", "positive "),
        ("very good", "very  good"),
        ("é", "e\u0301"),
        ("spam", "\uff53\uff50\uff41\uff4d"),
        ("spam", "sp\u200bam"),
        ("straße", "STRASSE"),
    ],
)
def test_case_28_variants(pair: tuple[str, str]) -> None:
    told = only(check_labels([pair[0]] * 9 + [pair[1]] * 7))
    assert "(9)" in told
    assert "(7)" in told
    assert "differ only by case, spaces or Unicode form" in told
    assert told.split(" differ")[0].count("'") == 4
    first, second = told.split("'")[1], told.split("'")[3]
    assert first != second


def test_case_29_empty_labels() -> None:
    with pytest.raises(DataError, match=r"^row 3: an empty label \(2 of 4 labels \(50\.0%\)"):
        check_labels(["a", "b", "", " "])
    with pytest.raises(DataError, match=r"^t\.csv, line 12: an empty label"):
        check_labels(["a", "b", ""], place=lambda row: f"t.csv, line {row + 10}")
    assert check_labels(["NA", "None", "nan", "null", "0", "01", "1.0", "True"] * 2) == []


def test_case_30_one_label() -> None:
    with pytest.raises(DataError, match=r"All 3 rows have the label 'ham'.*nothing to learn"):
        check_labels(["ham"] * 3)
    with pytest.raises(DataError, match="no rows"):
        check_labels([])


def test_case_31_rare_labels() -> None:
    told = only(check_labels(["a"] * 9 + ["b"] * 9 + ["once", "also once"]))
    assert told.startswith("2 labels have only one row: 'once', 'also once'.")
    told = only(check_test(["x"], ["y"] * 5, ["a", "b"], ["a", "c", "c", "d", "b"]))
    assert told.startswith("2 test labels are not in train: 'c' (2), 'd' (1).")


def test_case_32_too_many_labels() -> None:
    labels = [f"{row:06}" for row in range(100_000)]
    with pytest.raises(DataError, match=r"100,000 different values.*at most 1,000.*--max-classes"):
        check_labels(labels)
    start = time.perf_counter()
    assert len(check_labels(labels, max_classes=100_000)) == 1  # each has only one row
    assert time.perf_counter() - start < 5


def test_case_33_uneven_labels() -> None:
    told = only(check_labels(["common"] * 10_000 + ["rare"] * 3))
    assert "'common' has 10,000 rows and 'rare' 3" in told
    assert check_labels(["common"] * 900 + ["rare"] * 10) == []


def test_case_34_empty_texts() -> None:
    told = check_texts(["", " \t", "\u2003", "...", "!?", "a", "b"])
    assert told[0].startswith("3 of 7 texts (42.9%) are empty or only spaces")
    assert told[1].startswith("2 of 7 texts (28.6%) are without any letter or digit")
    assert "repeated" in told[2]
    assert check_texts(["a", "b", "中", "7"]) == []


def test_case_35_repeated_texts() -> None:
    told = only(check_texts(["Same  text", "same text", "SAME TEXT ", "other", "third"]))
    assert told.startswith("2 of 5 texts (40.0%) are repeated from an earlier row")
    assert only(check_texts(["a"] * 4)) == "All 4 texts are the same. Check the text column."
    assert check_texts(["one"]) == []


def test_case_35_the_same_text_with_two_labels() -> None:
    texts = ["Good", "good ", "good", "bad", "bad"]
    told = only(check_agreement(texts, ["pos", "neg", "pos", "neg", "neg"]))
    assert told.startswith("1 text stands there with more than one label")
    assert "such as 'good' with 'pos' and 'neg'" in told
    assert check_agreement(texts, ["a", "a", "a", "b", "b"]) == []


def test_case_36_test_rows_in_train() -> None:
    train = [f"text {row}" for row in range(1000)]
    test = ["Text  7", *(f"new {row}" for row in range(31)), "text 8"]
    told = only(check_test(train, test))
    assert told.startswith("2 of 33 test rows (6.1%) are also in train")
    assert check_test(train, test[1:-1], ["a"], ["a"] * 31) == []
    told, unknown = check_test(train, test, ["a"], ["b"] * 33, name="dev")
    assert told.startswith("2 of 33 dev rows (6.1%) are also in train")
    assert "so the dev score is too good" in told
    assert unknown.startswith("1 dev label is not in train: 'b' (33).")


def test_case_37_labels_are_shown_escaped() -> None:
    with pytest.raises(DataError) as caught:
        check_labels(["\x1b[2J\u202e"] * 3)
    assert "'\\x1b[2J\\u202e'" in str(caught.value)


def test_good_rows_raise_no_alarm() -> None:
    texts = [f"text number {row}" for row in range(300)]
    assert check_rows(texts, ["a", "b", "c"] * 100) == []


def test_many_warnings_are_cut() -> None:
    labels = [f"name{chr(97 + row)}{case}" for row in range(20) for case in ("x", "X")] * 2
    told = check_labels(labels)
    assert len(told) == 6
    assert told[-1] == "… and 15 more labels like these."
