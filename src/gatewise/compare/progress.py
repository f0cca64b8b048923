"""What a comparison shows while it runs: a bar on a terminal, a line for every run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from gatewise.compare.contestants import Contestant
from gatewise.compare.standing import in_seconds


class Rounds:
    """Shows the runs of all models on the error stream.

    Test scores are not told before the end: nothing shall be chosen by them.

    Args:
        contestants: in the order of a round.
        seeds: rounds.
        metric: name of what is told of the dev rows.
        quiet: show nothing.
    """

    def __init__(
        self, contestants: Sequence[Contestant], seeds: int, metric: str, *, quiet: bool
    ) -> None:
        again = sum(contestant.kind != "linear" for contestant in contestants)
        self._runs, self._done = len(contestants) + (seeds - 1) * again, 0
        self._seeds, self._metric, self._quiet = seeds, metric, quiet
        self._width = max(len(contestant.title) for contestant in contestants)
        self._console = Console(stderr=True, soft_wrap=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.completed}/{task.total}"),
            BarColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=quiet or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("", total=self._runs)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def begin(self, contestant: Contestant, round: int) -> None:
        """A run begins; rounds count from 0."""
        self._bar.update(
            self._task, description=f"{contestant.title}, seed {round + 1} of {self._seeds}"
        )

    def end(self, contestant: Contestant, round: int, score: float, seconds: float) -> None:
        """A run is done: print its line."""
        self._done += 1
        self.say(
            f"{self._done:>{len(str(self._runs))}}/{self._runs}"
            f"  {contestant.title:<{self._width}}  seed {round + 1}/{self._seeds}"
            f"  dev {self._metric} {score:.4f}  {in_seconds(seconds):>6} s"
        )
        self._bar.advance(self._task)

    def warn(self, sentence: str) -> None:
        """Print what the user should know, however quiet the run is."""
        self._console.print(f"warning: {sentence}", markup=False)

    def say(self, sentence: str) -> None:
        """Print one sentence beside the runs."""
        if not self._quiet:
            self._console.print(sentence, markup=False)
