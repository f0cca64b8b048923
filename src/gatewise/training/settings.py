"""What a training run sets for the whole process, and what it says of its surroundings."""

from __future__ import annotations

import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

import gatewise
from gatewise.options import Training

_ONE_AT_A_TIME = threading.Lock()
"""A fit sets torch's seed and threads, which the whole process shares."""


@contextmanager
def torch_settings(training: Training) -> Iterator[None]:
    """Seed and threads for one fit at a time; the process has its own back afterwards."""
    assert training.threads is not None
    with _ONE_AT_A_TIME:
        before = torch.get_num_threads()
        torch.set_num_threads(training.threads)
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(training.seed)
                yield
        finally:
            torch.set_num_threads(before)


def versions() -> dict[str, str]:
    """The versions of all that training depends on."""
    return {
        "gatewise": gatewise.__version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "Python": platform.python_version(),
    }
