"""A model folder of anybody → ModelFolder, or one clear sentence."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gatewise.errors import ModelFileError
from gatewise.store import swap
from gatewise.store.arrays import read_arrays
from gatewise.store.strict import LARGEST_FILE, LARGEST_JSON, parse_json, read_file, reason

FORMAT = 1
CONFIG, TOKENIZER, LABELS = "config.json", "tokenizer.json", "labels.json"
WEIGHTS, TRAINING, CARD = "weights.safetensors", "training.json", "README.md"
PICTURE = re.compile(r"[A-Za-z0-9_-]{1,100}\.png")
LARGEST_PICTURES = 64 << 20  # bytes of all together
_ATTEMPTS = 3


class Config(msgspec.Struct, forbid_unknown_fields=True):
    """config.json; `checksums` holds the SHA-256 of every file by name, its own content's too."""

    format: int
    task: str
    options: dict[str, Any]
    checksums: dict[str, str]

    def own_checksum(self) -> str:
        """SHA-256 of all else that config.json says: a flipped bit in an option is found too."""
        said = msgspec.to_builtins(self)
        said["checksums"].pop(CONFIG, None)
        text = json.dumps(said, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class ModelFolder:
    """All that a model folder says; its parts are data that the task has still to check.

    `pictures` are those of the save, as they were: a save of what was read can pass them on.
    """

    path: Path
    task: str
    options: dict[str, Any]
    tokenizer: str
    labels: Any
    weights: dict[str, NDArray[np.float32]]
    training: Any
    pictures: dict[str, bytes]

    def array(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """The weights of this name, float32, writable.

        Raises:
            ModelFileError: they are missing or have another shape.
        """
        array = self.weights.get(name)
        if array is None:
            raise ModelFileError(f"{self.path / WEIGHTS} has no array {name!r}.")
        if array.shape != tuple(shape):
            raise ModelFileError(
                f"{self.path / WEIGHTS}: {name!r} must have shape {tuple(shape)}, by the "
                f"options in {CONFIG}. Got {array.shape}."
            )
        return array


def read_folder(path: str | Path) -> ModelFolder:
    """Read a model folder. No file can make it run code, follow a link or use much memory.

    Raises:
        ModelFileError: the folder is missing, damaged, hostile or written by a newer version.
    """
    try:
        return _read_steadily(Path(path))
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {reason(error)}.") from error


def _read_steadily(wanted: Path) -> ModelFolder:
    """Read anew where another process put a new model in the middle of the reading."""
    for _ in range(_ATTEMPTS):
        place = swap.present(wanted)
        before = _identity(place)
        try:
            return _read(place, wanted)
        except ModelFileError:
            if _identity(swap.present(wanted)) == before:
                raise
    return _read(swap.present(wanted), wanted)


def read_config(folder: Path) -> Config:
    """Read and check config.json alone.

    Raises:
        ModelFileError: it is missing, damaged or of a newer format.
    """
    path = folder / CONFIG
    said = parse_json(path, read_file(path, LARGEST_JSON))
    number = said.get("format") if isinstance(said, dict) else None
    if type(number) is not int or not 1 <= number < 1_000_000:
        raise ModelFileError(f"{path} is not the config.json of a Gatewise model.")
    if number > FORMAT:
        raise ModelFileError(
            f"{folder} was written by a newer Gatewise, format {number}; this one reads format "
            f"{FORMAT}: upgrade with pip install --upgrade gatewise."
        )
    try:
        config = msgspec.convert(said, Config)
    except msgspec.ValidationError as error:
        raise ModelFileError(f"{path} is not understood: {reason(error)}.") from None
    if config.checksums.get(CONFIG) != config.own_checksum():
        raise ModelFileError(
            f"{path} does not match its own checksum: the file is damaged or was changed."
        )
    return config


def _read(place: Path, wanted: Path) -> ModelFolder:
    if not place.is_dir():
        missing = "is a file, not a model folder" if place.exists() else "does not exist"
        raise ModelFileError(f"{wanted} {missing}. Give a folder that Gatewise saved.")
    if not os.path.lexists(place / CONFIG):
        raise ModelFileError(f"{wanted} is not a Gatewise model: it holds no {CONFIG}.")
    config = read_config(place)

    def content(name: str, largest: int) -> bytes:
        return _checked_content(place / name, config, largest)

    # Before what must match: where a new model comes meanwhile, that is noticed below.
    pictures = _read_pictures(place, config)
    try:
        tokenizer = str(content(TOKENIZER, LARGEST_JSON), "utf-8")
    except UnicodeDecodeError as error:
        raise ModelFileError(f"{place / TOKENIZER} is not UTF-8: {error.reason}.") from None
    labels = parse_json(place / LABELS, content(LABELS, LARGEST_JSON))
    weights = read_arrays(place / WEIGHTS, content(WEIGHTS, LARGEST_FILE))
    training = None
    if os.path.lexists(place / TRAINING):
        training = parse_json(place / TRAINING, content(TRAINING, LARGEST_JSON))
    return ModelFolder(
        wanted, config.task, config.options, tokenizer, labels, weights, training, pictures
    )


def _read_pictures(place: Path, config: Config) -> dict[str, bytes]:
    """The pictures of the save, less those that people took out, changed or made too large."""
    pictures: dict[str, bytes] = {}
    room = LARGEST_PICTURES
    for name in filter(PICTURE.fullmatch, config.checksums):
        with contextlib.suppress(ModelFileError):
            pictures[name] = _checked_content(place / name, config, room)
            room -= len(pictures[name])
    return pictures


def _checked_content(path: Path, config: Config, largest: int) -> bytes:
    content = read_file(path, largest)
    if hashlib.sha256(content).hexdigest() != config.checksums.get(path.name):
        raise ModelFileError(
            f"{path} does not match its checksum in {CONFIG}: the file is damaged or was changed."
        )
    return content


def _identity(place: Path) -> tuple[int, int] | None:
    try:
        state = place.stat()
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None
    return state.st_dev, state.st_ino
