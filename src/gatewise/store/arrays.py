"""weights.safetensors ↔ named numpy arrays.

The format: 8 bytes N (little-endian), N bytes of JSON {name: {dtype, shape, data_offsets}} padded
with spaces to a multiple of 8, then the numbers, without gaps. It is read here rather than by the
safetensors package so that the arrays are views of the one copy in memory, and so that every
fault is one sentence.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from gatewise.errors import ModelFileError
from gatewise.store.strict import parse_json

LARGEST_HEADER = 1 << 20  # bytes; one array needs about 100
MOST_DIMENSIONS = 8
LARGEST_SIZE = 1 << 40
_NAME = re.compile(r"[A-Za-z0-9_.]{1,200}")


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


def read_arrays(path: Path, content: bytearray) -> dict[str, NDArray[np.float32]]:
    """The arrays in the bytes of a weights file. They share its memory and can be written to.

    Raises:
        ModelFileError: the bytes are anything but finite float32 arrays in this format.
    """
    size = int.from_bytes(content[:8], "little")
    # A multiple of 8, as safetensors pads it, keeps the numbers aligned in memory.
    if not 8 <= size <= min(LARGEST_HEADER, len(content) - 8) or size % 8:
        raise ModelFileError(
            f"{path} is not a safetensors file: it does not start with the length of a header."
        )
    header = parse_json(path, content[8 : 8 + size])
    try:
        entries = msgspec.convert(header, dict[str, _Entry])
    except msgspec.ValidationError as error:
        raise ModelFileError(f"{path} has a header that is not understood: {error}.") from None
    arrays: dict[str, NDArray[np.float32]] = {}
    end = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        _check_entry(path, name, entry)
        start, stop = entry.data_offsets
        if start != end or stop != start + 4 * math.prod(entry.shape):
            raise ModelFileError(
                f"{path}: the array {name!r} does not take the bytes that its shape "
                f"{tuple(entry.shape)} needs, right after the array before it."
            )
        end = stop
        if 8 + size + end > len(content):
            raise ModelFileError(f"{path} ends inside the array {name!r}.")
        numbers = np.frombuffer(content, "<f4", math.prod(entry.shape), 8 + size + start)
        arrays[name] = numbers.astype(np.float32, copy=False).reshape(entry.shape)
    if 8 + size + end != len(content):
        raise ModelFileError(
            f"{path} has {len(content) - 8 - size - end} bytes that belong to no array."
        )
    check_finite(path, arrays)
    return {name: arrays[name] for name in header}


def check_finite(path: Path, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Refuse arrays that hold NaN or infinities.

    Raises:
        ModelFileError: which array.
    """
    for name, array in arrays.items():
        # NaN and infinities always reach one of the two ends, without an array of flags.
        if array.size and not (math.isfinite(array.min()) and math.isfinite(array.max())):
            raise ModelFileError(
                f"{path}: the array {name!r} holds NaN or infinite numbers. The training that made "
                "it failed."
            )


def check_writable(path: Path, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Refuse arrays that `read_arrays` would refuse.

    Raises:
        ModelFileError: an array holds NaN or infinite numbers.
        ValueError: a name or a type of number is not allowed.
    """
    for name, array in arrays.items():
        if not _NAME.fullmatch(name) or array.dtype != np.float32 or array.ndim > MOST_DIMENSIONS:
            raise ValueError(
                "Weights must be float32 arrays named by letters, digits, '_' and '.'. Got "
                f"{name!r}, {array.dtype} of shape {array.shape}."
            )
    check_finite(path, arrays)


def file_parts(arrays: Mapping[str, NDArray[np.float32]]) -> Iterator[bytes | memoryview]:
    """The bytes of a weights file, part by part; large arrays are not copied."""
    header, end = {}, 0
    for name, array in arrays.items():
        shape = list(array.shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + array.nbytes]}
        end += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little") + text
    for array in arrays.values():
        if array.size:
            yield np.ascontiguousarray(array, "<f4").reshape(-1).view(np.uint8).data


def _check_entry(path: Path, name: str, entry: _Entry) -> None:
    if not _NAME.fullmatch(name):
        raise ModelFileError(f"{path}: {name[:80]!r} is not a name of an array.")
    if entry.dtype != "F32":
        raise ModelFileError(
            f"{path}: the array {name!r} has numbers of type {entry.dtype[:20]!r}. This version "
            "reads F32."
        )
    small = all(0 <= size <= LARGEST_SIZE for size in (*entry.shape, *entry.data_offsets))
    if len(entry.shape) > MOST_DIMENSIONS or not small:
        raise ModelFileError(
            f"{path}: the array {name!r} must have at most {MOST_DIMENSIONS} sizes, each from 0 to "
            f"{LARGEST_SIZE}. Got {len(entry.shape)} sizes or a size beyond that."
        )
