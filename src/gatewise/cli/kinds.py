"""Kinds of models: what each is called, its commands, and what `gatewise info` tells first.

A new task has its line here and in `gatewise.tasks`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from gatewise.data.problems import shown
from gatewise.errors import OptionError
from gatewise.tasks import load, task_of

M = TypeVar("M")


@dataclass(frozen=True)
class Kind:
    """Models of one task.

    Args:
        name: in a sentence.
        commands: that it answers to.
        module: where `predict` and `evaluate` of these models stand, as functions of a model, a
            source and the flags that they take.
        known: what it tells apart, as JSON can hold it.
        heading: the same as lines for people, to follow the name of the folder.
    """

    name: str
    commands: tuple[str, ...]
    module: str
    known: Callable[[Any], dict[str, Any]]
    heading: Callable[[Any], str]

    def function(self, command: str) -> Callable[..., None]:
        """What carries out a command that models of several tasks have."""
        found: Callable[..., None] = getattr(importlib.import_module(self.module), command)
        return found


def _labels(classifier: Any) -> str:
    names = [shown(str(label)) for label in classifier.labels_]
    told = f"a text classifier with {len(names)} labels\nlabels: {', '.join(names)}"
    sequences = classifier.tokenizer_.sequences
    if sequences is None:
        return told
    length = "any length" if sequences.length is None else f"maxlen {sequences.length}"
    return (
        f"{told}\nsequences as a program of Keras made them: {length}, padding "
        f"'{sequences.padding}', truncating '{sequences.truncating}'"
    )


def _known(classifier: Any) -> dict[str, Any]:
    labels, sequences = {"labels": classifier.labels_}, classifier.tokenizer_.sequences
    return labels if sequences is None else labels | {"sequences": sequences.as_json()}


def _tags(tagger: Any) -> str:
    names = [shown(tag) for tag in tagger.labels_]
    return f"a tagger with {len(names)} tags\ntags: {', '.join(names)}"


KINDS = {
    "classify": Kind(
        "a text classifier",
        ("predict", "evaluate", "explain"),
        "gatewise.cli.classify",
        _known,
        _labels,
    ),
    "language": Kind(
        "a language model",
        ("generate", "next", "score", "perplexity", "explain"),
        "gatewise.cli.language",
        lambda lm: {"tokens": len(lm.tokenizer_)},
        lambda lm: f"a language model of {len(lm.tokenizer_):,} known tokens",
    ),
    "tag": Kind(
        "a tagger",
        ("predict", "evaluate", "explain"),
        "gatewise.cli.tag",
        lambda tagger: {"labels": tagger.labels_},
        _tags,
    ),
    "seq2seq": Kind(
        "a text-to-text model",
        ("predict", "evaluate", "explain"),
        "gatewise.cli.seq2seq",
        lambda model: {"tokens": len(model.tokenizer_)},
        lambda model: f"a text-to-text model of {len(model.tokenizer_):,} known tokens",
    ),
}
"""By the names of the tasks."""


def refuse_other_commands(model: Any, folder: str, command: str) -> None:
    """Raise an OptionError that says which commands a model has, unless this is one of them."""
    found = task_of(model)
    if command not in KINDS[found].commands:
        *most, last = KINDS[found].commands
        raise OptionError(
            f"{folder} is {KINDS[found].name}: use gatewise {', '.join(most)} or {last}."
        )


def begun(model: Any, start: str | None, task: type[M]) -> tuple[M, Callable[..., M]]:
    """The model to train, and how: a new one by `fit`, that of a folder by `fine_tune`.

    Args:
        model: with options, None without any.
        start: the folder; None for a new model.
        task: the class of the model.

    Raises:
        OptionError: options are given for a model that has its own, or it is of another task.
        ModelFileError: the folder cannot be read.
    """
    if start is None:
        made: Any = model or task()
        return made, made.fit
    if model is not None:
        raise OptionError(
            f"A model that training goes on with has its options already: leave those of the model "
            f"out, or --start. {start} keeps its own."
        )
    found = load(start)
    if task_of(found) != task_of(task()):
        encoder = " A classifier starts from a language model with --encoder."
        raise OptionError(
            f"--start goes on with a model of the same task. {start} is "
            f"{KINDS[task_of(found)].name}.{encoder * (task_of(found) == 'language')}"
        )
    return found, found.fine_tune
