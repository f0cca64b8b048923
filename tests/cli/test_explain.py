"""`gatewise explain` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gatewise
import language_cases
from command_line import gatewise as run
from explanation_cases import TEXT, made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explain")
    made().save(folder / "model")
    made((0, 1, 2)).save(folder / "numbers")
    language_cases.made().save(folder / "lm")
    return folder


def test_json_is_what_the_library_says(folder: Path) -> None:
    status, out, err = run("explain", "model", TEXT, "--json", cwd=folder)
    assert (status, err) == (0, "")
    assert json.loads(out) == gatewise.explain(gatewise.load(folder / "model"), TEXT).as_json()
    status, out, _ = run("explain", "lm", "the cat", "--json", cwd=folder)
    assert status == 0
    assert json.loads(out)["task"] == "language"


def test_words_page_and_picture(folder: Path) -> None:
    status, out, _ = run("explain", "model", TEXT, cwd=folder)
    assert status == 0
    assert "\x1b" not in out
    assert out.splitlines()[2] == TEXT
    status, out, err = run(
        "explain", "model", TEXT, "--html", "page.html", "--png", "a b.png", cwd=folder
    )
    assert (status, out) == (0, "The page is page.html.\nThe picture is a b.png.\n"), err
    assert (folder / "page.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert (folder / "a b.png").read_bytes().startswith(b"\x89PNG")


def test_a_label_of_a_model_of_numbers_is_named_by_its_digits(folder: Path) -> None:
    status, out, err = run("explain", "numbers", TEXT, "--label", "2", cwd=folder)
    assert status == 0, err
    assert "Score for '2' over" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("model", TEXT, "--label", "good"), "must be one the model gives: negative, positive."),
        (("lm", TEXT, "--label", "good"), "Only a classifier explains a label."),
        (("model", TEXT, "--html", "no/where.html"), "where.html cannot be written: No such file"),
        (("model", "", "--png", "empty.png"), "A text without words has nothing to draw."),
        (("nowhere", TEXT), "nowhere"),
        (("model",), "text"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    folder: Path, arguments: tuple[str, ...], told: str
) -> None:
    status, out, err = run("explain", *arguments, cwd=folder)
    assert status == 2
    assert told.lower() in err.lower()
    assert out == "" or "page" in out


def test_odd_texts_are_texts(folder: Path) -> None:
    for text in ("--help me", "-", "\u202efilm", "a\tb\nc", "", "film " * 900):
        status, _, err = run("explain", "model", text, cwd=folder)
        assert status == 0, err
