"""`compare` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import gatewise

SMALL = ["--embedding-size", "6", "--hidden-size", "5", "--subwords", "50", "--epochs", "2"]
SMALL += ["--threads", "1", "--seeds", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compare")
    rows = [
        f"{word} {other} film {n},{'good' if word in ('fine', 'great') else 'bad'}"
        for n in range(8)
        for word in ("fine", "dull", "great", "poor")
        for other in ("old", "new", "long")
    ]
    (folder / "films.csv").write_text("\n".join(["text,label", *rows]), "utf-8")
    (folder / "test.csv").write_text("\n".join(["text,label", *rows[:10]]), "utf-8")
    (folder / "odd.csv").write_text("text,label\na film,good\na play,fair\n", "utf-8")
    return folder


def test_a_table_and_a_recommendation(folder: Path) -> None:
    status, out, err = gatewise(
        *("compare", "films.csv", "--models", "linear,words,gru", "--png", "p.png", *SMALL),
        cwd=folder,
    )
    assert status == 0, err
    assert "columns: texts in 'text', labels in 'label'" in err
    assert "3/3  GRU             seed 1/1  dev accuracy " in err
    assert "test accuracy" not in err  # nothing shall be chosen by what is shown on the way
    lines = out.splitlines()
    assert lines[0].startswith(
        "69 rows to learn from, 8 dev rows to choose on, 19 test rows; 1 seed"
    )
    assert [line.split()[0] for line in lines[2:6]] == ["model", "linear", "averaged", "GRU"]
    assert lines[3].split()[:4] == ["linear", "model", "100.0", "100.0"]
    assert "Take the linear model: on 19 test rows " in out
    assert out.endswith("The picture is in p.png.\n")
    assert (folder / "p.png").read_bytes().startswith(b"\x89PNG")


def test_figures_for_programs(folder: Path) -> None:
    status, out, err = gatewise(
        *("compare", "films.csv", "--test", "test.csv", "--json", "--quiet", "--depth", "1,2"),
        *SMALL,
        cwd=folder,
    )
    assert status == 0, err
    found = json.loads(out)
    assert found["test_rows"] == 10
    assert [standing["name"] for standing in found["standings"]] == ["lstm-1", "lstm-2"]
    difference = found["standings"][1]["difference"]
    assert difference["low"] <= difference["gain"] <= difference["high"]
    assert found["recommendation"][-1].startswith("Every network had one seed only")
    # Told once, by the command line, and not again by every run.
    assert err.count("10 of 10 test rows (100.0%) are also in train") == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--models", "lstm,cnm"], "'models' must be some of linear, words, cnn"),
        (["--depth", "1,two"], "--depth must be whole numbers joined by commas"),
        (["--cell", "gru"], "The 'cell' option cannot be given"),
        (["--png", "picture.jpg"], "--png must be the name of a .png file. Got 'picture.jpg'"),
        (["--label", "a,b"], "--label must be one column of labels"),
        (["--test", "odd.csv"], "odd.csv, line 3: the label 'fair' is none of those in train"),
        (["--test", "none.csv"], "none.csv: there is no such file"),
        (
            ["--png", "no/such/p.png"],
            "no/such/p.png cannot be written: there is no folder no/such.",
        ),
    ],
)
def test_mistakes_are_told_before_anything_is_trained(
    folder: Path, given: list[str], message: str
) -> None:
    status, out, err = gatewise("compare", "films.csv", *given, *SMALL, cwd=folder)
    assert (status, out) == (2, "")
    assert message in err.splitlines()[-1]
    assert "seed 1/1" not in err
