"""The compiled kernel on this machine: instruction sets, precisions and threads."""

from __future__ import annotations

import importlib
import os
from typing import Any, Literal

from gatewise.cells import CELLS
from gatewise.errors import OptionError

try:
    compiled: Any = importlib.import_module("gatewise._kernel")
except ImportError as error:
    raise ImportError(
        "The compiled part of Gatewise, gatewise._kernel, is missing or cannot be loaded "
        f"({error}). Build it in the source folder with: pip install --no-build-isolation -e ."
    ) from None

_forced = os.environ.get("GATEWISE_KERNEL")
if _forced and not compiled.use_target(_forced):
    raise OptionError(
        "The environment variable GATEWISE_KERNEL must be one of "
        f"{', '.join(compiled.available_targets())} on this machine. Got {_forced!r}."
    )

KINDS = {name: kind for kind, name in enumerate(CELLS)}
Precision = Literal["fp32", "bf16", "int8"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "int8")


def describe() -> dict[str, Any]:
    """The instruction set in use, those available here, and whose threads do this one's work."""
    return {
        "in_use": compiled.target(),
        "available": compiled.available_targets(),
        "precisions": precisions(),
        "threads": default_threads(),
        "team": compiled.team(),
    }


def precisions() -> tuple[Precision, ...]:
    """The precisions that the instruction set in use has."""
    return tuple(p for number, p in enumerate(PRECISIONS) if compiled.has_precision(number))


def chosen_precision(wanted: str) -> Precision:
    """The precision that fp32, bf16, int8 or auto stands for on this machine.

    Auto is bf16 on the matrix unit of Intel's processors and on AMD's. Others with AVX512-BF16 do
    half as many of its products per second as of fp32.

    Raises:
        OptionError: the instruction set in use has no such products.
    """
    if wanted == "auto":
        return "bf16" if compiled.prefers_bfloat16() else "fp32"
    if wanted not in PRECISIONS:
        raise OptionError(
            f"The precision must be one of {', '.join(PRECISIONS)} or auto. Got {wanted!r}."
        )
    return PRECISIONS[precision_number(wanted)]


def default_threads() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def fma_peak(threads: int | None = None) -> float:
    """The most float32 GFLOP/s that the instruction set in use can do, measured in a moment.

    Multiplications and additions in registers alone: what no program on this machine exceeds.
    """
    return float(compiled.peak(thread_count(threads))) / 1e9


def share_threads() -> None:
    """Do the calling thread's next forward or backward on torch's threads, if torch is loaded.

    For calls among torch's operations: two teams disturb each other.
    """
    compiled.share_threads()


def thread_count(threads: int | None) -> int:
    """As many as asked for, or as there are cores.

    Raises:
        ValueError: it is no whole number of at least 1.
    """
    if threads is None:
        return default_threads()
    if not isinstance(threads, int) or threads < 1:
        raise ValueError(f"threads must be a whole number of at least 1. Got {threads!r}.")
    return threads


_NEEDS = {"bf16": "AMX or AVX512-BF16", "int8": "AVX512-VNNI"}


def precision_number(precision: str) -> int:
    """The kernel's number of a precision that this machine has.

    Raises:
        OptionError: it has not, or there is no such precision.
    """
    if precision not in PRECISIONS:
        raise OptionError(
            f"The precision must be one of {', '.join(PRECISIONS)}. Got {precision!r}."
        )
    number = PRECISIONS.index(precision)
    if not compiled.has_precision(number):
        raise OptionError(
            f"The precision {precision} needs a processor with {_NEEDS[precision]}. The "
            f"instruction set in use here is {compiled.target()}: choose "
            f"{' or '.join(precisions())}."
        )
    return number
