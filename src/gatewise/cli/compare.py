"""`gatewise compare`: which kind of model suits a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from gatewise import options
from gatewise.cli.checks import check_png
from gatewise.cli.columns import Columns
from gatewise.cli.flags import Reading, ReadingFlags, flags, whole, whole_numbers
from gatewise.cli.terminal import say, say_json, tell
from gatewise.compare import Comparison, Standing
from gatewise.compare import compare as run
from gatewise.compare.picture import picture
from gatewise.compare.standing import in_seconds
from gatewise.data.checks import check_test
from gatewise.data.writing import write_file
from gatewise.errors import OptionError
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.tasks.classify.task import TextClassifier

if TYPE_CHECKING:
    ModelFlags = TextClassifier
    TrainingFlags = ClassifierTraining
else:
    ModelFlags = flags(TextClassifier, "Model")
    TrainingFlags = flags(ClassifierTraining, "Training")


def compare(
    table: str,
    /,
    *,
    text: str | None = None,
    label: str | None = None,
    label_separator: str | None = None,
    dev: str | None = None,
    test: str | None = None,
    test_share: float = 0.2,
    models: str | None = None,
    depth: str | None = None,
    seeds: Annotated[int, Parameter(converter=whole)] = 3,
    minutes: float | None = None,
    png: str | None = None,
    json: bool = False,
    reading: Annotated[ReadingFlags | None, Parameter(name="*")] = None,
    model: Annotated[ModelFlags | None, Parameter(name="*")] = None,
    training: Annotated[TrainingFlags | None, Parameter(name="*")] = None,
) -> None:
    """Compare kinds of models on a table: all learn the same rows in the same way.

    Args:
        table: The table to learn from: .csv .tsv .jsonl (also .gz and .zst), .parquet, databases.
        text: Column of the texts. Guessed when left out.
        label: Column of the labels. Guessed when left out.
        label_separator: What stands between many labels of one text, such as "|".
        dev: Table to choose epochs and models on. By default a tenth of the rows is held out.
        test: Table to test on. By default a fifth of the rows is held out.
        test_share: Share of the rows to test on where there is no --test.
        models: Some of linear, words, cnn, rnn, gru, lstm, bilstm, lstm-attention, transformer and
            default, joined by commas. By default all.
        depth: Numbers of layers, like 1,2,3,4: shows when stacking stops paying.
        seeds: Rounds, each with a seed of its own.
        minutes: Begin no round that would likely end later; the first is always run.
        png: File for a picture of the outcome.
        json: Print all figures as JSON.
    """
    reading, training = reading or Reading(), training or ClassifierTraining()
    if label is not None and "," in label:
        raise OptionError("--label must be one column of labels: probabilities are not compared.")
    check_png(png)
    paths = {"train": table, "dev": dev, "test": test}
    tables = {name: reading.open(path) for name, path in paths.items() if path is not None}
    columns = Columns.choose(tables["train"], text, label, label_separator)
    rows = {name: columns.read(source) for name, source in tables.items()}
    known = sorted(set(rows["train"].names()[0]))
    for name in rows.keys() - {"train"}:
        texts, names = rows[name].texts, rows[name].names()[0]
        for warning in check_test(rows["train"].texts, texts, known, names, name=name):
            tell("warning", warning)
        rows[name].refuse_unknown(known, of="those in train")
    held = {name: (rows[name].texts, rows[name].labels) for name in rows.keys() - {"train"}}
    found = run(
        rows["train"].texts,
        rows["train"].labels,
        dev=held.get("dev"),
        test=held.get("test"),
        test_share=test_share,
        models=None if models is None else [name.strip() for name in models.split(",")],
        depth=None if depth is None else whole_numbers("--depth", depth),
        seeds=seeds,
        minutes=minutes,
        classifier=model,
        **options.values(training),
    )
    if png is not None:
        write_file(png, picture(found))
    if json:
        say_json(found.as_json())
        return
    _show(found)
    if png is not None:
        say(f"\nThe picture is in {png}.")


def _show(found: Comparison) -> None:
    """The table and what follows from it."""
    reference = found.reference
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("model", no_wrap=True)
    heads = (f"dev {found.metric}", f"test {found.metric}", f"from {reference.title}", "p")
    for head in (*heads, "train s", "ms/text", "MB"):
        shown.add_column(head, justify="right", no_wrap=True)
    for standing in found.standings:
        chosen = standing.name == found.challenger
        shown.add_row(*_cells(standing), style="bold" if chosen else "")
    say(
        f"{found.train_rows:,} rows to learn from, {found.dev_rows:,} dev rows to choose on, "
        f"{found.test_rows:,} test rows; {found.seeds} seed{'s' * (found.seeds > 1)}, at most "
        f"{found.epochs} epochs, {found.threads} thread{'s' * (found.threads > 1)}.\n"
    )
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200  # a file has no edge to break lines at
    console.print(shown)
    say(
        "\nMean ± standard deviation over the seeds. Points from the simplest model have their 95 %"
    )
    say("interval; p is adjusted for the number of models. What these mean: docs/compare.md.\n")
    for sentence in found.recommendation():
        say(sentence)


def _cells(standing: Standing) -> list[str]:
    difference = standing.difference
    gain = p = ""
    if difference is not None and standing.adjusted_p is not None:
        low, high = 100 * difference.low, 100 * difference.high
        gain = f"{100 * difference.gain:+.1f} ({low:+.1f} to {high:+.1f})"
        p = f"{standing.adjusted_p:.3f}"
    return [
        standing.title,
        _spread(standing.dev_scores),
        _spread(standing.test_scores),
        gain,
        p,
        in_seconds(standing.seconds),
        f"{standing.milliseconds:.2f}",
        f"{standing.size / 1e6:.2f}",
    ]


def _spread(scores: tuple[float, ...]) -> str:
    """Mean in percent, and the standard deviation where there are several seeds."""
    mean = sum(scores) / len(scores)
    if len(scores) == 1:
        return f"{100 * mean:.1f}      "
    deviation = (sum((score - mean) ** 2 for score in scores) / (len(scores) - 1)) ** 0.5
    return f"{100 * mean:.1f} ± {100 * deviation:3.1f}"
