"""Keras 3 with its recurrent layers on Gatewise's kernel, for programs written for Keras 2 too.

`gatewise.keras` takes the place of `tensorflow.keras` or `keras` in a program's imports. LSTM, GRU,
SimpleRNN, Bidirectional, Embedding and Sequential are Gatewise's, and so is what Keras 3 no longer
has; everything else is Keras's own object. Keras runs on its torch backend.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from typing import Any

from gatewise import nn  # noqa: F401 - before torch: how its threads wait
from gatewise.errors import OptionError, need


def _check_backend(backend: str) -> None:
    if backend != "torch":
        raise OptionError(
            f"gatewise.keras runs on the torch backend of Keras. Here Keras has {backend!r}. Set "
            "KERAS_BACKEND=torch, or leave it unset and import gatewise.keras before keras."
        )


# A user's own choice wins, and is refused if it is another: here, before Keras looks for a backend
# that may not be installed, and below where Keras was imported already.
if "keras" not in sys.modules:
    _check_backend(os.environ.setdefault("KERAS_BACKEND", "torch"))
need("gatewise.keras", "keras", "keras", "torch")
import keras  # noqa: E402

_check_backend(keras.config.backend())

# How Keras makes arrays of torch's tensors, NumPy 2 calls outdated: at every answer and saving.
warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)

# Modules of Keras that stay as they are.
for _name in (
    "activations",
    "applications",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "mixed_precision",
    "ops",
    "random",
    "regularizers",
    "saving",
):
    sys.modules[f"{__name__}.{_name}"] = importlib.import_module(f"keras.{_name}")

from gatewise.keras import datasets, layers, models, optimizers, preprocessing, utils  # noqa: E402
from gatewise.keras.conversion import from_keras  # noqa: E402
from gatewise.keras.models import Sequential  # noqa: E402
from gatewise.keras.recurrent import runs_on  # noqa: E402

# Where Keras 2 had the layers once, and programs of that time still import them from.
for _name in ("convolutional", "core", "embeddings", "pooling", "recurrent", "wrappers"):
    sys.modules[f"{__name__}.layers.{_name}"] = layers

__all__ = [
    "Sequential",
    "datasets",
    "from_keras",
    "layers",
    "models",
    "optimizers",
    "preprocessing",
    "runs_on",
    "utils",
]


def __getattr__(name: str) -> Any:
    return sys.modules.get(f"{__name__}.{name}") or getattr(keras, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(keras)})
