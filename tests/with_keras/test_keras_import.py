"""What `import gatewise.keras` says where it cannot work, and what it leaves alone where it can."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def said(program: str, folder: Path, backend: str | None = None) -> tuple[int, str]:
    """Exit status, and standard output or else the last line of the traceback."""
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    environment["KERAS_HOME"] = str(folder)
    if backend is not None:
        environment["KERAS_BACKEND"] = backend
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    return done.returncode, done.stdout.strip() or done.stderr.splitlines()[-1]


@pytest.mark.parametrize("missing", ["keras", "torch"])
def test_a_missing_extra_is_told(missing: str, tmp_path: Path) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; import gatewise.keras"
    status, line = said(program, tmp_path)
    assert status == 1
    assert line == (
        "gatewise.errors.MissingExtraError: gatewise.keras needs packages that are not installed. "
        "Install them with: pip install 'gatewise[keras]'"
    )


@pytest.mark.parametrize(
    ("program", "backend"),
    [
        ("import gatewise.keras", "jax"),
        ("import gatewise.keras", "numpy"),
        ("import keras, gatewise.keras", "numpy"),
    ],
)
def test_another_backend_is_refused(program: str, backend: str, tmp_path: Path) -> None:
    if program.startswith("import keras"):
        pytest.importorskip("jax", reason="Keras needs it for every backend but torch's.")
    status, line = said(program, tmp_path, backend)
    assert status == 1
    assert line == (
        "gatewise.errors.OptionError: gatewise.keras runs on the torch backend of Keras. "
        f"Here Keras has {backend!r}. Set KERAS_BACKEND=torch, or leave it unset and import "
        "gatewise.keras before keras."
    )


def test_torch_is_chosen_also_where_keras_was_told_otherwise_once(tmp_path: Path) -> None:
    (tmp_path / "keras.json").write_text('{"backend": "tensorflow"}', "utf-8")
    program = "import gatewise.keras, keras; print(keras.config.backend())"
    assert said(program, tmp_path) == (0, "torch")
