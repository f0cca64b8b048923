"""Checks of texts and labels before anything is learned from them.

Every check is a pure function over lists. It returns short sentences for the user, each saying
what to do, or raises a DataError when learning would be senseless. All take time linear in the
rows. `place` turns a row number (from 0) into words for a message, such as `Table.place_of`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gatewise.data.label_checks import MAX_CLASSES, Place, check_labels, row_place
from gatewise.data.problems import many, share, shown
from gatewise.data.split import text_key
from gatewise.errors import DataError

__all__ = [
    "MAX_CLASSES", "Place", "check_agreement", "check_labels", "check_rows", "check_swapped",
    "check_test", "check_texts", "row_place",
]  # fmt: skip

_SHOWN = 5


def check_rows(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    max_classes: int = MAX_CLASSES,
    place: Place = row_place,
) -> list[str]:
    """All checks of rows of one text and one label each; sentences for the user.

    Raises:
        DataError: an empty label, only one label, or more than `max_classes` labels.
    """
    swapped = check_swapped(texts, labels)
    try:
        about_labels = check_labels(labels, max_classes=max_classes, place=place)
    except DataError as error:
        raise DataError(" ".join([str(error), *swapped])) from None
    return [*swapped, *about_labels, *check_texts(texts), *check_agreement(texts, labels)]


def check_texts(texts: Sequence[str]) -> list[str]:
    """Empty texts, texts without a letter or digit, and texts that stand there twice."""
    warnings = []
    empty = sum(not text.strip() for text in texts)
    if empty:
        warnings.append(
            f"{share(empty, len(texts), 'text')} empty or only spaces: nothing can be learned "
            "from them. Remove these rows."
        )
    silent = sum(not any(map(str.isalnum, text)) for text in texts) - empty
    if silent:
        warnings.append(
            f"{share(silent, len(texts), 'text')} without any letter or digit. "
            "Remove these rows unless they are meant."
        )
    distinct = len({text_key(text) for text in texts})
    again = len(texts) - distinct
    if distinct == 1 and len(texts) > 1:
        warnings.append(f"All {len(texts):,} texts are the same. Check the text column.")
    elif again:
        warnings.append(
            f"{share(again, len(texts), 'text')} repeated from an earlier row (case and spaces "
            "aside). Dev rows are kept free of them; remove them unless they are meant."
        )
    return warnings


def check_agreement(texts: Sequence[str], labels: Sequence[str]) -> list[str]:
    """The same text with different labels."""
    seen: dict[str, str] = {}
    torn: dict[str, tuple[str, str]] = {}
    for text, label in zip(texts, labels, strict=True):
        key = text_key(text)
        if seen.setdefault(key, label) != label:
            torn.setdefault(key, (seen[key], label))
    if not torn:
        return []
    key, (one, other) = next(iter(torn.items()))
    return [
        f"{many(len(torn), 'text')} stand{'s' if len(torn) == 1 else ''} there with more than one "
        f"label, such as '{shown(key, 40)}' with '{shown(one, 40)}' and '{shown(other, 40)}'. "
        "Decide on one, or accept that no model can learn these rows."
    ]


def check_swapped(texts: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Labels that look like texts while the texts look like labels."""
    few, many_labels = len(set(texts)), len(set(labels))
    if len(labels) < 20 or many_labels <= len(labels) / 2 or few > many_labels / 2:
        return []
    return [
        f"The label column has {many_labels:,} different values in {len(labels):,} rows, and the "
        f"text column only {few:,}. Are the two swapped? Name them with --text and --label."
    ]


def check_test(
    train_texts: Sequence[str],
    test_texts: Sequence[str],
    train_labels: Iterable[str] = (),
    test_labels: Sequence[str] = (),
) -> list[str]:
    """Test rows that were learned from, and test labels that could not be learned.

    Labels are compared when both lists are given.
    """
    warnings = []
    known = {text_key(text) for text in train_texts}
    leaked = sum(text_key(text) in known for text in test_texts)
    if leaked:
        warnings.append(
            f"{share(leaked, len(test_texts), 'test row')} also in train (case and spaces "
            "aside), so the test score is too good. Remove them from one of the two."
        )
    learned = set(train_labels)
    unknown = Counter(label for label in test_labels if learned and label not in learned)
    if unknown:
        names = ", ".join(
            f"'{shown(label, 40)}' ({count:,})" for label, count in unknown.most_common(_SHOWN)
        )
        more = f" and {len(unknown) - _SHOWN:,} more" if len(unknown) > _SHOWN else ""
        warnings.append(
            f"{many(len(unknown), 'test label is', 'test labels are')} not in train: {names}"
            f"{more}. These rows can only be wrong; add such rows to train, or mend the label."
        )
    return warnings
