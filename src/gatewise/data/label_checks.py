"""Checks of labels: empty, unknown, single, too many, rare, misspelt or uneven ones."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from gatewise.data.problems import many, share, shown
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


def check_labels(
    labels: Sequence[str],
    *,
    max_classes: int = MAX_CLASSES,
    allowed: Iterable[str] | None = None,
    place: Place = row_place,
) -> list[str]:
    """Labels that are empty, unknown, single, too many, rare, misspelt or uneven.

    Raises:
        DataError: an empty label, a label that is not `allowed`, only one label, or more than
            `max_classes` labels.
    """
    if not labels:
        raise DataError("There are no rows to learn from.")
    counts = Counter(labels)
    if any(not label.strip() for label in counts):
        empty = [row for row, label in enumerate(labels) if not label.strip()]
        raise DataError(
            f"{place(empty[0])}: an empty label ({share(len(empty), len(labels), 'label')} "
            "empty). Fill it in or remove the row."
        )
    if allowed is not None:
        _refuse_unknown(labels, counts, list(allowed), place)
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
    return [*_variants(counts), *_typos(counts), *_rare(counts), *_uneven(counts)]


def _refuse_unknown(
    labels: Sequence[str], counts: Counter[str], allowed: list[str], place: Place
) -> None:
    unknown = {label for label in counts if label not in set(allowed)}
    if not unknown:
        return
    row = next(row for row, label in enumerate(labels) if label in unknown)
    rows = sum(counts[label] for label in unknown)
    raise DataError(
        f"{place(row)}: the label '{shown(labels[row])}' is none of those allowed, "
        f"{', '.join(shown(label, 40) for label in allowed[:20])} "
        f"({many(rows, 'row')} with {many(len(unknown), 'such label')}). Mend it or add it."
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
    least = min(counts.values())
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
