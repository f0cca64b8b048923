"""How every training ends: the model is saved, its report told, and then it is tested."""

from __future__ import annotations

import sys
from typing import Any

from gatewise.cli.terminal import say, tell


def finish(
    model: Any, out: str, test: tuple[Any, ...] | None, heading: str, next_command: str
) -> None:
    """Save a model before anything else can go wrong, tell of it, and test it.

    Args:
        model: that was trained.
        out: its folder.
        test: what the model's `evaluate` takes; None where there is nothing to test it on.
        heading: of the figures, what they are of.
        next_command: to try.
    """
    model.save(out)
    say(model.report_)
    if test is not None:
        try:
            found = model.evaluate(*test)
        except KeyboardInterrupt:
            tell("interrupted", f"the model is in {out}, not tested")
            sys.exit(130)
        say(f"\n{heading}{found}")
    say(f"\nThe model is in {out}. Try: {next_command}")
