"""Faults of the disk and kills: the whole old or the whole new model, never a torn one."""

from __future__ import annotations

import errno
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from saved_models import check_is, names, save

from gatewise.errors import ModelFileError
from gatewise.store import read_folder, swap


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
from saved_models import names, save, check_is
from gatewise.store import swap
STEPS = {steps!r}
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
    code = KILLER.format(steps=STEPS, path=[str(Path(__file__).parent), *sys.path])
    arguments = [sys.executable, "-c", code, str(model), str(offered)]
    done = subprocess.run(arguments, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert int(done.stdout) > 60


def test_a_kill_at_a_random_time_leaves_the_whole_old_or_the_whole_new_model(model: Path) -> None:
    code = (
        f"import sys; sys.path[:0] = {[str(Path(__file__).parent), *sys.path]!r}\n"
        "from pathlib import Path\n"
        "from saved_models import save\n"
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
