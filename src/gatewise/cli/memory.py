"""`gatewise memory`: how far recurrent layers remember."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from gatewise import nn  # noqa: F401 - before torch: how its threads wait
from gatewise.cli.checks import check_png
from gatewise.cli.flags import whole, whole_numbers
from gatewise.cli.terminal import say, say_json, tell
from gatewise.data.writing import write_file
from gatewise.errors import need

if TYPE_CHECKING:
    from gatewise.memory import Memory, Outcome

SHOWN = (0, 1, 2, 5, 10, 20, 50, 100)
"""Distances of the table."""


def memory(
    *,
    lengths: str = "10,20,40,80",
    steps: Annotated[int, Parameter(converter=whole)] = 2500,
    distance: Annotated[int, Parameter(converter=whole)] = 100,
    seed: Annotated[int, Parameter(converter=whole)] = 0,
    threads: Annotated[int, Parameter(converter=whole)] = 1,
    png: str | None = None,
    json: bool = False,
) -> None:
    """Show how gradients vanish, and how long RNN, GRU and LSTM remember.

    Args:
        lengths: Lengths of the sequences of the copy and adding tasks.
        steps: Steps of training at most, for a task and a length.
        distance: Greatest distance of the gradients.
        seed: Of weights and sequences.
        threads: Threads. The steps are so small that more than one rarely pays.
        png: File for a picture.
        json: Print all figures as JSON.
    """
    check_png(png)
    need("Measuring memory", "train", "torch")
    from gatewise.memory import measure, picture  # noqa: PLC0415 - brings PyTorch

    found = measure(
        lengths=whole_numbers("--lengths", lengths),
        steps=steps,
        distance=distance,
        seed=seed,
        threads=threads,
        told=_progress,
    )
    if png is not None:
        write_file(png, picture(found))
    if json:
        say_json(found.as_json())
        return
    _show(found)
    if png is not None:
        say(f"\nThe picture is in {png}.")


def _progress(outcome: Outcome) -> None:
    done = "solved" if outcome.solved else "not solved"
    tell(outcome.task, f"{outcome.cell} at length {outcome.length} {done} in {outcome.steps} steps")


def _show(found: Memory) -> None:
    sizes = next(iter(found.gradients.values()))
    distances = [distance for distance in SHOWN if distance < len(sizes)]
    say("Gradient at a distance, as a share of that at distance 0, before any training:\n")
    say(" " * 20 + "".join(f"{distance:>9}" for distance in distances))
    for name, sizes in found.gradients.items():
        say(f"{name:<20}" + "".join(f"{sizes[distance]:>9.0e}" for distance in distances))
    from gatewise.memory import CELLS, TASKS  # noqa: PLC0415 - brings PyTorch

    for task in TASKS:
        say(f"\n{task.capitalize()} task, steps until it was solved, by length:\n")
        say(" " * 20 + "".join(f"{length:>9}" for length in found.lengths))
        for cell in CELLS:
            cells = [found.outcome(task, cell, length) for length in found.lengths]
            shown = ["-" if o is None else f"{o.steps:,}" if o.solved else "no" for o in cells]
            say(f"{cell.upper():<20}" + "".join(f"{text:>9}" for text in shown))
    say(
        f"\nno: not within {found.steps:,} steps; -: not tried, a shorter one was too long. "
        f"{found.seconds:.0f} s in all."
    )
