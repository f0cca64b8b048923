"""What a classifier is asked: to answer texts, and to be tested. Without PyTorch."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from gatewise.cli.columns import Columns, Examples
from gatewise.cli.flags import Reading
from gatewise.cli.tables import guessed_column, write_answers
from gatewise.cli.terminal import say, say_json
from gatewise.cli.texts import LINES_OUT, encoding_alone, is_lines, lines_of
from gatewise.data.columns import named
from gatewise.data.problems import without_controls
from gatewise.data.tables import Table
from gatewise.errors import DataError

ADDED = ("prediction", "probability")


def predict(
    classifier: Any,
    source: str,
    *,
    out: str | None = None,
    text: str | None = None,
    json: bool = False,
    reading: Reading | None = None,
) -> None:
    """Answer texts: one text a line in, one answer a line out; or a table in and a table out.

    A line of the output is the label, a tab and its probability. Many labels at once, and their
    probabilities, are joined by "|". Arguments are those of `gatewise.cli.answer.predict`.
    """
    if is_lines(source):
        encoding = encoding_alone(source, reading or Reading(), text)
        if out is not None:
            raise DataError(LINES_OUT)
        for lines in lines_of(source, encoding):
            _print(classifier, lines, json)
        return
    table = (reading or Reading()).open(source)
    column = text or _remembered(classifier, table).text or guessed_column(table)
    if out is None:
        for rows in table.rows([column]):
            _print(classifier, [row[0] for row in rows], json)
        return

    def answered(texts: list[str]) -> Iterator[tuple[str, str]]:
        return (answer.as_text() for answer in classifier.answer(texts))

    write_answers(table, source, column, out, ADDED, answered)


def evaluate(
    classifier: Any,
    table: str,
    *,
    text: str | None = None,
    label: str | None = None,
    label_separator: str | None = None,
    json: bool = False,
    reading: Reading | None = None,
) -> None:
    """Test a classifier on a table. Arguments are those of `gatewise.cli.answer.evaluate`."""
    source = (reading or Reading()).open(table)
    rows = labelled(classifier, source, text, label, label_separator)
    found = classifier.evaluate(rows.texts, rows.labels)
    if json:
        say_json(msgspec.to_builtins(found))
    else:
        say(found)
        if found.confusion is not None:
            say(f"\n{found.confusion_table()}")


def labelled(
    classifier: Any, table: Table, text: str | None, label: str | None, separator: str | None
) -> Examples:
    """The rows of a table with labels as a classifier has them.

    Args:
        classifier: whose training table's columns are taken where none are given.
        table: the table.
        text: column of the texts.
        label: column of the labels.
        separator: what stands between many labels of one text.

    Raises:
        DataError: a column cannot be found or read, or the classifier does not know a label.
    """
    known = _remembered(classifier, table)
    columns = Columns.choose(
        table,
        text or known.text,
        label or known.label,
        known.separator if separator is None else separator,
    )
    names = {str(name): name for name in classifier.labels_}
    rows = _suited(columns, classifier, names).read(table)
    rows.refuse_unknown(names, of="those the model knows")
    return rows.renamed(names)


class _Remembered(NamedTuple):
    """What the training table called its columns, where another table calls them so too."""

    text: str | None = None
    label: str | None = None
    separator: str | None = None


def _remembered(classifier: Any, table: Table) -> _Remembered:
    columns = classifier.report_.columns if classifier.report_ else None
    if columns is None:
        return _Remembered()
    return _Remembered(
        columns.text if columns.text in table.columns else None,
        ",".join(columns.labels) if set(columns.labels) <= set(table.columns) else None,
        columns.separator,
    )


def _suited(columns: Columns, classifier: Any, names: Mapping[str, Any]) -> Columns:
    """The columns for the labels of a model: probabilities stand in the order of its labels.

    Raises:
        DataError: the model has other labels, or many at once where the table has one.
    """
    several = classifier.answer([""])[0].multiple
    if several and columns.separator is None:
        raise DataError(
            "The model gives many labels at once. Say with --label-separator what stands between "
            "them in the table."
        )
    if columns.separator is not None and not several:
        raise DataError("The model gives one label a text. Leave --label-separator out.")
    if len(columns.labels) == 1:
        return columns
    if set(columns.labels) != names.keys():
        raise DataError(
            f"The columns of probabilities must be those of the model's labels: {named([*names])}. "
            f"Got {named(columns.labels)}."
        )
    return replace(columns, labels=tuple(names))


def _print(classifier: Any, texts: list[str], json: bool) -> None:
    for text, answer in zip(texts, classifier.answer(texts), strict=True):
        if json:
            say_json({"text": text} | answer.as_json())
        else:
            fields = (without_controls(field) for field in answer.as_text())
            print("\t".join(fields), flush=sys.stdout.isatty())
