"""`gatewise train`: from a table to a model folder."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gatewise import options
from gatewise.cli.columns import Columns, numbers
from gatewise.cli.flags import Reading, ReadingFlags, flags
from gatewise.data.checks import check_test
from gatewise.errors import OptionError
from gatewise.options import Training
from gatewise.store import check_replaceable
from gatewise.tasks.classify.task import TextClassifier

if TYPE_CHECKING:
    ModelFlags = TextClassifier
    TrainingFlags = Training
else:
    ModelFlags = flags(TextClassifier, "Model")
    TrainingFlags = flags(Training, "Training")


def classify(
    table: str,
    /,
    *,
    out: str,
    text: str | None = None,
    label: str | None = None,
    label_separator: str | None = None,
    dev: str | None = None,
    test: str | None = None,
    weight: str | None = None,
    class_weight: str | None = None,
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
        dev: Table to choose the best epoch on. By default a tenth of the rows is held out.
        test: Table to test the finished model on; it is used for nothing else.
        weight: Column of numbers that say how much every row counts.
        class_weight: How much every label counts: "balanced", or like "spam=5,ham=1".
    """
    reading, training = reading or Reading(), training or Training()
    model = model or TextClassifier()
    check_replaceable(Path(out))
    source = reading.open(table)
    columns = Columns.choose(source, text, label, label_separator)
    texts, labels = columns.read(source)
    weights = None if weight is None else numbers(source, weight, source.read([weight])[weight])
    model.fit(
        texts,
        labels,
        dev=None if dev is None else columns.read(reading.open(dev)),
        label_names=columns.labels if len(columns.labels) > 1 else None,
        sample_weight=weights,
        class_weight=_class_weight(class_weight),
        **options.values(training),
    )
    assert model.report_ is not None
    model.report_ = replace(model.report_, columns=asdict(columns))
    model.save(out)
    print(model.report_)
    if test is not None:
        test_texts, test_labels = columns.read(reading.open(test))
        for warning in check_test(texts, test_texts):
            sys.stderr.write(f"warning: {warning}\n")
        print(f"\nOn the test rows of {test}:\n\n{model.evaluate(test_texts, test_labels)}")
    print(f'\nThe model is in {out}. Try: echo "Some text." | gatewise predict {out} -')


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
