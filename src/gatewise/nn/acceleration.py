"""Torch's own LSTM, GRU and RNN modules, in anybody's model, on the kernel."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import _VF as _VF  # noqa: PLC0414 - torch.jit.script reads torch's forward as if here
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from gatewise.nn.modules import DropIn
from gatewise.nn.passes import refusal, run

Forward = Callable[..., tuple[Any, Any]]

KINDS: tuple[type[nn.RNNBase], ...] = (nn.LSTM, nn.GRU, nn.RNN)
# Below these many rows the weights take longer on their way into the kernel than it saves. Torch
# has a fast layer of its own for one case only: an LSTM over a batch that is not packed. Without
# gradients that layer is as fast as the kernel or faster.
FEWEST_ROWS = 32
FEWEST_ROWS_OF_A_PADDED_LSTM = 512

_lock = threading.Lock()
_running = 0
# What was found in each class, and what was put there.
_patches: dict[type[nn.RNNBase], tuple[Forward, Forward]] = {}


class Acceleration:
    """What `accelerate` turned on, until `stop` or the end of a with block turns it off."""

    def __init__(self) -> None:
        global _running  # noqa: PLW0603 - the classes of torch.nn are as global
        self._stopped = True
        try:
            with _lock:
                if _running == 0:
                    _patch()
                _running += 1
                self._stopped = False
        except BaseException:  # an interrupt: nobody will have this to stop
            self.stop()
            raise

    def stop(self) -> None:
        """Turn it off; torch.nn is as it was when no other acceleration is on. Again is nothing."""
        global _running  # noqa: PLW0603
        with _lock:
            if not self._stopped:
                _running -= 1
                self._stopped = True
            if _running == 0:
                try:
                    _restore()
                finally:
                    _restore()  # the rest, if an interrupt came meanwhile

    def __enter__(self) -> Acceleration:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _patch() -> None:
    for kind in KINDS:
        _patches[kind] = kind.forward, _accelerated(kind.forward)
        kind.forward = _patches[kind][1]


def _restore() -> None:
    for kind, (original, ours) in _patches.items():
        # What another library has put there since is left alone.
        if kind.forward is ours:
            kind.forward = original


def accelerate() -> Acceleration:
    """Let the torch.nn.LSTM, GRU and RNN modules of this process run on the kernel, in all threads.

    From now on, or inside a block: `with gatewise.accelerate(): ...`; blocks may be nested. It
    holds for existing modules and those to come, in training and inference, and for subclasses
    unless they override `forward` without calling it. What the kernel cannot take stays with torch
    (`gatewise.nn.runs_on(model)` lists every module and why), and so do batches so small that the
    kernel would not be faster: of fewer than 32 rows; and of an LSTM over a tensor (one that is not
    packed) all of fewer than 512 rows, and all without gradients.
    """
    return Acceleration()


def runs_on(model: nn.Module) -> dict[str, str]:
    """Where the recurrent modules of a model run if it is called now.

    The calls of torch.nn's modules that `accelerate` leaves to torch for their input, such as those
    of few rows, are no matter of the module: it says "kernel" all the same.

    Returns:
        For the name of every LSTM, GRU and RNN, of torch.nn or gatewise.nn, "kernel" or "torch: "
        and why. A model that is such a module itself has the name "".
    """
    return {
        name: _runs_on(module)
        for name, module in model.named_modules()
        if isinstance(module, DropIn | nn.LSTM | nn.GRU | nn.RNN)
    }


def _runs_on(module: nn.RNNBase) -> str:
    reason = refusal(module, module.all_weights)
    if reason is None and not isinstance(module, DropIn):
        kind = next(kind for kind in KINDS if isinstance(module, kind))
        if not _running:
            reason = "gatewise.accelerate() is off"
        elif type(module).forward is not kind.forward:
            reason = f"{type(module).__name__} has a forward of its own"
    return "kernel" if reason is None else f"torch: {reason}"


def _wants_gradients(module: nn.RNNBase, data: Tensor) -> bool:
    if not torch.is_grad_enabled():
        return False
    return data.requires_grad or any(weight.requires_grad for weight in module.parameters())


def _accelerated(original: Forward) -> Forward:
    @functools.wraps(original)
    def forward(self: nn.RNNBase, input: Any, hx: Any = None) -> tuple[Any, Any]:
        if not _running:  # another library's patch still calls this one
            return original(self, input, hx)
        packed = isinstance(input, PackedSequence)
        data = input.data if packed else input
        padded_lstm = self.mode == "LSTM" and not packed
        fewest = FEWEST_ROWS_OF_A_PADDED_LSTM if padded_lstm else FEWEST_ROWS
        few = data.dim() < 2 or data.shape[:-1].numel() < fewest
        # An exported program must not need Gatewise unless its author chose gatewise.nn.
        if few or torch.compiler.is_exporting():
            return original(self, input, hx)
        if padded_lstm and not _wants_gradients(self, data):
            return original(self, input, hx)
        weights = self.all_weights
        if refusal(self, weights) is not None:
            return original(self, input, hx)
        return run(self, weights, input, hx)

    return forward
