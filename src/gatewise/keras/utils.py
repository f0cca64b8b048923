"""keras.utils, and `np_utils`, where to_categorical was in early Keras 2."""

from __future__ import annotations

import sys
from typing import Any

import keras

__all__ = ["np_utils"]

np_utils = sys.modules[f"{__name__}.np_utils"] = keras.utils


def __getattr__(name: str) -> Any:
    return getattr(keras.utils, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(keras.utils)})


__all__ += [name for name in dir(keras.utils) if not name.startswith("_")]  # for "import *"
