"""Timing of contenders against each other: interleaved in one process, so that all meet the same
disturbances.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Call = Callable[[], object]
Seconds = NDArray[np.float64]
FEWEST = 5
"""Rounds at least, however long one takes."""


def use_threads(threads: int) -> None:
    """Keep this process, all contenders and their thread pools, on so many cores.

    Must be called before a contender is imported: some count the cores when they start.
    """
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < threads:
            raise SystemExit(f"--threads must be at most {len(cores)} here. Got {threads}.")
        os.sched_setaffinity(0, cores[:threads])
    else:
        print("Cores cannot be chosen on this system: JAX uses all of them.")
    from gatewise import nn  # noqa: F401, I001 - before torch: how its threads wait
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    threadpool_limits(threads)  # NumPy's products, whose threads were counted before


def interleaved(
    contenders: Mapping[str, Call], seconds: float, *, calls: int = 1, warm: int = 1
) -> dict[str, Seconds]:
    """Seconds of every contender's calls, (rounds, calls) by name.

    In a round every contender has its turn: a pause in which the threads of the one before come to
    rest, the warm-up calls, the timed calls. The first round is thrown away. Rounds go on for
    about so many `seconds`.
    """
    found: dict[str, list[list[float]]] = {name: [] for name in contenders}
    number, end = 0, 0.0
    while number <= FEWEST or time.perf_counter() < end:
        for name, call in contenders.items():
            time.sleep(0.01)
            for _ in range(warm):
                call()
            turn = []
            for _ in range(calls):
                started = time.perf_counter()
                call()
                turn.append(time.perf_counter() - started)
            if number:
                found[name].append(turn)
        number += 1
        end = end or time.perf_counter() + seconds
    return {name: np.array(turns) for name, turns in found.items()}


def ratio(rival: Seconds, ours: Seconds) -> float:
    """How many times longer the rival takes: the median of the ratios within each round."""
    return float(np.median(np.median(rival, axis=1) / np.median(ours, axis=1)))


def spread(ours: Seconds) -> float:
    """Distance of the quartiles as a share of the median: how restless the machine was."""
    low, middle, high = np.percentile(ours, [25, 50, 75])
    return float((high - low) / middle)
