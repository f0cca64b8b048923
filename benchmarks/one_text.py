"""The LSTM layer over one text, weights ready: Gatewise's kernel, torch and ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx_graphs
import torch
from numpy.typing import NDArray
from report import counted
from timing import Call

from gatewise import kernels

SIZES = [(64, 128), (128, 256)]
TOKENS = [20, 50, 200]
PRECISIONS = ["bf16", "int8"]
OURS = "Gatewise"


def precisions() -> list[str]:
    """What the kernel offers on this machine beside float32."""
    return [name for name in PRECISIONS if name in kernels.precisions()]


def cases(threads: int) -> Iterator[tuple[str, dict[str, Call]]]:
    """Every size, number of threads and length, with the calls of all contenders."""
    for inputs, size in SIZES:
        module = torch.nn.LSTM(inputs, size)
        for used in range(1, threads + 1):
            torch.set_num_threads(used)
            for tokens in TOKENS:
                name = f"E {inputs}, H {size}, {tokens} tokens, {counted(used)}"
                yield name, calls(module, text(inputs, tokens), used)


def text(inputs: int, tokens: int) -> NDArray[np.float32]:
    """The vectors of one text, (T, E)."""
    return np.random.default_rng(0).normal(size=(tokens, inputs)).astype(np.float32)


def calls(module: torch.nn.LSTM, x: NDArray[np.float32], threads: int) -> dict[str, Call]:
    """Every contender's call for the hidden states of one text (T, E), with a module's weights."""
    weights = kernels.Weights(*(part.detach().numpy() for part in module.parameters()))
    offsets = np.array([0, len(x)])
    steps = torch.from_numpy(x)[:, None]

    def ours(**options: Any) -> Call:
        prepared = kernels.Prepared("lstm", [weights], **options)
        return lambda: prepared.forward(x, offsets, threads=threads).hidden

    def by_torch() -> Any:
        with torch.inference_mode():
            return module(steps)[0].numpy()

    found: dict[str, Call] = {OURS: ours()}
    found |= {f"our {name}": ours(precision=name) for name in precisions()}
    found["torch"] = by_torch
    if onnx_graphs.installed():
        session = onnx_graphs.layer(weights, threads)
        found["ONNX Runtime"] = lambda: session(x[:, None])
    return found


def errors() -> tuple[list[str], list[list[str]]]:
    """Head and rows of a table: the largest error of every contender against float64."""
    columns, rows, tokens = [""], [], max(TOKENS)
    for inputs, size in SIZES:
        module, x = torch.nn.LSTM(inputs, size), text(inputs, tokens)
        found: dict[str, Any] = {name: call() for name, call in calls(module, x, 1).items()}
        exact = module.double()(torch.from_numpy(x).double()[:, None])[0].detach().numpy()
        gaps = [np.abs(states.reshape(exact.shape) - exact).max() for states in found.values()]
        rows.append([f"E {inputs}, H {size}, {tokens} tokens", *(f"{gap:.0e}" for gap in gaps)])
        columns = ["", *found]
    return columns, rows
