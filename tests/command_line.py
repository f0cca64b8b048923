"""The command line as a user runs it: in a process of its own, reading what it prints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SMALL = ["--embedding-size", "8", "--hidden-size", "8", "--subwords", "50", "--token-pairs", "64"]
SMALL += ["--epochs", "2"]


def gatewise(*arguments: str, stdin: str = "", cwd: Path | None = None) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "gatewise", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def sample_model(folder: Path) -> Path:
    """Fill a folder with the sample reviews and a small model of them."""
    assert gatewise("sample", "reviews.csv", cwd=folder)[0] == 0
    status, out, err = gatewise(
        "train", "classify", "reviews.csv", "--out", "model", *SMALL, cwd=folder
    )
    assert status == 0, err
    assert "columns: texts in 'text', labels in 'label'" in err
    assert "epoch 2/2  loss " in err
    assert "TF-IDF and logistic regression  accuracy 0." in out
    assert "true label (rows) and answer (columns):" in out
    return folder
