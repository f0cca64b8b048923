"""Checks of texts and labels before anything is learned from them.

Every check is a pure function over lists. It returns short sentences for the user, each saying
what to do, or raises a DataError when learning would be senseless. All take time linear in the
rows. `place` turns a row number (from 0) into words for a message, such as `Table.place_of`.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence

from gatewise.data.problems import many, share, shown
from gatewise.data.split import text_key
from gatewise.errors import DataError

MAX_CLASSES = 1000
_SHOWN = 5
_RARE = 20  # a typo stands at least this many times less often than the word that was meant
_IMBALANCE = 100
_WORD = range(5, 41)  # lengths of labels that may be misspelt; in a short one a letter is a lot

Place = Callable[[int], str]
"""Turns a row number (from 0) into words for a message, such as `Table.place_of`."""


def row_place(row: int) -> str:
    """Where a row of a list stands: "row 12", counted from 1."""
    return f"row {row + 1}"


def check_rows(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    max_classes: int = MAX_CLASSES,
    place: Place = row_place,
) -> list[str]:
    """All checks of rows of one text and one label each; sentences for the user.

    Raises:
        DataError: as `check_label_column` does.
    """
    about_labels = check_label_column(texts, labels, max_classes=max_classes, place=place)
    return [*about_labels, *check_texts(texts), *check_agreement(texts, labels)]


def check_label_column(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    max_classes: int = MAX_CLASSES,
    place: Place = row_place,
) -> list[str]:
    """`check_swapped` and `check_labels`; an error of the second tells of the first as well.

    Raises:
        DataError: an empty label, only one label, or more than `max_classes` labels.
    """
    swapped = check_swapped(texts, labels)
    try:
        return [*swapped, *check_labels(labels, max_classes=max_classes, place=place)]
    except DataError as error:
        raise DataError(" ".join([str(error), *swapped])) from None


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
            "aside). Rows that are held out are kept free of them; remove them unless they are "
            "meant."
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
    *,
    name: str = "test",
) -> list[str]:
    """Test rows that were learned from, and test labels that could not be learned.

    Labels are compared when both lists are given. `name` is what the messages call the rows: they
    may be dev rows as well.
    """
    warnings = []
    known = {text_key(text) for text in train_texts}
    leaked = sum(text_key(text) in known for text in test_texts)
    if leaked:
        warnings.append(
            f"{share(leaked, len(test_texts), f'{name} row')} also in train (case and spaces "
            f"aside), so the {name} score is too good. Remove them from one of the two."
        )
    learned = set(train_labels)
    unknown = Counter(label for label in test_labels if learned and label not in learned)
    if unknown:
        names = ", ".join(
            f"'{shown(label, 40)}' ({count:,})" for label, count in unknown.most_common(_SHOWN)
        )
        more = f" and {len(unknown) - _SHOWN:,} more" if len(unknown) > _SHOWN else ""
        warnings.append(
            f"{many(len(unknown), f'{name} label is', f'{name} labels are')} not in train: "
            f"{names}{more}. These rows can only be wrong; add such rows to train, or mend the "
            "label."
        )
    return warnings


def check_labels(
    labels: Sequence[str], *, max_classes: int = MAX_CLASSES, place: Place = row_place
) -> list[str]:
    """Labels that are empty, single, too many, rare, misspelt or uneven.

    Raises:
        DataError: an empty label, only one label, or more than `max_classes` labels.
    """
    if not labels:
        raise DataError("There are no rows to learn from.")
    refuse_empty(labels, place)
    counts = Counter(labels)
    if len(counts) == 1:
        raise DataError(
            f"All {len(labels):,} rows have the label '{shown(next(iter(counts)))}': with only "
            "one label there is nothing to learn. Add rows of another label."
        )
    if len(counts) > max_classes:
        raise DataError(
            f"The label column has {len(counts):,} different values in {len(labels):,} rows, and "
            f"at most {max_classes:,} are allowed. Check that it is the label column, or raise "
            "--max-classes."
        )
    return [*check_spelling(labels), *_rare(counts), *_uneven(counts)]


def check_spelling(labels: Iterable[str]) -> list[str]:
    """Labels that differ only by their form, and those that look like typos of others."""
    counts = Counter(labels)
    return [*_variants(counts), *_typos(counts)]


def refuse_empty(labels: Sequence[str], place: Place = row_place) -> None:
    """Raise a DataError that names the first row of an empty label, if there is one."""
    empty = [row for row, label in enumerate(labels) if not label.strip()]
    if empty:
        raise DataError(
            f"{place(empty[0])}: an empty label ({share(len(empty), len(labels), 'label')} "
            "empty). Fill it in or remove the row."
        )


def refuse_unknown(
    labels: Sequence[str],
    known: Collection[str],
    place: Place = row_place,
    *,
    of: str = "those allowed",
) -> None:
    """Raise a DataError that names the first row of a label that is not `known`, if there is one.

    Args:
        labels: the labels of the rows.
        known: all labels that a row may have.
        place: where a row stands.
        of: what the known labels are, in words.
    """
    unknown = Counter(labels)
    for label in known:
        del unknown[label]
    if not unknown:
        return
    row = next(row for row, label in enumerate(labels) if label in unknown)
    listed = ", ".join(shown(label, 40) for label in list(known)[:20])
    listed += f" and {len(known) - 20:,} more" if len(known) > 20 else ""
    raise DataError(
        f"{place(row)}: the label '{shown(labels[row])}' is none of {of}: {listed} "
        f"({many(unknown.total(), 'row')} with {many(len(unknown), 'such label')}). "
        "Mend the label or remove the row."
    )


def _variants(counts: Counter[str]) -> list[str]:
    """Labels that differ only by case, spaces, invisible characters or Unicode form."""
    forms: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        forms[_plain_label(label)].append(label)
    found = [
        " and ".join(f"'{_exact(label)}' ({counts[label]:,})" for label in sorted(same))
        for same in forms.values()
        if len(same) > 1
    ]
    return _cut(
        [
            f"The labels {variants} differ only by case, spaces or Unicode form and would be "
            "learned as different classes. Write them alike."
            for variants in found
        ]
    )


def _plain_label(label: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).casefold())
    visible = "".join(char for char in folded if unicodedata.category(char) != "Cf")
    return " ".join(visible.split())


def _exact(label: str) -> str:
    """A label so that its Unicode form can be seen: combining marks are escaped."""
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.combining(char) else shown(char)
        for char in label[:40]
    )


def _typos(counts: Counter[str]) -> list[str]:
    """Rare labels that are one slip away from a frequent one.

    A slip is one letter left out, added, changed or swapped with its neighbour. Only words of 5
    to 40 letters count, with the same first letter and no change of a digit, so that codes
    ("A", "B2"), opposites ("typical", "atypical") and numbers raise no alarm.
    """
    frequent: dict[str, list[str]] = defaultdict(list)
    least = min(counts.values(), default=0)
    for label, count in counts.items():
        if len(label) in _WORD and count >= _RARE * least:
            for form in _with_one_left_out(label.casefold()):
                frequent[form].append(label)
    found = []
    for label, count in counts.items():
        if len(label) not in _WORD:
            continue
        near = {
            other
            for form in _with_one_left_out(label.casefold())
            for other in frequent[form]
            if counts[other] >= _RARE * count and _one_slip(label.casefold(), other.casefold())
        }
        if near:
            meant = max(near, key=lambda other: (counts[other], other))
            found.append(
                f"The label '{shown(label)}' ({count:,}) looks like a typo of "
                f"'{shown(meant)}' ({counts[meant]:,}). Mend it unless it is meant."
            )
    return _cut(found)


def _with_one_left_out(word: str) -> set[str]:
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


def _one_slip(one: str, other: str) -> bool:
    if one == other or one[0] != other[0]:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    left, right = one[start : len(one) - end], other[start : len(other) - end]
    if not (left + right).isalpha():
        return False
    swapped = len(left) == len(right) == 2 and left == right[::-1]
    return swapped or max(len(left), len(right)) == 1


def _rare(counts: Counter[str]) -> list[str]:
    once = [label for label, count in counts.items() if count == 1]
    if not once:
        return []
    names = ", ".join(f"'{shown(label, 40)}'" for label in once[:_SHOWN])
    more = f" and {len(once) - _SHOWN:,} more" if len(once) > _SHOWN else ""
    return [
        f"{many(len(once), 'label has', 'labels have')} only one row: {names}{more}. It cannot be "
        "tested whether they were learned; add rows or join them with another label."
    ]


def _uneven(counts: Counter[str]) -> list[str]:
    (most, high), (least, low) = counts.most_common(1)[0], counts.most_common()[-1]
    if high < _IMBALANCE * max(low, 2):  # labels of one row are told of already
        return []
    return [
        f"The labels are very uneven: '{shown(most)}' has {high:,} rows and '{shown(least)}' "
        f"{low:,}. Accuracy will flatter; look at the F1 of every label, and weigh the classes."
    ]


def _cut(sentences: list[str]) -> list[str]:
    if len(sentences) <= _SHOWN:
        return sentences
    return [*sentences[:_SHOWN], f"… and {len(sentences) - _SHOWN:,} more labels like these."]
