"""Folders that are damaged or mean harm: each is refused in one sentence."""

from __future__ import annotations

import hashlib
import json
import os
import random
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hostile_weights import WEIGHTS
from saved_models import check_is, refuse, replace, replace_config, save

from gatewise.errors import ModelFileError
from gatewise.store import read_folder, reading

CONFIGS: dict[str, dict[str, Any]] = {
    "no format": {"format": None},
    "format of text": {"format": "1; rm"},
    "format true": {"format": True},
    "format 0": {"format": 0},
    "format of a fraction": {"format": 1.0},
    "enormous format": {"format": 10**4000},
    "no task": {"task": None},
    "task is a list": {"task": ["classify"]},
    "no options": {"options": None},
    "options are a list": {"options": []},
    "no checksums": {"checksums": None},
    "checksums of numbers": {"checksums": {"weights.safetensors": 1}},
    "a path among the checksums": {"checksums": {"../../etc/passwd": "0" * 64}},
    "something more": {"custom_objects": "import os"},
    "something more of 100,000 signs": {"\x1b[2J\n" * 20_000: 1},
    "NaN": {"options": {"dropout": float("nan")}},
}


@pytest.mark.parametrize("changes", CONFIGS.values(), ids=CONFIGS.keys())
def test_hostile_configs_are_refused_in_one_sentence(model: Path, changes: dict[str, Any]) -> None:
    replace_config(model, **changes)
    refuse(model, "")


JSONS: dict[str, bytes] = {
    "empty": b"",
    "not UTF-8": b'["\xff"]',
    "UTF-16": "[]".encode("utf-16"),
    "byte-order mark": b"\xef\xbb\xbf[]",
    "nested lists": b"[" * 100_000,
    "nested tables": b'{"a":' * 100_000,
    "nested a little too deep": b"[" * 100 + b"]" * 100,
    "too large a number": b"[1e999]",
    "a number of 5,000 digits": b"[" + b"9" * 5000 + b"]",
    "infinity": b"[-Infinity]",
    "a lone surrogate": b'["\\ud800"]',
    "a lone surrogate as a name": b'{"\\udfff": 1}',
    "a name twice": b'{"a": 1, "a": 2}',
    "more behind": b"[] []",
    "a control character": b'["\x00"]',
}


@pytest.mark.parametrize("name", ["labels.json", "training.json", "config.json"])
@pytest.mark.parametrize("content", JSONS.values(), ids=JSONS.keys())
def test_hostile_json_is_refused_in_one_sentence(model: Path, name: str, content: bytes) -> None:
    if name == "config.json":
        (model / name).write_bytes(content)
    else:
        replace(model, name, content)
    refuse(model, name)


def test_a_tokenizer_that_is_not_utf8_is_refused(model: Path) -> None:
    replace(model, "tokenizer.json", b'{"\xff": 1}')
    refuse(model, "tokenizer.json")


def test_a_newer_format_says_so_even_where_it_has_new_entries(model: Path) -> None:
    replace_config(model, format=2, encoder="new")
    with pytest.raises(ModelFileError, match="written by a newer Gatewise, format 2; this one"):
        read_folder(model)


def test_an_unknown_task_is_left_to_the_caller(model: Path) -> None:
    replace_config(model, task="fold proteins")
    assert read_folder(model).task == "fold proteins"


def test_large_files_are_refused_before_they_are_read(model: Path) -> None:
    with (model / "labels.json").open("r+b") as file:
        file.truncate(65 << 20)
    refuse(model, "has 68,157,440 bytes, but at most 67,108,864 are allowed")
    save(model.parent / "other")
    with (model.parent / "other" / "weights.safetensors").open("r+b") as file:
        file.truncate(1 << 40)
    refuse(model.parent / "other", "bytes, but at most")


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "labels.json", "weights.safetensors", "training.json"]
)
@pytest.mark.parametrize("kind", ["link", "link nowhere", "pipe", "folder", "socket", "device"])
def test_only_regular_files_are_read(model: Path, name: str, kind: str) -> None:
    file = model / name
    (model.parent / "outside").write_bytes(file.read_bytes())
    file.unlink()
    if kind == "link":
        file.symlink_to(model.parent / "outside")
    elif kind == "link nowhere":
        file.symlink_to("nowhere")
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    elif kind == "socket":
        os.mknod(file, stat.S_IFSOCK | 0o600)
    else:
        try:
            os.mknod(file, stat.S_IFCHR | 0o666, os.makedev(1, 5))
        except PermissionError:
            pytest.skip("making a device needs root")
    refuse(model, name)


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "labels.json", "weights.safetensors"]
)
def test_a_missing_file_is_named(model: Path, name: str) -> None:
    (model / name).unlink()
    refuse(model, name)


def test_what_is_no_model_folder_is_refused_and_never_opened_as_an_archive(tmp_path: Path) -> None:
    (tmp_path / "bomb.zip").write_bytes(b"PK\x03\x04" + bytes(50))
    (tmp_path / "empty").mkdir()
    (tmp_path / "nowhere").symlink_to("nothing")
    (tmp_path / "round").symlink_to("round")
    refuse(tmp_path / "bomb.zip", "is a file, not a model folder")
    refuse(tmp_path / "empty", "is not a Gatewise model")
    refuse(tmp_path / "missing", "does not exist")
    refuse(tmp_path / "nowhere", "does not exist")
    refuse(tmp_path / "round", "")
    refuse(tmp_path / ("x" * 300), "")
    refuse(tmp_path / "a\x00b", "")


def test_pictures_that_are_no_plain_pictures_of_the_folder_are_left_out(model: Path) -> None:
    (model.parent / "outside.png").write_bytes(b"secret")
    (model / "link.png").symlink_to("../outside.png")
    os.mkfifo(model / "pipe.png")
    (model / "folder.png").mkdir()
    secret = hashlib.sha256(b"secret").hexdigest()
    names = ("link.png", "pipe.png", "folder.png", "../outside.png", str(model / "../outside.png"))
    checksums = json.loads((model / "config.json").read_bytes())["checksums"]
    replace_config(model, checksums=checksums | dict.fromkeys(names, secret))
    replace(model, "notes.txt", b"secret")
    check_is(read_folder(model), 1)


def test_pictures_take_bounded_memory(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(model, pictures={"a.png": bytes(60), "b.png": bytes(60), "c.png": bytes(40)})
    monkeypatch.setattr(reading, "LARGEST_PICTURES", 100)
    assert read_folder(model).pictures == {"a.png": bytes(60), "c.png": bytes(40)}


def test_a_file_of_another_model_is_found_by_its_checksum(model: Path, tmp_path: Path) -> None:
    save(tmp_path / "other", 2)
    for name in ("weights.safetensors", "labels.json", "tokenizer.json", "training.json"):
        mixed = tmp_path / f"mixed-{name}"
        save(mixed, 1, labels=["other"] if name == "labels.json" else ["bad"])
        (mixed / name).write_bytes((tmp_path / "other" / name).read_bytes())
        refuse(mixed, f"{name} does not match its checksum in config.json: the file is damaged")


def test_every_flipped_bit_is_found(model: Path) -> None:
    chance = random.Random(0)  # noqa: S311 (nothing secret)
    read = ["config.json", "tokenizer.json", "labels.json", "weights.safetensors", "training.json"]
    for _ in range(300):
        file = model / chance.choice(read)
        content = file.read_bytes()
        flipped = bytearray(content)
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        file.write_bytes(flipped)
        refuse(model, "")
        file.write_bytes(content)
    check_is(read_folder(model), 1)


def test_loading_runs_nothing_and_opens_nothing_else(model: Path) -> None:
    """No event of the interpreter's audit beyond opening the files of the folder to read."""
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from gatewise.store import read_folder\n"
        "read_folder(sys.argv[1])\n"  # imports that happen once are done
        "events = []\n"
        "sys.addaudithook(lambda name, args: events.append((name, args)))\n"
        "for folder in sys.argv[1:]:\n"
        "    try: read_folder(folder)\n"
        "    except ValueError: pass\n"
        "found = list(events)\n"
        "opened = {args[0] for name, args in found if name == 'open' if args[0] != 3}\n"
        "for name, args in found:\n"
        "    assert name in ('open', 'object.__getattr__'), (name, args)\n"
        "    assert name != 'open' or not args[2] & 3, args\n"
        "assert all(str(path).startswith(tuple(sys.argv[1:])) for path in opened), opened\n"
        "assert len(opened) > 5\n"
    )
    hostile = []
    for kind in ("pickle", "zip", "NaN", "7z", "integers"):
        hostile.append(model.parent / kind)
        save(hostile[-1])
        replace(hostile[-1], "weights.safetensors", WEIGHTS[kind])
    arguments = [sys.executable, "-c", code, str(model), *map(str, hostile)]
    done = subprocess.run(arguments, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
