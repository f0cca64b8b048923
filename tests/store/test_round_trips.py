"""Round trips, and what is not saved."""

from __future__ import annotations

import dataclasses
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from saved_models import check_is, names, replace, save, weights

from gatewise.errors import ModelFileError
from gatewise.store import check_replaceable, read_folder, write_folder

# round trips


def test_what_is_written_is_read_to_the_bit(model: Path) -> None:
    check_is(read_folder(model), 1)
    check_is(read_folder(str(model)), 1)
    expected = weights(1)
    for name, array in safetensors.numpy.load_file(model / "weights.safetensors").items():
        assert array.tobytes() == expected[name].tobytes()
    assert (model / "README.md").read_text() == "# A model\n"
    assert (model / "loss.png").read_bytes() == b"\x89PNG"


def test_weights_of_the_safetensors_package_are_read(model: Path) -> None:
    arrays = {name: np.ascontiguousarray(array) for name, array in weights(7).items()}
    replace(model, "weights.safetensors", safetensors.numpy.save(arrays))
    for name, array in read_folder(model).weights.items():
        assert array.tobytes() == arrays[name].tobytes()


def test_a_second_save_replaces_the_first_wholly(model: Path) -> None:
    save(model, 2, training=None, pictures={})
    folder = read_folder(model)
    assert folder.options["seed"] == 2
    assert folder.training is None
    files = ["README.md", "config.json", "labels.json", "tokenizer.json", "weights.safetensors"]
    assert names(model) == files
    assert names(model.parent) == ["model"]


def test_weights_can_be_written_to_and_are_aligned(model: Path) -> None:
    for array in read_folder(model).weights.values():
        assert array.flags.writeable
        assert array.flags.aligned
        assert array.flags.c_contiguous


def test_parents_are_made_and_empty_folders_and_links_are_used(tmp_path: Path) -> None:
    save(tmp_path / "a" / "b" / "model")
    (tmp_path / "empty").mkdir()
    save(tmp_path / "empty")
    (tmp_path / "current").symlink_to("empty")
    save(tmp_path / "current", 2)
    assert (tmp_path / "current").is_symlink()
    check_is(read_folder(tmp_path / "empty"), 2)
    check_is(read_folder(tmp_path / "current"), 2)


def test_names_of_every_kind(tmp_path: Path) -> None:
    for name in ("x" * 255, "ü" * 127, "a b", "-rf", os.fsdecode(b"\xff\xfe")):
        save(tmp_path / name)
        save(tmp_path / name, 2)
        check_is(read_folder(tmp_path / name), 2)


def test_permissions_are_those_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        save(tmp_path / "model")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "model").stat().st_mode) == 0o750
    for file in (tmp_path / "model").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_training_and_what_is_for_people_may_be_missing_or_edited(model: Path) -> None:
    (model / "training.json").unlink()
    (model / "loss.png").unlink()
    (model / "README.md").write_text("Better words.")
    folder = read_folder(model)
    assert folder.training is None
    assert folder.pictures == {}


def test_a_picture_that_was_painted_over_is_left_out(model: Path) -> None:
    save(model, pictures={"loss.png": b"loss", "labels.png": b"labels"})
    (model / "loss.png").write_bytes(b"mine")
    assert read_folder(model).pictures == {"labels.png": b"labels"}


def test_what_was_read_can_be_written_again_to_the_byte(model: Path) -> None:
    """Pictures too: drawing them anew would need the training extra."""
    folder = read_folder(model)
    parts = {field.name: getattr(folder, field.name) for field in dataclasses.fields(folder)}
    again = parts.pop("path").parent / "again"
    write_folder(again, **parts, card="# A model\n")
    assert names(again) == names(model)
    for name in names(model):
        assert (again / name).read_bytes() == (model / name).read_bytes()


def test_array_checks_presence_and_shape(model: Path) -> None:
    folder = read_folder(model)
    assert folder.array("embedding.weight", (5, 2)) is folder.weights["embedding.weight"]
    with pytest.raises(ModelFileError, match=r"weights\.safetensors has no array 'head'\."):
        folder.array("head", (1,))
    with pytest.raises(ModelFileError, match=r"must have shape \(5, 3\).*Got \(5, 2\)\."):
        folder.array("embedding.weight", (5, 3))


# what is not saved


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_never_replace_a_model(model: Path, value: float) -> None:
    with pytest.raises(ModelFileError, match="'w' holds NaN or infinite numbers"):
        save(model, 2, weights={"w": np.array([1, value], np.float32)})
    check_is(read_folder(model), 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": {"w": np.zeros(3)}},
        {"weights": {"w": np.zeros(3, "M8[s]")}},
        {"weights": {"../w": np.zeros(3, np.float32)}},
        {"weights": {f"w{n}": np.zeros(0, np.float32) for n in range(30_000)}},
        {"pictures": {"config.json": b""}},
        {"pictures": {"../loss.png": b""}},
        {"pictures": {"page.html": b""}},
        {"labels": object()},
        {"options": {"x": float("nan")}},
        {"tokenizer": "\ud800"},
    ],
)
def test_what_the_format_cannot_hold_is_refused_before_anything_changes(
    model: Path, changes: dict[str, Any]
) -> None:
    with pytest.raises((ValueError, TypeError)):
        save(model, 2, **changes)
    check_is(read_folder(model), 1)
    assert names(model.parent) == ["model"]


def test_only_models_are_replaced(tmp_path: Path, model: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    (tmp_path / "file").write_text("x")
    (tmp_path / "stranger").mkdir()
    (tmp_path / "stranger" / "config.json").write_text('{"model_type": "bert"}')
    save(tmp_path / "annotated")
    (tmp_path / "annotated" / "notes.txt").write_text("mine")
    save(tmp_path / "nested")
    (tmp_path / "nested" / "loss.png").unlink()
    (tmp_path / "nested" / "loss.png").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for name in ("home", "file", "stranger", "annotated", "nested", "."):
        for act in (save, check_replaceable):
            with pytest.raises(ModelFileError, match="Nothing was changed"):
                act(tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before
    check_replaceable(model)
    check_replaceable(tmp_path / "new")
    (model / ".DS_Store").touch()
    save(model, 2)
    check_is(read_folder(model), 2)
