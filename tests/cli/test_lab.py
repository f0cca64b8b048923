"""`gatewise lab` as a user starts and ends it."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from command_line import gatewise
from explanation_cases import TEXT, made

ROWS = f"text,label\n{TEXT},positive\nfilm and film,negative\n,negative\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three model folders and files of texts."""
    folder = tmp_path_factory.mktemp("lab")
    made().save(folder / "model")
    made(seed=1, cell="gru").save(folder / "other")
    made(("a", "b", "c"), multiple=True).save(folder / "many")
    (folder / "test.csv").write_text(ROWS, "utf-8")
    (folder / "many.csv").write_text("text,label\nfilm,a|b\nlove,\nfilm,c\n", "utf-8")
    (folder / "wrong.csv").write_text("text,label\nfilm,negativ\nlove,positive\n", "utf-8")
    (folder / "texts.txt").write_text("film\nlove this\n", "utf-8")
    (folder / "same").mkdir()
    made(seed=2).save(folder / "same" / "model")
    return folder


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The lab on a free port, until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "gatewise", "lab", *arguments, "--port", "0"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.fullmatch(
            r"The lab is at http://127\.0\.0\.1:(\d+)/ on this machine\. Ctrl-C ends it\.\n", line
        )
        assert found is not None, (line, process.stderr and process.stderr.read())
        yield int(found[1]), process
    finally:
        process.kill()
        process.communicate()


def facts(port: int) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/api/lab")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly(folder: Path, how: signal.Signals) -> None:
    with running(folder, "model", "--test", "test.csv") as (port, process):
        assert facts(port)["models"][0]["name"] == "model"
        process.send_signal(how)
        out, err = process.communicate(timeout=30)
        told = [line for line in err.splitlines() if not line.startswith("columns: ")]
        assert (out, told) == ("", [])
        assert process.returncode == (0 if how == signal.SIGINT else -signal.SIGTERM)


@pytest.mark.parametrize(
    ("arguments", "names", "file"),
    [
        (["model"], ["model"], None),
        (["model", "other"], ["model", "other"], None),
        (["model", "same/model"], ["model", "same/model"], None),
        (["model/", "other", "--test", "test.csv"], ["model", "other"], (3, True)),
        (["model", "--test", "texts.txt"], ["model"], (2, False)),
        (
            [
                "many",
                "--test",
                "many.csv",
                "--text",
                "text",
                "--label",
                "label",
                "--label-separator",
                "|",
            ],
            ["many"],
            (3, True),
        ),
    ],
)
def test_what_is_shown(
    folder: Path, arguments: list[str], names: list[str], file: tuple[int, bool] | None
) -> None:
    with running(folder, *arguments) as (port, _):
        told = facts(port)
        assert [model["name"] for model in told["models"]] == names
        if file is None:
            assert told["file"] is None
        else:
            assert (told["file"]["texts"], told["file"]["labelled"]) == file


def test_it_listens_on_this_machine_alone(folder: Path) -> None:
    with running(folder, "model") as (port, process):
        lines = Path(f"/proc/{process.pid}/net/tcp").read_text().splitlines()
        six = Path(f"/proc/{process.pid}/net/tcp6")
        lines += six.read_text().splitlines() if six.exists() else []
        mine = [line.split()[1] for line in lines if line.split()[1].endswith(f":{port:04X}")]
        assert mine
        assert {place.partition(":")[0] for place in mine} == {"0100007F"}


def test_a_port_that_is_taken_is_one_sentence(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, out, err = gatewise("lab", "model", "--port", str(port), cwd=folder)
    assert (status, out) == (2, "")
    assert err == (
        f"error: Port {port} is taken by another program. Give another one with --port, or "
        "--port 0 for any that is free.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["lab"], "MODEL"),
        (["lab", "nothing"], "nothing does not exist"),
        (["lab", "model", "nothing"], "nothing does not exist"),
        (["lab", "model", "--port", "65536"], "--port must be a whole number from 0 to 65535."),
        (["lab", "model", "--port", "1.5"], "not a whole number"),
        (["lab", "model", "--test", "nothing.csv"], "nothing.csv: there is no such file"),
        (["lab", "model", "--test", "wrong.csv"], "wrong.csv, line 2: the label 'negativ'"),
        (["lab", "model", "--test", "texts.txt", "--text", "a"], "--text is for tables"),
        (["lab", "model", "--precision", "fp8"], "fp8"),
        (["lab", "model", "other", "many"], "many"),
    ],
)
def test_mistakes_are_one_sentence(folder: Path, arguments: list[str], sentence: str) -> None:
    status, out, err = gatewise(*arguments, cwd=folder)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("error:") == 1


def test_a_missing_extra_is_one_sentence(folder: Path) -> None:
    code = (
        "import sys; sys.modules['uvicorn'] = None; sys.argv = ['gatewise', 'lab', 'model']\n"
        "from gatewise.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: The lab needs packages that are not installed. Install them with: "
        "pip install 'gatewise[serve]'\n"
    )
