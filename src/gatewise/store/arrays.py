"""weights.safetensors ↔ named numpy arrays, by the safetensors package.

The package checks that the arrays fit their shapes and cover the file. What it lets pass is
refused before: large headers, double names, metadata, other entries and other types of number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from gatewise.errors import ModelFileError
from gatewise.store.strict import parse_json, reason

LARGEST_HEADER = 1 << 20  # bytes; one array needs about 100
_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.]{1,200}\Z")]


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    dtype: Literal["F32"]
    shape: Annotated[list[int], msgspec.Meta(max_length=8)]
    data_offsets: tuple[int, int]


def read_arrays(path: Path, content: bytes) -> dict[str, NDArray[np.float32]]:
    """The arrays in the bytes of a weights file, sorted by name; they can be written to.

    Raises:
        ModelFileError: the bytes are anything but finite float32 arrays in this format.
    """
    size = int.from_bytes(content[:8], "little")
    if not 2 <= size <= min(LARGEST_HEADER, len(content) - 8):
        raise ModelFileError(
            f"{path} is not a safetensors file: it does not start with the length of a header."
        )
    header = parse_json(path, content[8 : 8 + size])
    try:
        msgspec.convert(header, dict[_Name, _Entry])
        arrays = safetensors.numpy.load(content)
    except (ValueError, safetensors.SafetensorError) as error:
        raise ModelFileError(
            f"{path} must hold named float32 (F32) arrays and nothing else: {reason(error)}."
        ) from None
    for name, array in arrays.items():
        # NaN and infinities always reach one of the two ends, without an array of flags.
        if array.size and not (math.isfinite(array.min()) and math.isfinite(array.max())):
            raise ModelFileError(
                f"{path}: the array {name!r} holds NaN or infinite numbers. The training that made "
                "it failed."
            )
    return dict(sorted(arrays.items()))


def array_bytes(path: Path, arrays: Mapping[str, NDArray[np.float32]]) -> bytes:
    """The bytes of a weights file, proved by reading them.

    Raises:
        ModelFileError: `read_arrays` would refuse them.
        TypeError: an array is not float32.
    """
    # The package writes the memory as it lies, so it must lie in the order of C.
    laid = {
        name: array.astype(np.float32, order="C", casting="equiv", copy=False)
        for name, array in arrays.items()
    }
    content = safetensors.numpy.save(laid)
    read_arrays(path, content)
    return content
