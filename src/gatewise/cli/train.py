"""`gatewise train classify`: from a table to a model folder."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gatewise import options
from gatewise.cli.checks import check_out, check_rejects
from gatewise.cli.columns import Columns, Examples
from gatewise.cli.finish import finish
from gatewise.cli.flags import Reading, ReadingFlags, flags
from gatewise.cli.kinds import begun
from gatewise.cli.terminal import tell
from gatewise.data.checks import check_label_column, check_test
from gatewise.errors import OptionError
from gatewise.pictures import need_drawing
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.tasks.classify.report import TableColumns
from gatewise.tasks.classify.task import TextClassifier

if TYPE_CHECKING:
    ModelFlags = TextClassifier
    TrainingFlags = ClassifierTraining
else:
    ModelFlags = flags(TextClassifier, "Model")
    TrainingFlags = flags(ClassifierTraining, "Training")


def classify(
    table: str,
    /,
    *,
    out: str,
    text: str | None = None,
    label: str | None = None,
    label_separator: str | None = None,
    labels: str | None = None,
    dev: str | None = None,
    test: str | None = None,
    weight: str | None = None,
    class_weight: str | None = None,
    start: str | None = None,
    reading: Annotated[ReadingFlags | None, Parameter(name="*")] = None,
    model: Annotated[ModelFlags | None, Parameter(name="*")] = None,
    training: Annotated[TrainingFlags | None, Parameter(name="*")] = None,
) -> None:
    """Train a text classifier.

    Args:
        table: The table to learn from: .csv .tsv .jsonl (also .gz and .zst), .parquet, databases.
        out: Folder for the model; a model that is there is replaced.
        text: Column of the texts. Guessed when left out.
        label: Column of the labels. Guessed when left out. Several, joined by commas, hold the
            probabilities of the labels they are named after.
        label_separator: What stands between many labels of one text, such as "|".
        labels: All labels that there may be, joined by commas; any other is an error.
        dev: Table to choose the best epoch on. By default a tenth of the rows is held out.
        test: Table to test the finished model on; it is used for nothing else.
        weight: Column of numbers that say how much every row counts.
        class_weight: How much every label counts: "balanced", or like "spam=5,ham=1".
        start: Folder of a classifier to go on with: it learns the new rows and their new labels.
    """
    reading, training = reading or Reading(), training or ClassifierTraining()
    model, learn = begun(model, start, TextClassifier)
    weighting, allowed = {"class_weight": _class_weight(class_weight)}, _allowed(labels)
    check_out(out)
    need_drawing()  # the model folder holds pictures of the report
    # All tables are read before training, which may take an hour: a mistake is told at once.
    paths = {"train": table, "dev": dev, "test": test}
    tables = {name: reading.open(path) for name, path in paths.items() if path is not None}
    check_rejects(tables.values())
    columns = Columns.choose(tables["train"], text, label, label_separator)
    rows = columns.read(tables.pop("train"), weight)
    _check(rows, allowed, training)
    held = {name: columns.read(source) for name, source in tables.items()}
    for name, others in held.items():
        _check_held(name, others, rows)
    if len(columns.labels) > 1:
        if start is not None:
            raise OptionError("--start takes labels in one column. --label names several.")
        weighting["label_names"] = columns.labels
    learn(
        rows.texts,
        rows.labels,
        dev=(held["dev"].texts, held["dev"].labels) if "dev" in held else None,
        sample_weight=rows.weights,
        **weighting,
        **options.values(training),
    )
    assert model.report_ is not None
    model.report_ = replace(model.report_, columns=TableColumns(**asdict(columns)))
    tested = held.get("test")
    test_rows = None if tested is None else (tested.texts, tested.labels)
    finish(
        model,
        out,
        test_rows,
        f"On the test rows of {test}:\n\n",
        f'echo "Some text." | gatewise predict {out} -',
    )


def _check(rows: Examples, allowed: list[str] | None, training: ClassifierTraining) -> None:
    """Raise a DataError, with its line, for labels that cannot be learned; warn of odd ones.

    What `fit` warns of as well is left to it.
    """
    for note in rows.notes:
        tell("warning", note)
    names, _ = rows.names()
    if names and isinstance(rows.labels[0], str):
        place = rows.table.place_of
        check_label_column(rows.texts, names, max_classes=training.max_classes, place=place)
    if allowed is not None:
        if not names:
            raise OptionError("--labels is for labels in one column. --label names several.")
        rows.refuse_unknown(allowed, of="those in --labels")


def _check_held(name: str, rows: Examples, train: Examples) -> None:
    """Compare dev or test rows with those to learn from.

    Raises:
        DataError: a label is not in train; with its line.
    """
    known, _ = train.names()
    for warning in check_test(train.texts, rows.texts, known, rows.names()[0], name=name):
        tell("warning", warning)
    rows.refuse_unknown(sorted(set(known)), of="those in train")


def _allowed(labels: str | None) -> list[str] | None:
    """The labels of a closed list."""
    if labels is None:
        return None
    allowed = [label.strip() for label in labels.split(",")]
    if len(set(allowed)) < max(2, len(allowed)) or "" in allowed:
        raise OptionError(
            f"--labels must be two or more different labels like 'spam,ham'. Got {labels!r}."
        )
    return allowed


def _class_weight(given: str | None) -> Any:
    """ "balanced", or numbers by label."""
    if given is None or given == "balanced":
        return given
    pairs = [part.rpartition("=") for part in given.split(",")]
    try:
        return {label: float(number) for label, _, number in pairs}
    except ValueError:
        raise OptionError(
            f"--class-weight must be 'balanced' or look like 'spam=5,ham=1'. Got {given!r}."
        ) from None
