"""What all verbs have in common: streams, mistakes, help."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import SMALL, gatewise, sample_model
from language_cases import made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = sample_model(tmp_path_factory.mktemp("cli"))
    made().save(folder / "lm")
    (folder / "lines.txt").write_text("a line\n" * 100, "utf-8")
    (folder / "latin.txt").write_bytes(b"coffee\ncaf\xe9\n")
    (folder / "bad.csv").write_text("text\nA film.\nA film, too.\n", "utf-8")
    return folder


def test_pipes_are_utf_8_whatever_the_terminal_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = subprocess.run(
        [sys.executable, "-m", "gatewise", "predict", "model", "-", "--json"],
        input="café 中\n".encode(),
        capture_output=True,
        cwd=folder,
        check=True,
    )
    assert json.loads(done.stdout.decode("utf-8"))["text"] == "café 中"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line(folder: Path) -> None:
    for verb in (["predict", "model", "reviews.csv"], ["info", "model"]):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "gatewise", *verb],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                cwd=folder,
                check=False,
            )
        assert done.returncode == 2
        assert done.stderr == "error: Reading or writing failed: No space left on device.\n"


@pytest.mark.parametrize(
    ("package", "command", "what"),
    [
        ("matplotlib", "train classify reviews.csv --out new", "Drawing"),
        ("matplotlib", "compare reviews.csv --png p.png", "Drawing"),
        ("matplotlib", "explain model film --png p.png", "Drawing"),
        ("matplotlib", "memory --png p.png", "Drawing"),
        ("sklearn", "train classify reviews.csv --out new", "The linear model"),
        ("sklearn", "compare reviews.csv", "The linear model"),
        ("sacrebleu", "train seq2seq pairs.tsv --out new", "Evaluating answers"),
        ("torch", "train classify reviews.csv --out new", "Training"),
        ("torch", "compare reviews.csv", "Comparing"),
        ("torch", "memory", "Measuring memory"),
    ],
)
def test_a_package_that_will_be_needed_is_missed_before_the_work(
    folder: Path, package: str, command: str, what: str
) -> None:
    (folder / "pairs.tsv").write_text("a\tb\n" * 20, "utf-8")
    run = f"import sys; sys.modules[{package!r}] = None; from gatewise.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", run, *command.split()],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    told = f"error: {what} needs packages that are not installed. Install them with: pip install"
    assert done.stderr.splitlines()[-1] == f"{told} 'gatewise[train]'"
    assert (done.returncode, done.stdout) == (2, "")
    assert "epoch" not in done.stderr
    assert not (folder / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explain", "model", "film", "--png", "p.jpg"], "--png must be the name of a .png file"),
        (["memory", "--png", "p.pdf"], "--png must be the name of a .png file. Got 'p.pdf'."),
        (["predict", "model", "-", "--n-best", "3"], "--n-best is not for model, which is a text"),
        (["predict", "nowhere", "-"], "nowhere does not exist"),
        (["train", "classify", "missing.csv", "--out", "m"], "missing.csv"),
        (["train", "classify", "reviews.csv"], "--out"),
        (["train", "classify", "reviews.csv", "--out", "m", "--cel", "gru"], "--cel"),
        (["train", "classify", "reviews.csv", "--out", "m", "--cell", "lsmt"], "lsmt"),
        (["train", "classify", "reviews.csv", "--out", "m", "--hidden-size", "0"], "at least 1"),
        (["train", "classify", "reviews.csv", "--out", "m", "--text", "txet"], "txet"),
        (["train", "classify", "no.csv", "--out", "reviews.csv/a/m"], "reviews.csv is a file"),
        (["train", "classify", "reviews.csv", "--out", "m", "--epochs", "1.5"], "not a whole"),
        (["train", "classify", "reviews.csv", "--out", "m", "--batch-tokens", ".5"], "not a whole"),
        (["predict", "model", "reviews.csv", "--max-chars", "9.9"], "not a whole"),
        (["train", "classify", "reviews.csv", "--out", ".", *SMALL], "holds other files"),
        (["train", "classify", "reviews.csv", "--out", "m", "--class-weight", "x"], "spam=5"),
        (["train", "classify", "reviews.csv", "--out", "m", "--labels", "spam"], "'spam,ham'"),
        (
            ["train", "classify", "reviews.csv", "--out", "m", "--labels", "a,b"],
            "line 2: the label",
        ),
        (["train", "classify", "reviews.csv", "--out", "m", "--max-chars", "0"], "at least 1"),
        (["train", "classify", "reviews.csv", "--out", "m", "--weight", "wieght"], "wieght"),
        (["evaluate", "model", "reviews.csv", "--label", "text"], "cannot both be in"),
        (["predict", "model", "reviews.csv", "--text", "no", "--out", "m.csv"], "no column 'no'"),
        (["predict", "model", "-", "--out", "x.csv"], "--out needs a table"),
        (
            ["train", "classify", "reviews.csv", "--out", "m", "--learning-rate", "0"],
            "error: --learning-rate must be a number above 0. Got 0.0.",
        ),
        (
            ["train", "classify", "reviews.csv", "--out", "m", "--batch-size", "0"],
            "error: --batch-size must be a whole number of at least 1. Got 0.",
        ),
        (
            ["train", "classify", "reviews.csv", "--out", "m", "--hidden-size", "0"],
            "error: --hidden-size must be a whole number of at least 1. Got 0.",
        ),
        (["predict", "model", "-", "--precision", "fp8"], "fp8"),
        (
            ["train", "classify", "reviews.csv", "--out", "m", "--threads", "0"],
            "error: --threads must be a whole number of at least 1. Got 0.",
        ),
        (
            ["predict", "model", "-", "--threads", "0"],
            "error: --threads must be a whole number of at least 1. Got 0.",
        ),
        (
            ["evaluate", "model", "reviews.csv", "--threads", "-2"],
            "error: --threads must be a whole number of at least 1. Got -2.",
        ),
        (["predict", "model", "-", "--threads", "1.5"], "not a whole"),
        (["sample", "reviews.csv"], "exists already"),
        (["sample", "reviews.jsonl"], "must end in .csv"),
        (["sample", "m"], "must end in .csv"),
        (["frobnicate"], "frobnicate"),
        (["predict", "lm", "-"], "lm is a language model: use gatewise generate, next, score,"),
        (["evaluate", "lm", "reviews.csv"], "next, score, perplexity or explain."),
        (
            ["generate", "model"],
            "model is a text classifier: use gatewise predict, evaluate or explain.",
        ),
        (
            ["next", "model", "a"],
            "model is a text classifier: use gatewise predict, evaluate or explain.",
        ),
        (["score", "model", "-"], "model is a text classifier"),
        (["perplexity", "model", "-"], "model is a text classifier"),
        (["generate", "nowhere"], "nowhere does not exist"),
        (
            ["generate", "lm", "--top-p", "0"],
            "error: --top-p must be a number of at most 1 and above 0. Got 0.0.",
        ),
        (["generate", "lm", "--max-tokens", "1.5"], "not a whole"),
        (
            ["generate", "lm", "--stop", ""],
            "error: --stop must hold no empty text, before which every text would stop. Got ''.",
        ),
        (["next", "lm", "a", "-k", "0"], "k must be a whole number of at least 1. Got 0."),
        (["next", "lm", "a", "-k", "1.5"], "not a whole"),
        (["perplexity", "lm", "-"], "standard input: the file is empty."),
        (["perplexity", "lm", "no.txt"], "no.txt: there is no such file."),
        (["perplexity", "lm", "reviews.csv", "--text", "txet"], "Did you mean 'text'?"),
        (["perplexity", "lm", "reviews.csv", "--cache", "-1"], "cache must be a whole number"),
        (["perplexity", "lm", "reviews.csv", "--cache", "0.5"], "not a whole"),
        (["perplexity", "lm", "reviews.csv", "--documents", "both"], '"joined", "apart"'),
        (
            ["score", "lm", "lines.txt", "--text", "text"],
            "--text is for tables. The texts of lines.txt are its lines.",
        ),
        (["train", "language", "lines.txt"], "--out"),
        (["train", "language", "no.txt", "--out", "m"], "no.txt: there is no such file."),
        (["train", "language", "lines.txt", "--out", "."], "holds other files"),
        (["train", "language", "lines.txt", "--out", "reviews.csv/a/m"], "reviews.csv is a file"),
        (["train", "language", "lines.txt", "--out", "m", "--dev", "no.txt"], "no.txt"),
        (["train", "language", "lines.txt", "--out", "m", "--docments", "apart"], "--documents"),
        (
            ["train", "language", "lines.txt", "--out", "m", "--delimiter", ";"],
            "--delimiter is for tables. The texts of lines.txt are its lines.",
        ),
        (
            ["train", "language", "lines.txt", "--out", "m", "--bptt", "0"],
            "error: --bptt must be a whole number of at least 1. Got 0.",
        ),
        (
            ["train", "language", "latin.txt", "--out", "m"],
            "error: latin.txt, line 2: the byte 0xE9 at column 4 is not UTF-8.",
        ),
        (
            ["train", "language", "lines.txt", "--test", "latin.txt", "--out", "m"],
            "error: latin.txt, line 2: the byte 0xE9 at column 4 is not UTF-8.",
        ),
        (["train", "language", "bad.csv", "--out", "m"], "bad.csv, line 3: 2 fields, but the"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    arguments: list[str], message: str, folder: Path
) -> None:
    status, out, err = gatewise(*arguments, cwd=folder)
    last = err.strip().splitlines()[-1]
    assert (status, out) == (2, "")
    assert last.startswith("error: ")
    assert message in last
    assert not list(folder.glob("m"))
    assert not list(folder.glob("*.tmp"))
    assert not (folder / "m.csv").exists()


def test_help_is_there_for_every_verb(folder: Path) -> None:
    asked = (["generate"], ["next"], ["score"], ["perplexity"])
    others = (["train", "language"], ["predict"], ["evaluate"], ["info"], ["sample"])
    for verb in (["train", "classify"], *asked, *others):
        status, out, _ = gatewise(*verb, "--help")
        assert (status, "Usage: gatewise" in out) == (0, True)
    _, out, _ = gatewise("train", "classify", "--help")
    assert "--hidden-size" in out
    assert "--learning-rate" in out
    assert "--on-bad-rows" in out
    _, out, _ = gatewise("train", "language", "--help")
    assert "--bptt" in out
    assert "--documents" in out
    for verb in (["train", "classify"], ["predict"], ["evaluate"], *asked):
        _, out, _ = gatewise(*verb, "--help")
        assert "--threads" in out
        assert "--precision" in out
