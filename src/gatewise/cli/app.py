"""The verbs, and how every error becomes one line and exit status 2.

A verb's module is imported when the verb is used, so that `gatewise --help` is instant.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

from cyclopts import App, CycloptsError

from gatewise import __version__
from gatewise.cli.terminal import tell
from gatewise.errors import GatewiseError

app = App(
    name="gatewise",
    help="The LSTM toolkit for text: train on an ordinary CPU, answer without PyTorch.",
    version=__version__,
    version_flags=["--version"],
)
train = App(name="train", help="Train a model from a table.")
app.command(train)
train.command("gatewise.cli.train:classify", name="classify", help="Text in, label out.")
app.command("gatewise.cli.answer:evaluate", name="evaluate", help="Test a model on a table.")
app.command("gatewise.cli.answer:predict", name="predict", help="Answer texts or a table.")
app.command("gatewise.cli.answer:info", name="info", help="Show what a model folder holds.")
app.command("gatewise.cli.sample:sample", name="sample", help="Write the sample reviews.")


def main() -> None:
    """Run the command line and leave with its exit status.

    0 for success, 2 for anything that the user can mend, 130 after Ctrl-C.
    """
    warnings.showwarning = _show_warning
    # A letter that the terminal has no code for shall not end in a traceback.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        app(exit_on_error=False, print_error=False)
    except (CycloptsError, GatewiseError) as problem:
        _fail(str(problem))
    except BrokenPipeError:
        # The reader of the output, such as `head`, has left; keep Python from complaining of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str) -> None:
    tell("error", message)
    sys.exit(2)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    tell("warning", message)
