"""Round trips, faults of the disk, kills in mid-save, and folders that mean harm."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from numpy.typing import NDArray

from gatewise.errors import ModelFileError
from gatewise.store import ModelFolder, check_replaceable, read_folder, swap, write_folder
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
    assert list(folder.weights) == list(expected)
    for name, array in expected.items():
        assert folder.weights[name].dtype == np.float32
        assert folder.weights[name].shape == array.shape
        assert folder.weights[name].tobytes() == array.tobytes()


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: hundreds of saves that are synced to a disk wait."""
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 (a new folder in it)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield Path(folder)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    save(path)
    return path


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
    assert read_folder(model).training is None


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
        {"weights": {"../w": np.zeros(3, np.float32)}},
        {"pictures": {"config.json": b""}},
        {"pictures": {"../loss.png": b""}},
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


# faults of the disk and kills


class Stop(BaseException):
    """A fault that nothing expects, like Ctrl-C."""


STEPS = ("open", "write", "fsync", "close", "mkdir")


def fail_at(monkeypatch: pytest.MonkeyPatch, moment: int, fault: BaseException) -> list[str]:
    """Raise once, at the given step of a save; gives the steps that were reached."""
    reached: list[str] = []

    def wrap(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **kwargs: Any) -> Any:
            reached.append(name)
            if len(reached) == moment:
                if name == "close":
                    step(*args, **kwargs)
                raise fault
            return step(*args, **kwargs)

        return stepped

    for name in STEPS:
        monkeypatch.setattr(os, name, wrap(name, getattr(os, name)))
    monkeypatch.setattr(Path, "rename", wrap("rename", Path.rename))
    monkeypatch.setattr(swap, "_renameat2", wrap("exchange", swap._renameat2))
    return reached


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("offered", [True, False])
def test_a_fault_at_any_step_leaves_the_old_model_and_nothing_else(
    memory: Path, monkeypatch: pytest.MonkeyPatch, exists: bool, offered: bool
) -> None:
    path = memory / "model"
    if exists:
        save(path)
    if not offered:
        monkeypatch.setattr(swap, "_renameat2", lambda first, second: False)
    for fault in (OSError(errno.ENOSPC, "No space left on device"), Stop()):
        for moment in range(1, 200):
            caught: BaseException | None = None
            with monkeypatch.context() as patch:
                reached = fail_at(patch, moment, fault)
                try:
                    save(path, 2)
                except (ModelFileError, Stop) as error:
                    caught = error
            if len(reached) < moment:
                break
            if isinstance(caught, ModelFileError):
                assert "No space left on device" in str(caught)
                assert "untouched" in str(caught) or "Nothing was changed" in str(caught)
                assert names(memory) == (["model"] if exists else [])
            if caught is None:  # the step was not needed, or only tidied
                check_is(read_folder(path), 2)
            elif exists and isinstance(fault, OSError):
                check_is(read_folder(path), 1)
            elif exists:
                found = read_folder(path)
                check_is(found, found.options["seed"])
            swap._remove(path)
            if exists:
                save(path)
        assert 30 < moment < 199
        assert names(memory) == ["model"]
        swap._remove(path)
        if exists:
            save(path)


KILLER = """
import os, sys, signal
from pathlib import Path
sys.path[:0] = {path!r}
from test_store import names, save, check_is, swap, STEPS
from gatewise.store import read_folder

def reach():
    global count
    count += 1
    if count == moment:
        os.kill(os.getpid(), signal.SIGKILL)

class Kill:
    def setattr(self, owner, name, value):
        def killing(*args, **kwargs):
            reach()
            result = old(*args, **kwargs)
            reach()
            return result
        old = getattr(owner, name)
        setattr(owner, name, killing)

path, offered = Path(sys.argv[1]), sys.argv[2] == "True"
if not offered:
    swap._renameat2 = lambda first, second: False
kills = 0
seeds = set()
for moment in range(1, 500):
    child = os.fork()
    if child == 0:
        count = 0
        for name in STEPS:
            Kill().setattr(os, name, None)
        Kill().setattr(Path, "rename", None)
        Kill().setattr(swap, "_renameat2", None)
        Kill().setattr(swap, "_remove", None)
        save(path, 2)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
    kills += 1
    found = read_folder(path)
    check_is(found, found.options["seed"])
    seeds.add(found.options["seed"])
    if moment % 3:
        save(path, 1)
        assert names(path.parent) == ["model"]
assert seeds == {{1, 2}}
print(kills)
"""


@pytest.mark.parametrize("offered", [True, False])
def test_a_kill_at_any_step_leaves_the_whole_old_or_the_whole_new_model(
    memory: Path, offered: bool
) -> None:
    model = memory / "model"
    save(model)
    code = KILLER.format(path=[str(Path(__file__).parent), *sys.path])
    arguments = [sys.executable, "-c", code, str(model), str(offered)]
    done = subprocess.run(arguments, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert int(done.stdout) > 60


def test_a_kill_at_a_random_time_leaves_the_whole_old_or_the_whole_new_model(model: Path) -> None:
    code = (
        f"import sys; sys.path[:0] = {[str(Path(__file__).parent), *sys.path]!r}\n"
        "from pathlib import Path\n"
        "from test_store import save\n"
        f"print('ready', flush=True)\n"
        f"while True: save(Path({str(model)!r}), 2); save(Path({str(model)!r}), 1)\n"
    )
    chance = random.Random(0)  # noqa: S311 (nothing secret)
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        for _ in range(5):
            found = read_folder(model)  # while the other process replaces it
            check_is(found, found.options["seed"])
        time.sleep(chance.random() / 20)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        found = read_folder(model)
        check_is(found, found.options["seed"])
    save(model)
    assert names(model.parent) == ["model"]


def test_every_file_is_synced_before_the_exchange_and_the_folder_after_it(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    fsync, exchange = os.fsync, swap._renameat2

    def named(descriptor: int) -> None:
        events.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    def exchanged(first: Path, second: Path) -> bool:
        events.append("exchange")
        return exchange(first, second)

    monkeypatch.setattr(os, "fsync", named)
    monkeypatch.setattr(swap, "_renameat2", exchanged)
    save(model, 2)
    files = {entry.name for entry in model.iterdir()}
    at = events.index("exchange")
    assert set(events[: at - 1]) == files
    assert events[at - 1 :] == [".model.saving", "exchange", model.parent.name]


def test_a_limit_on_the_size_of_files_leaves_the_old_model(model: Path) -> None:
    large = {"w": np.ones(100_000, np.float32)}
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        with pytest.raises(ModelFileError, match=r"could not be saved to .*: File too large"):
            save(model, 2, weights=large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    check_is(read_folder(model), 1)
    assert names(model.parent) == ["model"]


# folders that mean harm


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
    "header that is not aligned": (9).to_bytes(8, "little") + b'{"a": 1} ',
    "header not UTF-8": container(b'{"\xff": 1}'),
    "header not JSON": container(b"{'w': 1}"),
    "header with more behind it": container(b"{} {}"),
    "header that is a list": container([]),
    "header nested": container(b"[" * 100_000),
    "a name twice": container(
        b'{"w": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}, "w": 1}'
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
    "size of 5,000 digits": container(b'{"w": {"dtype": "F32", "shape": [' + b"9" * 5000 + b"]}}"),
    "size of 4,000 digits": container(
        b'{"w": {"dtype": "F32", "shape": [' + b"9" * 4000 + b'], "data_offsets": [0, 4]}}'
    ),
    "negative sizes": container(one([-1, -1], [0, 4]), bytes(4)),
    "a size true": container(one([True], [0, 4]), bytes(4)),
    "100,000 dimensions": container(one([1] * 100_000, [0, 4]), bytes(4)),
    "shape and offsets differ": container(one([3], [0, 4]), bytes(4)),
    "unknown type": container(one([1], [0, 4], "PICKLE"), bytes(4)),
    "integers": container(one([1], [0, 4], "I32"), bytes(4)),
    "double": container(one([1], [0, 8], "F64"), bytes(8)),
    "type that is a list": container(one([1], [0, 4], ["F32"]), bytes(4)),
    "something more": container(one([1], [0, 4], code="import os"), bytes(4)),
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


@pytest.mark.parametrize("content", WEIGHTS.values(), ids=WEIGHTS.keys())
def test_hostile_weights_are_refused_in_one_sentence(model: Path, content: bytes) -> None:
    replace(model, "weights.safetensors", content)
    refuse(model, "weights.safetensors")


def test_weights_cut_anywhere_are_refused(model: Path) -> None:
    content = (model / "weights.safetensors").read_bytes()
    for size in range(0, len(content), 7):
        replace(model, "weights.safetensors", content[:size])
        refuse(model, "weights.safetensors")


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


def refuse(folder: Path, part: str) -> None:
    """Reading fails in one sentence that names the file and the cause."""
    with pytest.raises(ModelFileError) as caught:
        read_folder(folder)
    message = str(caught.value)
    assert part in message
    assert str(folder.parent) in message
    assert len(message) < 500 + len(str(folder))
    assert message.endswith((".", "gatewise."))
    assert "\n" not in message
