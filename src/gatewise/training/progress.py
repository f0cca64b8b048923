"""What training shows: a bar on a terminal, plain lines elsewhere, nothing when it is quiet."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as Bar,
)


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training rows did.

    `loss` is the mean over the rows seen, `dev_score` None without dev rows: then the epoch with
    the least loss is the best. `stop` says why training ends here; it is empty while it goes on.
    """

    number: int
    loss: float
    dev_score: float | None
    best: bool
    seconds: float
    tokens_per_second: float
    stop: str = ""


EVERY = 60.0
"""Seconds between two lines where there is no terminal."""


class Progress:
    """Shows a training run on the error stream.

    Args:
        tokens: of the whole run, all epochs together.
        epochs: of the whole run.
        metric: name of what is told of the dev rows.
        quiet: show nothing.
        told: what is told, from the dev score; by default the score itself.
    """

    def __init__(
        self,
        tokens: int,
        epochs: int,
        metric: str,
        *,
        quiet: bool,
        told: Callable[[float], str] = "{:.4f}".format,
    ) -> None:
        self._told = told
        self._epochs = epochs
        self._metric = metric
        self._quiet = quiet
        self._console = Console(stderr=True, soft_wrap=True, highlight=False)
        self._bar: Bar | None = None
        self._task = TaskID(0)
        self._smooth = 0.0
        self._tokens, self._done, self._next = tokens, 0, time.monotonic() + EVERY
        if not quiet and sys.stderr.isatty():
            self._bar = Bar(
                TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f}%"),
                TextColumn("{task.fields[speed]:,.0f} tokens/s"),
                TextColumn("loss {task.fields[loss]:.3f}"),
                TimeRemainingColumn(),
                TextColumn("left"),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task(
                "", total=tokens, epoch=1, epochs=epochs, loss=0.0, speed=0.0
            )

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def step(self, tokens: int, loss: float) -> None:
        """One batch is done."""
        self._done += tokens
        self._smooth += 0.05 * (loss - self._smooth) if self._smooth else loss
        if self._bar is None:
            if time.monotonic() > self._next:
                self._next += EVERY
                self.say(f"{self._done / self._tokens:.0%} done  loss {self._smooth:.4f}")
            return
        speed = self._bar.tasks[0].speed or 0.0
        self._bar.update(self._task, advance=tokens, loss=self._smooth, speed=speed)

    def epoch(self, epoch: Epoch) -> None:
        """One epoch is done: print its line."""
        score = epoch.dev_score
        dev = (
            "" if score is None else f"  dev {self._metric} {self._told(score)}{' *' * epoch.best}"
        )
        self.say(
            f"epoch {epoch.number}/{self._epochs}  loss {epoch.loss:.4f}{dev}"
            f"  {epoch.tokens_per_second:,.0f} tokens/s"
        )
        if epoch.stop:
            self.say(f"stopped: {epoch.stop}")
        if self._bar:
            self._bar.update(self._task, epoch=min(epoch.number + 1, self._epochs))

    def warn(self, sentence: str) -> None:
        """Print what the user should know, however quiet the run is."""
        self._console.print(f"warning: {sentence}", markup=False)

    def say(self, sentence: str) -> None:
        """Print one sentence beside the run."""
        if not self._quiet:
            self._console.print(sentence, markup=False)
