"""`gatewise lab`: the page on this machine where one sees what a model does."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from gatewise.cli.classify import labelled
from gatewise.cli.flags import Answering, AnsweringFlags, Reading, ReadingFlags, whole
from gatewise.cli.terminal import say
from gatewise.cli.texts import is_lines, open_texts
from gatewise.errors import OptionError
from gatewise.lab import Rows, serve
from gatewise.tasks import task_of

PORT = 8640
MOST_TEXTS = 100_000
"""Of a file that has no labels."""


def lab(
    model: str,
    other: str | None = None,
    /,
    *,
    test: str | None = None,
    text: str | None = None,
    label: str | None = None,
    label_separator: str | None = None,
    port: Annotated[int, Parameter(converter=whole)] = PORT,
    answering: Annotated[AnsweringFlags | None, Parameter(name="*")] = None,
    reading: Annotated[ReadingFlags | None, Parameter(name="*")] = None,
) -> None:
    """Show on a page what a model does with a sentence, until Ctrl-C.

    The page is on this machine's own address alone, and nothing leaves the machine.

    Args:
        model: The model folder.
        other: Another model folder, to be seen beside it.
        test: A table of texts with their true labels, or a .txt file with a text on every line, to
            see what units follow, how well answers are calibrated, and the worst mistakes.
        text: Column of the texts. By default the one that the model was trained on.
        label: Column of the labels. By default the one that the model was trained on.
        label_separator: What stands between many labels of one text.
        port: Port of the page; 0 for any that is free.
    """
    if not 0 <= port <= 65_535:
        raise OptionError(f"--port must be a whole number from 0 to 65535. Got {port}.")
    folders = [model] if other is None else [model, other]
    settings, how = answering or Answering(), reading or Reading()
    # What the lab shows is what `explain` tells.
    models = [(folder, settings.load(folder, "explain")) for folder in folders]
    rows = None
    if test is not None:
        first = models[0][1]
        if task_of(first) == "classify" and not is_lines(test):
            table = labelled(first, how.open(test), text, label, label_separator)
            labels = table.labels
            if not isinstance(labels, list):  # of probabilities, in the order of the first model
                labels = [first.labels_[place] for place in labels.argmax(axis=1).tolist()]
            rows = Rows(Path(test).name, table.texts, labels)
        else:
            texts = islice(open_texts(test, text, how), MOST_TEXTS)
            rows = Rows(Path(test).name, list(texts))
    serve(_named(models), rows, port, _tell_address)


def _named(models: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Models by the names of their folders, or by the whole paths if those are the same."""
    names = [Path(folder).resolve().name for folder, _ in models]
    if len(set(names)) < len(names):
        names = [folder for folder, _ in models]
    return [(name, model) for name, (_, model) in zip(names, models, strict=True)]


def _tell_address(address: str) -> None:
    say(f"The lab is at {address} on this machine. Ctrl-C ends it.")
