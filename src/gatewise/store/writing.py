"""A fitted model → a model folder, whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gatewise.errors import ModelFileError
from gatewise.store import swap
from gatewise.store.arrays import array_bytes
from gatewise.store.reading import (
    CARD,
    CONFIG,
    FORMAT,
    LABELS,
    PICTURE,
    TOKENIZER,
    TRAINING,
    WEIGHTS,
    Config,
    read_config,
)
from gatewise.store.strict import reason

_LEFT_BY_DESKTOPS = {".DS_Store", "desktop.ini", "Thumbs.db"}


def write_folder(
    path: str | Path,
    *,
    task: str,
    options: Mapping[str, Any],
    tokenizer: str,
    labels: Any,
    weights: Mapping[str, NDArray[np.float32]],
    training: Any,
    card: str,
    pictures: Mapping[str, bytes] | None = None,
) -> None:
    """Write a model folder, or put it in the place of an older model.

    Whatever happens, a kill or a power failure included, `path` holds the whole old or the whole
    new model. Saves beside each other wait for one another.

    Args:
        path: the folder; its parents are made.
        task: name of the task.
        options: names and plain values.
        tokenizer: a tokenizer.json.
        labels: anything that JSON can hold.
        weights: float32 arrays by name.
        training: anything that JSON can hold, or None for no training.json. NaN becomes null.
        card: Markdown for people.
        pictures: bytes by file name, which ends in .png.

    Raises:
        ModelFileError: the path holds something else than a model, the weights are not finite
            or not named by letters, digits, '_' and '.', or the system refused to write. The path
            is as it was before.
        TypeError, ValueError: the weights are not float32, a picture has another name, or JSON
            cannot hold a value. The same is true of the path.
    """
    place = Path(os.path.realpath(path))  # a link to a model stays, and what it leads to changes
    files = {
        TOKENIZER: tokenizer.encode(),
        LABELS: _json(labels),
        WEIGHTS: array_bytes(place / WEIGHTS, weights),
        CARD: card.encode(errors="replace"),
    }
    if training is not None:
        files[TRAINING] = _json(training)
    for name, picture in (pictures or {}).items():
        if not PICTURE.fullmatch(name):
            raise ValueError(f"A picture must be named like loss.png. Got {name!r}.")
        files[name] = picture
    config = Config(FORMAT, task, dict(options), {})
    config.own_checksum()  # fails here, before anything is written, on what JSON cannot hold
    try:
        with swap.replacing(place) as folder:
            # Checked while the lock is held, so that it is what will be replaced.
            check_replaceable(place)
            for name, content in files.items():
                _write(folder / name, content)
                config.checksums[name] = hashlib.sha256(content).hexdigest()
            config.checksums[CONFIG] = config.own_checksum()
            _write(folder / CONFIG, _json(config))
    except OSError as error:
        raise ModelFileError(
            f"The model could not be saved to {path}: {reason(error)}. What was there before is "
            "untouched."
        ) from error


def check_replaceable(path: str | Path) -> None:
    """Refuse to replace what a save did not write: the old folder is deleted in the end.

    Ask before a long training, so that its model can be saved afterwards.

    Raises:
        ModelFileError: the path holds something else than a model, or something beside it.
    """
    place = Path(os.path.realpath(path))
    if not os.path.lexists(place):
        return
    advice = "Nothing was changed. Give a new folder, or that of an older model."
    if not place.is_dir():
        raise ModelFileError(f"{place} is a file, so no model can be saved there. {advice}")
    found = {entry.name for entry in os.scandir(place)} - _LEFT_BY_DESKTOPS
    if not found:
        return
    if CONFIG not in found:
        raise ModelFileError(f"{place} holds other files than a Gatewise model. {advice}")
    try:
        ours = read_config(place).checksums.keys()
    except ModelFileError as error:
        raise ModelFileError(f"{place} cannot be replaced: {error} {advice}") from None
    strange = sorted(found - ours)
    if strange or any((place / name).is_dir() for name in found):
        name = strange[0] if strange else "a folder"
        raise ModelFileError(
            f"{place} holds {name!r}, which Gatewise did not write and would delete. {advice}"
        )


def _write(path: Path, content: bytes) -> None:
    """Write and sync a new file."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o666)  # what the user's umask leaves of it
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)
