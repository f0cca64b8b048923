"""keras.preprocessing, with the text and sequence functions that Keras 3 keeps out of sight."""

from __future__ import annotations

import sys
from typing import Any

import keras

from gatewise.keras.preprocessing import sequence, text

__all__ = ["sequence", "text"]

sys.modules[f"{__name__}.image"] = keras.preprocessing.image


def __getattr__(name: str) -> Any:
    return getattr(keras.preprocessing, name)
