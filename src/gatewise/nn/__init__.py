"""Torch modules, usable on their own: LSTM, GRU and RNN in place of torch.nn's, and a CRF.

Torch's threads wait for their next work by spinning, and when another program wants the cores too,
every operation waits for a thread that spins: training then takes ten times as long and more. A
short spin costs nothing on a quiet machine. The OpenMP library reads the setting when torch is
loaded, so it is made here, before; whoever has chosen one keeps it. Torch itself is loaded when one
of the public names is first used.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from gatewise.errors import need

if TYPE_CHECKING:
    from gatewise.nn.acceleration import Acceleration, accelerate, runs_on
    from gatewise.nn.crf import CRF
    from gatewise.nn.layouts import RaggedTensor
    from gatewise.nn.modules import GRU, LSTM, RNN

if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = "20000"

_HOMES = {
    "CRF": "crf",
    "Acceleration": "acceleration",
    "GRU": "modules",
    "LSTM": "modules",
    "RNN": "modules",
    "RaggedTensor": "layouts",
    "accelerate": "acceleration",
    "runs_on": "acceleration",
}

__all__ = ["CRF", "GRU", "LSTM", "RNN", "Acceleration", "RaggedTensor", "accelerate", "runs_on"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gatewise.nn' has no attribute {name!r}")
    need(f"gatewise.nn.{name}", "train", "torch")
    value = getattr(importlib.import_module(f"gatewise.nn.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
