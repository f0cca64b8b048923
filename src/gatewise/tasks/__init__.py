"""The tasks of the house: one registry line makes a task known to the command line and `load`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from gatewise.errors import ModelFileError, OptionError

TASKS = {
    "classify": "gatewise.tasks.classify.task:TextClassifier",
    "language": "gatewise.tasks.language.task:LanguageModel",
    "tag": "gatewise.tasks.tag.task:SequenceTagger",
    "seq2seq": "gatewise.tasks.seq2seq.task:Seq2Seq",
}
"""Task name, as the command line and config.json say it, to where its class stands."""


def task_class(name: str) -> Any:
    """The class of a task, imported when it is asked for."""
    module, _, member = TASKS[name].partition(":")
    return getattr(importlib.import_module(module), member)


def task_of(model: Any) -> str:
    """The task of a model, as the command line and config.json say it.

    Raises:
        OptionError: it is no model.
    """
    for name in TASKS:
        if isinstance(model, task_class(name)):
            return name
    raise OptionError(
        f"A model must be one that was fitted or loaded, and load(folder) reads one. Got {model!r}."
    )


def load(folder: str | Path) -> Any:
    """Read a fitted model from its folder. PyTorch is not needed.

    Raises:
        ModelFileError: the folder is missing, damaged, hostile or written by a newer version.
    """
    from gatewise.store import read_folder  # noqa: PLC0415 - `import gatewise` stays light

    found = read_folder(folder)
    if found.task not in TASKS:
        raise ModelFileError(
            f"{folder} holds a model of the task {found.task!r}. This version knows: "
            f"{', '.join(TASKS)}."
        )
    return task_class(found.task).from_folder(found)
