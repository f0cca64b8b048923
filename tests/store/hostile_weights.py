"""Bytes that are no good weights file, each in its own way."""

from __future__ import annotations

import json
from typing import Any

import numpy as np


def container(header: Any, numbers: bytes = b"") -> bytes:
    """A safetensors file of this header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + numbers


def one(shape: Any, offsets: Any, dtype: Any = "F32", **more: Any) -> dict[str, Any]:
    return {"w": {"dtype": dtype, "shape": shape, "data_offsets": offsets} | more}


WEIGHTS: dict[str, bytes] = {
    "empty": b"",
    "one byte": b"\x00",
    "only a length": (8).to_bytes(8, "little"),
    "header of length 0": bytes(8) + b"{}",
    "header of length 2^63": (1 << 63).to_bytes(8, "little") + b"{}      ",
    "header longer than the file": (800).to_bytes(8, "little") + b"{}      ",
    "header of 100 MB": (100 << 20).to_bytes(8, "little") + b"{}      ",
    "header of 2 MB": container(b"{}" + b" " * (2 << 20)),
    "header of 9 bytes": (9).to_bytes(8, "little") + b'{"a": 1} ',
    "header not UTF-8": container(b'{"\xff": 1}'),
    "header not JSON": container(b"{'w': 1}"),
    "header with more behind it": container(b"{} {}"),
    "header that is a list": container([]),
    "header nested": container(b"[" * 100_000),
    "a name twice": container(
        b'{"w": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}, "w": 1}'
    ),
    "a name twice, both good": container(
        b'{"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},'
        b' "w": {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4]}}',
        bytes(4),
    ),
    "overlap": container(one([2], [0, 8]) | {"v": one([1], [4, 8])["w"]}, bytes(8)),
    "hole": container(one([1], [4, 8]), bytes(8)),
    "hole between": container(one([1], [0, 4]) | {"v": one([1], [8, 12])["w"]}, bytes(12)),
    "bytes behind": container(one([1], [0, 4]), bytes(4) + b"PK\x05\x06" + bytes(18)),
    "too short": container(one([4], [0, 16]), bytes(12)),
    "negative offset": container(one([1], [-4, 0]), bytes(4)),
    "offsets turned round": container(one([1], [4, 0]), bytes(4)),
    "offsets of text": container(one([1], ["0", "4"]), bytes(4)),
    "offsets of fractions": container(one([1], [0.0, 4.0]), bytes(4)),
    "three offsets": container(one([1], [0, 4, 8]), bytes(4)),
    "product beyond 2^64": container(one([2**32, 2**32], [0, 0])),
    "no numbers, but a size beyond 2^62": container(one([0, 2**62], [0, 0])),
    "no numbers, but a product beyond 2^64": container(one([0, 2**40, 2**40], [0, 0])),
    "size of 5,000 digits": container(b'{"w": {"dtype": "F32", "shape": [' + b"9" * 5000 + b"]}}"),
    "size of 4,000 digits": container(
        b'{"w": {"dtype": "F32", "shape": [' + b"9" * 4000 + b'], "data_offsets": [0, 4]}}'
    ),
    "negative sizes": container(one([-1, -1], [0, 4]), bytes(4)),
    "a size true": container(one([True], [0, 4]), bytes(4)),
    "100,000 dimensions": container(one([1] * 100_000, [0, 4]), bytes(4)),
    "shape and offsets differ": container(one([3], [0, 4]), bytes(4)),
    "unknown type": container(one([1], [0, 4], "PICKLE"), bytes(4)),
    "type of 100,000 signs": container(one([1], [0, 4], "\x1b[2J\n" * 20_000), bytes(4)),
    "integers": container(one([1], [0, 4], "I32"), bytes(4)),
    "double": container(one([1], [0, 8], "F64"), bytes(8)),
    "type that is a list": container(one([1], [0, 4], ["F32"]), bytes(4)),
    "something more": container(one([1], [0, 4], code="import os"), bytes(4)),
    "something more of 100,000 signs": container(
        {"w": one([1], [0, 4])["w"] | {"\x1b[2J\n" * 20_000: 1}}, bytes(4)
    ),
    "metadata": container({"__metadata__": {"a": "b"}}),
    "name with a path": container({"../../w": one([0], [0, 0])["w"]}),
    "name of 1 MB": container({"w" * 900_000: one([0], [0, 0])["w"]}),
    "NaN": container(one([1], [0, 4]), np.array([np.nan], np.float32).tobytes()),
    "infinity": container(one([2], [0, 8]), np.array([1, -np.inf], np.float32).tobytes()),
    "pickle": b"\x80\x04\x95" + b"cos\nsystem\n(S'true'\ntR." * 9,
    "zip": b"PK\x03\x04" + bytes(100),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(100),
    "numpy": b"\x93NUMPY\x01\x00" + bytes(100),
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "gzip": b"\x1f\x8b\x08\x00" + bytes(100),
    "gguf": b"GGUF\x03\x00\x00\x00" + bytes(100),
}
