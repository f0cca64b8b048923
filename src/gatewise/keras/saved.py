"""Saved models whose layers are Keras's own, as files whose layers run on the kernel."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from gatewise.keras.layers import GRU, LSTM, Bidirectional, Embedding, SimpleRNN

OURS = {kind.__name__: kind for kind in (GRU, LSTM, Bidirectional, Embedding, SimpleRNN)}
_CONFIG = "config.json"


def with_our_layers(file: Path, folder: Path) -> Path:
    """A .keras file, or a copy of it in a folder, that names our layers where it named Keras's.

    What is not such a file is left to Keras, which says what is wrong with it.
    """
    if file.suffix != ".keras" or not zipfile.is_zipfile(file):
        return file
    with zipfile.ZipFile(file) as given:
        if _CONFIG not in given.namelist():
            return file
        config = json.loads(given.read(_CONFIG))
        changed = _ours(config)
        if changed == config:
            return file
        copy = folder / file.name
        with zipfile.ZipFile(copy, "w") as written:
            for entry in given.infolist():
                with written.open(entry.filename, "w", force_zip64=True) as place:
                    if entry.filename == _CONFIG:
                        place.write(json.dumps(changed).encode())
                    else:
                        place.write(given.read(entry))
    return copy


def _ours(part: Any) -> Any:
    """A part of a model's config, with our layers in place of Keras's."""
    if isinstance(part, list):
        return [_ours(each) for each in part]
    if not isinstance(part, dict):
        return part
    found = {name: _ours(each) for name, each in part.items()}
    kind = OURS.get(str(found.get("class_name")))
    if kind is not None and found.get("module") == "keras.layers":
        found |= {"module": kind.__module__, "registered_name": f"gatewise>{kind.__name__}"}
    return found
