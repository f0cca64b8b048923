"""Keras's optimizers, which here also take `lr` and `decay` as in Keras 2."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import keras

__all__: list[str] = []


def _takes_old_names(optimizer: Any) -> Callable[..., Any]:
    """A function that makes the optimizer: Keras has fast ones for its own classes only.

    `lr` is `learning_rate`; with a `decay` d the rate after t steps is learning_rate / (1 + d t).
    """

    @wraps(optimizer, updated=())
    def make(*args: Any, lr: float | None = None, decay: float = 0.0, **kwargs: Any) -> Any:
        if lr is not None:
            kwargs["learning_rate"] = lr
        made = optimizer(*args, **kwargs)
        if not decay:
            return made
        config = made.get_config() | {
            "learning_rate": keras.optimizers.schedules.InverseTimeDecay(
                float(made.learning_rate), decay_steps=1, decay_rate=decay
            )
        }
        return optimizer(**config)

    return make


Adadelta = _takes_old_names(keras.optimizers.Adadelta)
Adagrad = _takes_old_names(keras.optimizers.Adagrad)
Adam = _takes_old_names(keras.optimizers.Adam)
Adamax = _takes_old_names(keras.optimizers.Adamax)
Nadam = _takes_old_names(keras.optimizers.Nadam)
RMSprop = _takes_old_names(keras.optimizers.RMSprop)
SGD = _takes_old_names(keras.optimizers.SGD)


def __getattr__(name: str) -> Any:
    return getattr(keras.optimizers, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(keras.optimizers)})


__all__ += [name for name in dir(keras.optimizers) if not name.startswith("_")]  # for "import *"
