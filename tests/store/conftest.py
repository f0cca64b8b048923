from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# The tests of this folder share saved_models.py and hostile_weights.py.
sys.path.insert(0, str(Path(__file__).parent))

from saved_models import save


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
