"""Example models, and how an attacker would change them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gatewise.errors import ModelFileError
from gatewise.store import ModelFolder, read_folder, write_folder
from gatewise.store.reading import Config

OPTIONS = {"cell": "lstm", "hidden_size": 3, "dropout": 0.1, "vectors": None, "deep": True}


def weights(seed: int) -> dict[str, NDArray[np.float32]]:
    generator = np.random.default_rng(seed)
    return {
        "embedding.weight": generator.normal(size=(5, 2)).astype(np.float32),
        "layers.0.weight_ih": generator.normal(size=(12, 2)).astype(np.float32).T,
        "extremes": np.array([3.4e38, -1e-45, -0.0], np.float32),
        "one": np.array(seed, np.float32),
        "nothing": np.zeros((0, 3), np.float32),
    }


def save(path: Path, seed: int = 1, **changes: Any) -> None:
    everything: dict[str, Any] = {
        "task": "classify",
        "options": OPTIONS | {"seed": seed},
        "tokenizer": json.dumps({"seed": seed, "text": "é👍"}, ensure_ascii=False),
        "labels": ["bad", "good", "\x1b[2J"],
        "weights": weights(seed),
        "training": {"seed": seed, "loss": [0.5, float("nan")]},
        "card": "# A model\n",
        "pictures": {"loss.png": b"\x89PNG" * seed},
    }
    write_folder(path, **(everything | changes))


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def check_is(folder: ModelFolder, seed: int) -> None:
    """All of the folder is that of this seed, to the bit."""
    expected = weights(seed)
    assert folder.task == "classify"
    assert folder.options == OPTIONS | {"seed": seed}
    assert json.loads(folder.tokenizer) == {"seed": seed, "text": "é👍"}
    assert folder.labels == ["bad", "good", "\x1b[2J"]
    assert folder.training == {"seed": seed, "loss": [0.5, None]}
    assert list(folder.weights) == sorted(expected)
    for name, array in expected.items():
        assert folder.weights[name].dtype == np.float32
        assert folder.weights[name].shape == array.shape
        assert folder.weights[name].tobytes() == array.tobytes()
    assert folder.pictures == {"loss.png": b"\x89PNG" * seed}


def replace(model: Path, name: str, content: bytes) -> None:
    """Write a file and its right checksum, as an attacker would."""
    (model / name).write_bytes(content)
    said = json.loads((model / "config.json").read_bytes())
    said["checksums"][name] = hashlib.sha256(content).hexdigest()
    replace_config(model, checksums=said["checksums"])


def replace_config(model: Path, **changes: Any) -> None:
    """Change entries of config.json and its own checksum; None takes one out."""
    said = json.loads((model / "config.json").read_bytes()) | changes
    said = {name: value for name, value in said.items() if value is not None}
    try:
        own = Config(
            said["format"], said["task"], said["options"], said["checksums"]
        ).own_checksum()
        said["checksums"]["config.json"] = own
    except (KeyError, TypeError, AttributeError, ValueError):
        pass
    (model / "config.json").write_text(json.dumps(said))


def refuse(folder: Path, part: str) -> None:
    """Reading fails in one sentence that names the file and the cause."""
    with pytest.raises(ModelFileError) as caught:
        read_folder(folder)
    message = str(caught.value)
    assert part in message
    assert str(folder.parent) in message
    assert len(message) < 500 + len(str(folder))
    assert message.endswith((".", "gatewise."))
    assert message.replace(str(folder), "").isprintable()
