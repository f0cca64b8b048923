"""`gatewise predict`, `evaluate` and `info`: what a fitted model is asked, without PyTorch."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from gatewise import options
from gatewise.cli.columns import Columns
from gatewise.cli.flags import Reading, ReadingFlags
from gatewise.data.tables import Table, guess_text, write_table
from gatewise.errors import DataError
from gatewise.tasks import load

BLOCK = 1024
"""Lines that are answered together."""
ADDED = ("prediction", "probability")


def predict(
    model: str,
    source: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    out: str | None = None,
    text: str | None = None,
    json: bool = False,
    reading: Annotated[ReadingFlags | None, Parameter(name="*")] = None,
) -> None:
    """Answer texts: one text a line in, one answer a line out; or a table in and a table out.

    A line of the output is the label, a tab and its probability. Many labels at once, and their
    probabilities, are joined by "|".

    Args:
        model: The model folder.
        source: A table, a .txt file with a text on every line, or - for lines of standard input.
        out: Table to write: all columns of the input, then the prediction and its probability.
        text: Column of the texts. By default the one that the model was trained on.
        json: Print a JSON object a line, with the probability of every label.
    """
    classifier = load(model)
    if source == "-" or Path(source).suffix == ".txt":
        if out is not None:
            raise DataError("--out needs a table. Lines are answered on standard output.")
        for lines in _lines(source):
            _print(classifier, lines, json)
        return
    table = (reading or Reading()).open(source)
    column = text or _remembered(classifier, table, "text") or guess_text(table)
    if out is None:
        for rows in table.rows([column]):
            _print(classifier, [row[0] for row in rows], json)
    else:
        write_table(out, (*table.columns, *ADDED), _answered(classifier, table, column))
        print(f"The answers are in {out}.")


def evaluate(
    model: str,
    table: str,
    /,
    *,
    text: str | None = None,
    label: str | None = None,
    label_separator: str | None = None,
    json: bool = False,
    reading: Annotated[ReadingFlags | None, Parameter(name="*")] = None,
) -> None:
    """Test a model on a table of texts and their true labels.

    Args:
        model: The model folder.
        table: The table with the true labels.
        text: Column of the texts. By default the one that the model was trained on.
        label: Column of the labels. By default the one that the model was trained on.
        label_separator: What stands between many labels of one text.
        json: Print the figures as JSON.
    """
    classifier = load(model)
    source = (reading or Reading()).open(table)
    label = label or _remembered(classifier, source, "labels")
    columns = Columns.choose(
        source,
        text or _remembered(classifier, source, "text"),
        label,
        label_separator or _remembered(classifier, None, "separator"),
    )
    texts, labels = columns.read(source)
    found = classifier.evaluate(texts, labels)
    if json:
        print(json_format.dumps(msgspec.to_builtins(found), ensure_ascii=False))
    else:
        print(found)
        if found.confusion is not None:
            print(f"\n{found.confusion_table()}")


def info(model: str, /, *, json: bool = False) -> None:
    """Show what a model folder holds: labels, options, and the report of its training.

    Args:
        model: The model folder.
        json: Print it as JSON.
    """
    classifier = load(model)
    chosen = options.values(classifier)
    report = classifier.report_
    if json:
        found = {
            "task": "classify",
            "labels": classifier.labels_,
            "options": chosen,
            "training": report and report.as_json(),
        }
        print(json_format.dumps(found, ensure_ascii=False))
        return
    print(f"{model}: a text classifier with {len(classifier.labels_)} labels")
    print("labels: " + ", ".join(str(label) for label in classifier.labels_))
    print("\n" + "\n".join(f"{name:<20} {value}" for name, value in chosen.items()))
    if report:
        print(f"\n{report}")


def _remembered(classifier: Any, table: Table | None, what: str) -> Any:
    """What the training table called something, if this table has such a column."""
    columns = classifier.report_ and classifier.report_.columns
    found = columns and columns[what]
    if what == "labels" and found:
        found = ",".join(found)
    if table is not None and found and not set(found.split(",")) <= set(table.columns):
        return None
    return found


def _lines(source: str) -> Iterator[list[str]]:
    """Blocks of lines without their ends; a terminal is answered line by line."""
    if source != "-":
        try:
            with Path(source).open(encoding="utf-8") as file:
                yield from _blocks(file, BLOCK)
        except (OSError, UnicodeDecodeError) as problem:
            raise DataError(f"{source} cannot be read as UTF-8 lines: {problem}.") from None
        return
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    yield from _blocks(sys.stdin, 1 if sys.stdin.isatty() else BLOCK)


def _blocks(lines: Iterable[str], size: int) -> Iterator[list[str]]:
    lines = iter(lines)
    while block := [line.rstrip("\r\n") for line in islice(lines, size)]:
        yield block


def _answered(classifier: Any, table: Table, column: str) -> Iterator[tuple[str, ...]]:
    """The rows of a table with the answers behind them."""
    taken = [name for name in ADDED if name in table.columns]
    if taken:
        raise DataError(f"{table.name} has a column '{taken[0]}' already. Rename it first.")
    place = table.columns.index(column)
    for rows in table.rows(table.columns):
        answers = classifier.answer([row[place] for row in rows])
        for row, answer in zip(rows, answers, strict=True):
            yield (*row, *answer.as_text())


def _print(classifier: Any, texts: list[str], json: bool) -> None:
    for text, answer in zip(texts, classifier.answer(texts), strict=True):
        if json:
            print(json_format.dumps({"text": text} | answer.as_json(), ensure_ascii=False))
        else:
            print("\t".join(answer.as_text()), flush=sys.stdout.isatty())
