"""That the sanitizers of `make sanitize` see the faults they are there for.

The module behind `gatewise.kernels` trusts its arguments: given wrong ones, it errs.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from layer_cases import BFLOAT16, FLOAT32, INT8

pytestmark = pytest.mark.skipif(
    "asan" not in os.environ.get("LD_PRELOAD", ""), reason="Only `make sanitize` can tell."
)
MACHINES = [
    (name, precision) for precision, names in enumerate((FLOAT32, BFLOAT16, INT8)) for name in names
]
CALL = """
import numpy as np
from gatewise.kernels import machine
def zeros(*shape): return np.zeros(shape, np.float32)
weights = [zeros(96, 5)], [zeros(96, 24)], [zeros(96)], [zeros(96)]
layer = machine.compiled.Packed(0, *weights, {precision}, 1)
x, hidden = zeros(50, 5), zeros({rows}, 24)
layer.forward(x, None, None, np.array({offsets}), None, None, hidden, zeros(1, 1, 24),
              zeros(1, 1, 24), None, None, 1)
print("done")
"""
FAULTS = {
    "": {"rows": 50, "offsets": [0, 50]},
    "heap-buffer-overflow": {"rows": 49, "offsets": [0, 50]},
    "signed integer overflow": {"rows": 50, "offsets": [2**62, 2**62 + 1]},
}


@pytest.mark.parametrize(("machine", "precision"), MACHINES)
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_seen(machine: str, precision: int, fault: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", CALL.format(precision=precision, **FAULTS[fault])],
        env={**os.environ, "GATEWISE_KERNEL": machine},
        capture_output=True,
        text=True,
        check=False,
    )
    assert fault in run.stderr
    assert (run.returncode == 0) == (run.stdout == "done\n") == (not fault), run.stderr
