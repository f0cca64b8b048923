"""How a training run is settled before it starts: by this machine, and by what rows tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar, cast

from gatewise import kernels
from gatewise.options import Training

M = TypeVar("M")
T = TypeVar("T", bound=Training)


def on_this_machine(training: T) -> T:
    """The run with the precision that the machine is for, and with all its cores by default.

    Raises:
        OptionError: the processor does not have the precision.
    """
    precision = kernels.chosen_precision(training.precision)
    assert precision != "int8"  # which is not among the choices for training
    threads = training.threads or kernels.default_threads()
    return replace(training, precision=precision, threads=threads)


def filled(owner: M, defaults: Any) -> M:
    """Options of a model or of a run, with the value of `defaults` where they have none."""
    missing = {n: v for n, v in vars(defaults).items() if getattr(owner, n, 0) is None}
    return cast(M, replace(cast(Any, owner), **missing))
