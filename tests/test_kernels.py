"""The door to the kernel: what it refuses, what it tells about itself, and how it behaves."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import platform
import re
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

from gatewise import kernels
from gatewise.cells import Weights

ARM = ("aarch64", "arm64")
OFFSETS = np.array([0, 3, 3, 10])


def zeros(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


def weights(gates: int = 4, size: int = 128, input_size: int = 6) -> Weights:
    rows = gates * size
    return Weights(zeros(rows, input_size), zeros(rows, size), zeros(rows), zeros(rows))


def run_python(code: str, **environment: str) -> str:
    """What a fresh process prints, on either channel."""
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout + run.stderr


def refused(sentence: str) -> Any:
    return pytest.raises(ValueError, match=f"^{re.escape(sentence)}$")


def test_describe_names_the_instruction_sets() -> None:
    about = kernels.describe()
    assert about["in_use"] == os.environ.get("GATEWISE_KERNEL", about["available"][-1])
    assert about["available"][0] == ("neon" if platform.machine() in ARM else "generic")
    assert about["threads"] == kernels.default_threads() >= 1


def test_environment_forces_an_instruction_set() -> None:
    code = "from gatewise import kernels; print(kernels.describe()['in_use'])"
    for name in kernels.describe()["available"]:
        assert run_python(code, GATEWISE_KERNEL=name).strip() == name


def test_an_empty_variable_forces_nothing() -> None:
    code = "from gatewise import kernels; print(kernels.describe()['in_use'])"
    best = kernels.describe()["available"][-1]
    assert run_python(code, GATEWISE_KERNEL="").strip() == best


def test_unknown_instruction_set_is_refused() -> None:
    allowed = ", ".join(kernels.describe()["available"])
    assert run_python("import gatewise.kernels", GATEWISE_KERNEL="sse9").endswith(
        f"The environment variable GATEWISE_KERNEL must be one of {allowed} on this machine. "
        "Got 'sse9'.\n"
    )


def test_missing_module_names_the_build_command() -> None:
    code = (
        "import sys; sys.modules['gatewise._kernel'] = None\n"
        "try: import gatewise.kernels\n"
        "except ImportError as error: print(error)"
    )
    said = run_python(code)
    assert said.startswith("The compiled part of Gatewise, gatewise._kernel, is missing")
    assert said.endswith(
        "Build it in the source folder with: pip install --no-build-isolation -e .\n"
    )


def test_import_leaves_denormals_alone() -> None:
    code = (
        "import gatewise.kernels, numpy as np\n"
        "tiny = np.full(64, 1e-40, np.float32)\n"
        "print((tiny * np.float32(0.5) > 0).all(), float('1e-310') / 2 > 0)"
    )
    assert run_python(code).strip() == "True True"


def test_shape_of_another_cell_is_named() -> None:
    wrong = weights()._replace(weight_hh=zeros(384, 128))
    with refused(
        "weight_hh must have shape (512, 128) for an lstm of hidden size 128. "
        "Got (384, 128), the shape of a gru."
    ):
        kernels.Prepared("lstm", [wrong])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"weight_ih": zeros(500, 6)},
            "weight_ih must have shape (512, 6) for an lstm of hidden size 128. Got (500, 6).",
        ),
        (
            {"bias_hh": zeros(128)},
            "bias_hh must have shape (512,) for an lstm of hidden size 128. "
            "Got (128,), the shape of an rnn.",
        ),
        ({"bias_hh": None}, "Every direction must have both biases or none has any."),
        ({"bias_ih": zeros(512).astype(np.float64)}, "bias_ih must be float32. Got float64."),
        (
            {"weight_ih": zeros(6, 512).T},
            "weight_ih must be C-contiguous. Make it so with numpy.ascontiguousarray.",
        ),
        (
            {"weight_hh": zeros(512)},
            "weight_hh must be a two-dimensional array of weights. Got (512,).",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused(change: dict[str, Any], sentence: str) -> None:
    with refused(sentence):
        kernels.Prepared("lstm", [weights()._replace(**change)])


def test_layers_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match=r"The cell must be one of lstm, gru, rnn, rnn_relu\. Got"):
        kernels.Prepared("lsmt", [weights()])
    with pytest.raises(ValueError, match=r"must have weights of 1 or 2 directions\. Got 3\."):
        kernels.Prepared("lstm", [weights()] * 3)
    with pytest.raises(ValueError, match=r"threads must be a whole number of at least 1\. Got 0\."):
        kernels.Prepared("lstm", [weights()], threads=0)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"x": zeros(10, 7)}, "x must have shape (10, 6) for an input size of 6. Got (10, 7)."),
        ({"x": [[0.0]]}, "x must be a NumPy array. Got list."),
        ({"hidden0": zeros(1, 3, 127)}, "hidden0 must have shape (1, 3, 128). Got (1, 3, 127)."),
        ({"cell0": zeros(2, 3, 128)}, "cell0 must have shape (1, 3, 128). Got (2, 3, 128)."),
        (
            {"offsets": np.array([0, 5, 3, 10])},
            "offsets must rise from 0 to 10, the number of rows of x. Got offsets from 0 to 10.",
        ),
        (
            {"offsets": np.array([0, 11])},
            "offsets must rise from 0 to 10, the number of rows of x. Got offsets from 0 to 11.",
        ),
        (
            {"offsets": np.array([0, 10], np.int32)},
            "offsets must be a contiguous one-dimensional int64 array of at least one entry. "
            "Got int32 of shape (2,).",
        ),
    ],
)
def test_batches_that_do_not_fit_are_refused(change: dict[str, Any], sentence: str) -> None:
    batch: dict[str, Any] = {"x": zeros(10, 6), "offsets": OFFSETS} | change
    with refused(sentence):
        kernels.Prepared("lstm", [weights()]).forward(**batch)


def test_cell_states_of_cells_without_are_refused() -> None:
    layer = ("gru", zeros(10, 6), OFFSETS, [weights(3)])
    state = zeros(1, 3, 128)
    with pytest.raises(ValueError, match=r"cell0 must be None for cells without a cell state"):
        kernels.forward(*layer, cell0=state)
    output = kernels.forward(*layer, save=True)
    with pytest.raises(ValueError, match=r"d_final_cell must be None for cells without"):
        kernels.backward(*layer, output, d_final_cell=state)


def test_prepared_layers_are_copied_and_pickled() -> None:
    rng = np.random.default_rng(0)
    layer = [
        Weights(
            *(rng.standard_normal(part.shape, np.float32) for part in weights() if part is not None)
        )
        for _ in range(2)
    ]
    prepared = kernels.Prepared("lstm", layer)
    x = rng.standard_normal((10, 6), np.float32)
    wanted = prepared.forward(x, OFFSETS)
    for other in (copy.deepcopy(prepared), pickle.loads(pickle.dumps(prepared))):  # noqa: S301
        assert np.array_equal(other.forward(x, OFFSETS).hidden, wanted.hidden)


def test_gradient_needs_the_gates() -> None:
    layer = ("lstm", zeros(10, 6), OFFSETS, [weights()])
    output = kernels.forward(*layer)
    with pytest.raises(ValueError, match=r"call forward with save=True"):
        kernels.backward(*layer, output)
    with pytest.raises(ValueError, match=r"called with save=True"):
        _ = output.gates
    output = kernels.forward(*layer, save=True)
    with pytest.raises(
        ValueError, match=r"d_hidden must have shape \(10, 128\)\. Got \(9, 128\)\."
    ):
        kernels.backward(*layer, output, d_hidden=zeros(9, 128))


def test_gates_are_views_by_name() -> None:
    layer = ("lstm", zeros(10, 6), OFFSETS, [weights()] * 2)
    output = kernels.forward(*layer, save=True)
    assert list(output.gates) == ["input", "forget", "candidate", "output"]
    assert output.gates["forget"].shape == (2, 10, 128)
    assert (output.gates["forget"] == 0.5).all()
    assert (output.gates["candidate"] == 0).all()
    assert np.shares_memory(output.gates["output"], output.saved_gates)


def test_gradient_of_x_may_be_left_out() -> None:
    layer = ("lstm", zeros(10, 6), OFFSETS, [weights()])
    output = kernels.forward(*layer, save=True)
    assert kernels.backward(*layer, output, input_gradient=False).d_x is None


def test_read_only_arrays_are_taken() -> None:
    arrays = [zeros(10, 6), OFFSETS.copy(), *weights()]
    for array in arrays:
        assert array is not None
        array.flags.writeable = False
    x, offsets, *parts = arrays
    output = kernels.forward("lstm", x, offsets, [Weights(*parts)], save=True)
    kernels.backward("lstm", x, offsets, [Weights(*parts)], output)


def test_other_python_threads_run_meanwhile() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60_000, 6)).astype(np.float32)
    worker = threading.Thread(
        target=kernels.forward, args=("lstm", x, np.array([0, len(x)]), [weights()])
    )
    worker.start()
    turns = 0
    while worker.is_alive():
        time.sleep(0.001)
        turns += 1
    # With the interpreter lock held, this thread would get one turn, when all is done.
    assert turns > 5


def _answer(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    parts = [
        rng.standard_normal(part.shape).astype(np.float32) for part in weights() if part is not None
    ]
    x = rng.standard_normal((200, 6)).astype(np.float32)
    offsets = np.array([0, 90, 200])
    return kernels.forward("lstm", x, offsets, [Weights(*parts)], threads=2).hidden


@pytest.mark.skipif(not hasattr(os, "fork"), reason="This system cannot fork.")
def test_kernel_works_in_a_forked_child() -> None:
    wanted = _answer(0)  # the parent's threads are running now; the child has none of them
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send_bytes(_answer(0).tobytes()))
    child.start()
    assert receiver.poll(60), "The child hangs."
    assert receiver.recv_bytes() == wanted.tobytes()
    child.join()


# For a process of its own, since torch once loaded stays: 8 threads answer with one layer at once.
EIGHT_CALLERS = """
import os, resource, sys, threading
import numpy as np
from gatewise import kernels
rng = np.random.default_rng(0)
def random(*shape): return rng.standard_normal(shape, np.float32)
weights = [kernels.Weights(random(256, 64), random(256, 64), random(256), random(256))] * 2
x, offsets = random(300, 64), np.array([0, 100, 100, 190, 260, 300])
prepared = kernels.Prepared("lstm", weights, threads=1)
wanted = prepared.forward(x, offsets, threads=1).hidden
right = []
done = threading.Barrier(9)
def answer():
    for _ in range(20):
        right.append(np.array_equal(prepared.forward(x, offsets, threads=3).hidden, wanted))
    done.wait(), done.wait()
def count_threads(): return len(os.listdir("/proc/self/task")) if sys.platform == "linux" else 0
def answer_at_once():
    before = count_threads()
    callers = [threading.Thread(target=answer) for _ in range(8)]
    for caller in callers: caller.start()
    done.wait()
    helpers = count_threads() - before - 8
    done.wait()
    for caller in callers: caller.join()
    print(len(right), all(right), kernels.describe()["team"], helpers)
"""
HELPERS = 2 if sys.platform == "linux" else -8  # for three threads


def test_own_threads_serve_many_callers() -> None:
    code = EIGHT_CALLERS + "answer_at_once(); assert 'torch' not in sys.modules"
    assert run_python(code).strip() == f"160 True own {HELPERS}"


def test_callers_beside_torch_have_one_team() -> None:
    pytest.importorskip("torch")
    code = EIGHT_CALLERS + "import torch; answer_at_once()"
    assert run_python(code, OMP_NUM_THREADS="1").strip() == f"160 True own {HELPERS}"


@pytest.mark.skipif(
    sys.platform != "linux" or "asan" in os.environ.get("LD_PRELOAD", ""),
    reason="Only Linux limits a process like this, and the sanitizers need the memory themselves.",
)
def test_fewer_threads_come_where_the_system_has_no_more() -> None:
    # There is no room for the stack of another thread.
    code = (
        EIGHT_CALLERS
        + """
pages = int(open("/proc/self/statm").read().split()[0])
room = pages * resource.getpagesize() + (4 << 20)
resource.setrlimit(resource.RLIMIT_AS, (room, room))
print(np.array_equal(prepared.forward(x, offsets, threads=3).hidden, wanted), count_threads())
"""
    )
    assert run_python(code, OPENBLAS_NUM_THREADS="1").strip() == "True 1"


@pytest.mark.skipif(sys.platform != "linux", reason="torch brings its libgomp on Linux only.")
def test_threads_are_shared_with_torch_alone() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    code = """
import sklearn.utils._openmp_helpers
from gatewise import kernels
for package in ("sklearn", "torch"):
    __import__(package)
    kernels.share_threads()
    print(kernels.describe()["team"])
"""
    assert run_python(code).split("\n")[:2] == ["own", "shared with torch"]
