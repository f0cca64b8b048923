"""Put a finished folder in the place of an old one: at every moment the whole old or whole new.

A save builds `.NAME.saving` beside the model and then exchanges the two names in one system call
(renameat2 of Linux). Where that call is missing, the old model is first renamed to
`.NAME.previous`; a kill between the two renames leaves it there, and `present` finds it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: saves into one folder at the same time are not kept apart
    fcntl = None  # type: ignore[assignment]

_EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h
_HERE = -100  # AT_FDCWD
_NOT_OFFERED = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}


def present(path: Path) -> Path:
    """Where the model of this path is: at the path, or aside after a kill in mid-exchange."""
    aside = _beside(path, "previous")
    return aside if not os.path.lexists(path) and aside.is_dir() else path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give an empty folder to fill; at the end of the block it takes the place of `path`.

    When the block or the exchange fails, `path` is as it was and nothing is left over. Saves
    beside each other wait for one another.

    Raises:
        OSError: the system refused a step.
    """
    saving, aside = _beside(path, "saving"), _beside(path, "previous")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.parent):
        if not os.path.lexists(path) and aside.is_dir():
            aside.rename(path)
        _remove(saving)  # of a save that was killed: whoever lives holds the lock
        try:
            saving.mkdir()
            yield saving
            sync_folder(saving)
            _exchange(saving, path, aside)
        finally:
            # After the exchange these hold the old model, after a failure the unfinished one.
            _remove(saving)
            if os.path.lexists(path):
                _remove(aside)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power failure."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exchange(saving: Path, path: Path, aside: Path) -> None:
    """Bring `saving` to `path` and what was there to `saving` or `aside`; undone on failure."""
    with contextlib.ExitStack() as undo:
        if not os.path.lexists(path):
            saving.rename(path)
            undo.callback(path.rename, saving)
        elif _renameat2(saving, path):
            undo.callback(_renameat2, saving, path)
        else:
            _remove(aside)
            path.rename(aside)
            undo.callback(aside.rename, path)
            saving.rename(path)
            undo.callback(path.rename, saving)
        sync_folder(path.parent)
        undo.pop_all()


def _renameat2(first: Path, second: Path) -> bool:
    """Exchange two names in one step; False where the system has no such call."""
    if os.name != "posix":
        return False
    import ctypes  # noqa: PLC0415 (importing it opens a library, which a read has no need of)

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_HERE, os.fsencode(first), _HERE, os.fsencode(second), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_OFFERED:
        return False
    raise OSError(number, os.strerror(number), str(first), None, str(second))


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # File systems without locks still save; only saves at the same time are not kept apart.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _beside(path: Path, purpose: str) -> Path:
    """`.NAME.purpose` in the same folder; long names are shortened, but stay different."""
    name = os.fsencode(path.name)
    if len(name) > 200:
        name = name[:40] + hashlib.sha256(name).hexdigest().encode()[:16]
    return path.parent / f".{os.fsdecode(name)}.{purpose}"


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):  # ignore_errors does not hold for closing the folder
        shutil.rmtree(folder, ignore_errors=True)
