"""`gatewise predict`, `evaluate` and `info`, for models of every task: all without PyTorch.

What a task does with the first two stands in a module of its own, which `kinds.py` names.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gatewise import options
from gatewise.cli.flags import Answering, AnsweringFlags, ReadingFlags, flags, whole
from gatewise.cli.kinds import KINDS
from gatewise.cli.tagged import TagFileFlags, TokenFileFlags
from gatewise.cli.terminal import say, say_json
from gatewise.errors import OptionError
from gatewise.tasks import load, task_of
from gatewise.tasks.seq2seq.search import Search

if TYPE_CHECKING:
    SearchFlags = Search
else:
    SearchFlags = flags(Search, "Text-to-text answers", without=["n_best"])


def predict(
    model: str,
    source: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    out: str | None = None,
    text: str | None = None,
    n_best: Annotated[int | None, Parameter(converter=whole)] = None,
    json: bool = False,
    tokens: Annotated[TokenFileFlags | None, Parameter(name="*")] = None,
    search: Annotated[SearchFlags | None, Parameter(name="*")] = None,
    answering: Annotated[AnsweringFlags | None, Parameter(name="*")] = None,
    reading: Annotated[ReadingFlags | None, Parameter(name="*")] = None,
) -> None:
    """Answer texts: one text a line in, one answer a line out; or a table in and a table out.

    Of a classifier, a line of the output is the label, a tab and its probability. Many labels at
    once, and their probabilities, are joined by "|". Of a tagger, it is a token, a tab and its tag;
    blank lines stand between sentences. Of a text-to-text model it is the answer. With --n-best it
    is the number of the text, a tab, the answer's score, a tab and the answer, which of a tagger is
    tokens with their tags, scored by its log-probability.

    Args:
        model: The model folder.
        source: A .txt file with a text on every line, or - for lines of standard input. Of a
            classifier also a table, of a tagger CoNLL or CoNLL-U.
        out: Table to write: all columns of the input, then the prediction and its probability. Of
            a tagger the file for what is printed otherwise.
        text: Column of the texts. By default the one that the model was trained on, or a guess.
        n_best: Of a tagger or a text-to-text model: so many answers, best first, with their scores.
        json: Print a JSON object a line, with probabilities and, of a tagger, spans.
    """
    given = {"out": out, "text": text, "json": json, "tokens": tokens, "reading": reading}
    _ask("predict", model, source, answering, search=search, n_best=n_best, **given)


def evaluate(
    model: str,
    data: str,
    /,
    *,
    text: str | None = None,
    label: str | None = None,
    label_separator: str | None = None,
    target: str | None = None,
    target_file: str | None = None,
    json: bool = False,
    tags: Annotated[TagFileFlags | None, Parameter(name="*")] = None,
    search: Annotated[SearchFlags | None, Parameter(name="*")] = None,
    answering: Annotated[AnsweringFlags | None, Parameter(name="*")] = None,
    reading: Annotated[ReadingFlags | None, Parameter(name="*")] = None,
) -> None:
    """Test a model on rows with their true answers.

    Args:
        model: The model folder.
        data: The table with the true labels; of a tagger, CoNLL or CoNLL-U; of a text-to-text
            model, pairs as for training.
        text: Column of the texts. By default the one that the model was trained on.
        label: Column of the labels. By default the one that the model was trained on.
        label_separator: What stands between many labels of one text.
        target: Column of the true answers of a text-to-text model.
        target_file: File whose lines are the true answers to the lines of the data.
        json: Print the figures as JSON.
    """
    given = {"text": text, "label": label, "label_separator": label_separator, "json": json}
    given |= {"target": target, "target_file": target_file}
    _ask("evaluate", model, data, answering, tags=tags, reading=reading, search=search, **given)


def info(model: str, /, *, json: bool = False) -> None:
    """Show what a model folder holds: options, and the report of its training.

    Args:
        model: The model folder.
        json: Print it as JSON.
    """
    fitted = load(model)
    task, chosen, report = task_of(fitted), options.values(fitted), fitted.report_
    if json:
        found = {
            "task": task,
            **KINDS[task].known(fitted),
            "options": chosen,
            "training": report and report.as_json(),
        }
        say_json(found)
        return
    say(f"{model}: {KINDS[task].heading(fitted)}")
    say("\n" + "\n".join(f"{name:<20} {value}" for name, value in chosen.items()))
    if report:
        say(f"\n{report}")


def _ask(command: str, folder: str, source: str, answering: Answering | None, **flags: Any) -> None:
    """Let the task of a model do what was asked, with the flags that were given.

    Raises:
        OptionError: a flag is not for models of this task; its function does not take it.
    """
    model = (answering or Answering()).load(folder, command)
    kind = KINDS[task_of(model)]
    asked = kind.function(command)
    given = {
        name: value for name, value in flags.items() if value is not None and value is not False
    }
    for name in given.keys() - inspect.signature(asked).parameters:
        flag = next(_flags_of(name, given[name]))
        raise OptionError(f"--{flag} is not for {folder}, which is {kind.name}. Leave it out.")
    asked(model, source, **given)


def _flags_of(name: str, value: Any) -> Iterator[str]:
    """The flags that gave an argument its value: its own, or those of a group."""
    if not dataclasses.is_dataclass(value):
        yield name.replace("_", "-")
        return
    fields = dataclasses.fields(value)
    for field in [f for f in fields if getattr(value, f.name) != f.default] or fields:
        yield field.name.replace("_", "-")
