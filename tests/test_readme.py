"""What the README and the docs say can be typed, runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gatewise.data.tables import open_table
from pages import blocks

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LESSONS = sorted((ROOT / "docs" / "lessons").glob("*.md"))  # test_lessons.py runs their code


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the README's reader stands: a folder with reviews and, after a while, a model."""
    folder = tmp_path_factory.mktemp("readme")
    pairs = (f"{n} men walk\t{n} Männer gehen\n" for n in ("two", "three", "four", "many"))
    (folder / "pairs.tsv").write_text("".join(pairs) * 10, "utf-8")
    names = ("Anna", "Bo", "Eve", "Ida", "Joe", "Kim", "Lee", "Max", "Ole", "Pia")
    spans = (f"{name}\tB-PER\nsings\tO\nhere\tO\n\n" for name in names)
    (folder / "train.conll").write_text("".join(spans), "utf-8")
    rest = "\t_" * 6
    (folder / "train.conllu").write_text(
        "".join(
            f"1\t{name}\t_\tPROPN{rest}\n2\tsings\t_\tVERB{rest}\n3\there\t_\tADV{rest}\n\n"
            for name in names
        ),
        "utf-8",
    )
    (folder / "glove.txt").write_text("anna 1 2 3\nsings 3 2 1\nhere 2 2 2\n", "utf-8")
    (folder / "sentences.txt").write_text("Anna sings in Oslo.\n", "utf-8")
    for command in (
        ["sample", "reviews.csv"],
        ["train", "classify", "reviews.csv", "--out", "model", "--epochs", "1", "--quiet"],
        ["train", "language", "reviews.csv", "--out", "lm", "--epochs", "1", "--quiet"],
        ["train", "seq2seq", "pairs.tsv", "--out", "mt", "--epochs", "1", "--quiet"],
        ["train", "tag", "train.conllu", "--tag-column", "upos", "--out", "tagger", "--quiet"],
    ):
        subprocess.run([sys.executable, "-m", "gatewise", *command], cwd=folder, check=True)
    reviews = open_table(folder / "reviews.csv").read(["text"])["text"]
    (folder / "book.txt").write_text("\n".join(reviews), "utf-8")
    (folder / "test.csv").write_text((folder / "reviews.csv").read_text("utf-8"), "utf-8")
    (folder / "new.csv").write_text("text\nA film to forget.\n", "utf-8")
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_snippets_run(page: Path, folder: Path) -> None:
    for block in blocks(page, "python"):
        subprocess.run([sys.executable, "-W", "error", "-c", block.text], cwd=folder, check=True)


def test_the_commands_of_the_readme_run(folder: Path) -> None:
    ran = 0
    for block in blocks(ROOT / "README.md", ""):
        for line in block.text.splitlines():
            command = line.partition("#")[0].strip()
            if "gatewise" not in command or command.startswith(
                ("gatewise sample", "gatewise train")
            ):
                continue
            command = command.replace("gatewise", f"{sys.executable} -m gatewise")
            subprocess.run(["bash", "-c", command], cwd=folder, check=True, capture_output=True)
            ran += 1
    assert ran >= 8


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in (*PAGES, *LESSONS):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_sample_data_is_what_the_readme_says() -> None:
    from gatewise.samples import reviews

    with reviews() as path:
        columns = open_table(path).read(["text", "label"])
    assert len(columns["text"]) >= 800
    assert len(set(columns["text"])) == len(columns["text"])
    assert set(columns["label"]) == {"positive", "negative"}
    sorted_words: dict[tuple[str, ...], str] = {}
    pairs = 0
    for text, label in zip(columns["text"], columns["label"], strict=True):
        words = tuple(sorted(re.findall(r"\w+", text.lower())))
        pairs += sorted_words.setdefault(words, label) != label
    assert pairs >= 60


def test_the_example_answers_without_torch(folder: Path) -> None:
    example = ROOT / "examples" / "answer.py"
    done = subprocess.run(
        [sys.executable, str(example), "model"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.endswith("PyTorch was not loaded.\n")
    assert len(done.stdout.splitlines()) == 8


def test_the_desk_of_the_museum_remembers_what_was_said(tmp_path: Path) -> None:
    said = ["How much is a ticket for adults?", "And for children?", "", "Where is the lift?"]
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / "chat.py"), "desk"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        input="\n".join(said),
    )
    assert done.stdout.splitlines() == [
        "> How much is a ticket for adults?",
        "A ticket for adults costs twelve euros.",
        "> And for children?",
        "Children under twelve come in free.",
        "",
        "> Where is the lift?",
        "The lift is behind the stairs.",
    ]
