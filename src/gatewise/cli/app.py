"""The verbs, and how every error becomes one line and exit status 2.

A verb's module is imported when the verb is used, so that `gatewise --help` is instant.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from typing import Any

from cyclopts import App, CycloptsError

from gatewise import __version__
from gatewise.cli.terminal import tell
from gatewise.errors import GatewiseError, OptionError

app = App(
    name="gatewise",
    help="The LSTM toolkit for text: train on an ordinary CPU, answer without PyTorch.",
    version=__version__,
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,
)
train = App(name="train", help="Train a model from a table or a text file.")
app.command(train)
train.command("gatewise.cli.train:classify", name="classify", help="Text in, label out.")
train.command("gatewise.cli.train_tag:tag", name="tag", help="Tokens in, a tag for each out.")
train.command(
    "gatewise.cli.train_language:language", name="language", help="Text in, the next word out."
)
train.command("gatewise.cli.train_seq2seq:seq2seq", name="seq2seq", help="Text in, text out.")
app.command(
    "gatewise.cli.answer:evaluate", name="evaluate", help="Test a model on rows with true answers."
)
app.command(
    "gatewise.cli.answer:predict", name="predict", help="Answer texts, or the rows of a table."
)
app.command("gatewise.cli.language:generate", name="generate", help="Write on a text.")
app.command("gatewise.cli.language:likeliest", name="next", help="The likeliest next tokens.")
app.command("gatewise.cli.language:score", name="score", help="How likely texts are.")
app.command("gatewise.cli.language:perplexity", name="perplexity", help="Test a language model.")
app.command(
    "gatewise.cli.explain:explain",
    name="explain",
    help="What a model does with the words of a text.",
)
app.command(
    "gatewise.cli.lab:lab", name="lab", help="Show on a page what a model does with a sentence."
)
app.command("gatewise.cli.answer:info", name="info", help="Show what a model folder holds.")
app.command(
    "gatewise.cli.compare:compare", name="compare", help="Which kind of model suits a table."
)
app.command("gatewise.cli.memory:memory", name="memory", help="How far RNN, GRU and LSTM remember.")
app.command("gatewise.cli.sample:sample", name="sample", help="Write the sample reviews.")


def main() -> None:
    """Run the command line and leave with its exit status.

    0 for success, 2 for anything that the user can mend, 130 after Ctrl-C.
    """
    warnings.showwarning = _show_warning
    # Files and pipes are UTF-8, as the input is. A terminal keeps its own encoding; a letter that
    # it has no code for shall not end in a traceback.
    encoding = None if sys.stdout.isatty() else "utf-8"
    sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")  # type: ignore[union-attr]
    try:
        try:
            app(sys.argv[1:], exit_on_error=False, print_error=False)
        finally:
            sys.stdout.flush()
    except (CycloptsError, OptionError) as problem:
        _fail(_of_flags(str(problem)))
    except GatewiseError as problem:
        _fail(str(problem))
    except BrokenPipeError:
        # The reader of the output, such as `head`, has left.
        _drop_output()
    except OSError as problem:
        _drop_output()
        where = f"{problem.filename}: " if problem.filename else "Reading or writing failed: "
        _fail(f"{where}{problem.strerror or problem}.")
    except KeyboardInterrupt:
        tell("interrupted", "nothing was saved")
        sys.exit(130)


def _drop_output() -> None:
    """Keep Python from complaining at its end of what can no longer be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _of_flags(message: str) -> str:
    """A complaint of `options.check` in the words of the command line."""
    option = re.match(r"The '(\w+)' option of \w+ must (.*?)( or None)?\. Got ", message)
    if option is None:
        return message
    flag = option[1].replace("_", "-")
    return f"--{flag} must {option[2]}. Got {message[option.end() :]}"


def _fail(message: str) -> None:
    tell("error", message)
    sys.exit(2)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    tell("warning", message)
