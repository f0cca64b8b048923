"""`train seq2seq` and what a text-to-text model is asked, as a user runs them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import gatewise
from gatewise import load
from gatewise.tasks.seq2seq.evaluation import evaluate
from seq2seq_cases import SOURCES, TARGETS, made

PAIRS = [("the dog", "der Hund"), ("a cat", "eine Katze"), ('the "cat"', 'die "Katze"')] * 9
SIZES = ["--embedding-size", "6", "--hidden-size", "8", "--epochs", "2", "--max-vocabulary", "60"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random weights and texts for it."""
    folder = tmp_path_factory.mktemp("seq2seq")
    made().save(folder / "mt")
    (folder / "some.txt").write_text("\n".join(SOURCES), "utf-8")
    pairs = zip(SOURCES, TARGETS, strict=True)
    (folder / "some.tsv").write_text("".join(f"{s}\t{t}\n" for s, t in pairs), "utf-8")
    pairs = zip(SOURCES, TARGETS, strict=True)
    rows = "".join(f'{n},"{t}","{s}"\n' for n, (s, t) in enumerate(pairs))
    (folder / "some.csv").write_text(f"n,de,en\n{rows}", "utf-8")
    return folder


def test_pairs_of_every_form_become_the_same_model(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "p.tsv.gz", "wt", encoding="utf-8") as file:
        file.writelines(f"{source}\t{target}\n" for source, target in PAIRS)
    for side, name in enumerate(("p.en", "p.de")):
        (tmp_path / name).write_text("\n".join(pair[side] for pair in PAIRS), "utf-8")
    rows = [json.dumps({"en": source, "de": target}) for source, target in PAIRS]
    (tmp_path / "p.jsonl").write_text("\n".join(rows), "utf-8")
    told = {}
    for out, given in {
        "a": ["p.tsv.gz"],
        "b": ["p.en", "--target-file", "p.de"],
        "c": ["p.jsonl"],
    }.items():
        status, told[out], err = gatewise(
            "train", "seq2seq", *given, "--out", out, "--quiet", *SIZES, cwd=tmp_path
        )
        assert status == 0, err
    assert err == "columns: texts in 'en', targets in 'de' (the only columns)\n"
    assert "18 pairs to learn from, 9 held out to choose the best epoch" in told["a"]
    assert "\nTheir greedy answers: BLEU " in told["a"]
    assert told["a"].endswith('The model is in a. Try: echo "Some text." | gatewise predict a -\n')
    for name in ("weights.safetensors", "tokenizer.json"):
        assert len({(tmp_path / out / name).read_bytes() for out in told}) == 1
    assert load(tmp_path / "c").report_.columns == ("en", "de")
    status, out, _ = gatewise("info", "a", cwd=tmp_path)
    assert (status, out.partition("\n")[0].startswith("a: a text-to-text model of ")) == (0, True)
    assert "attention            dot" in out
    found = json.loads(gatewise("info", "a", "--json", cwd=tmp_path)[1])
    assert (found["task"], found["training"]["pairs"]) == ("seq2seq", 18)


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    lines = [f"{source}\t{target}" for source, target in PAIRS]
    lines[3] = "no answer\t"
    lines[7] = "word " * 150 + "\tWort"
    (tmp_path / "p.tsv").write_text("\n".join(lines), "utf-8")
    (tmp_path / "dev.tsv").write_text("der Hund\tthe dog\n", "utf-8")
    status, out, err = gatewise(
        *("train", "seq2seq", "p.tsv", "--dev", "dev.tsv", "--test", "dev.tsv", "--out", "mt"),
        *SIZES,
        cwd=tmp_path,
    )
    assert status == 0, err
    assert "warning: 1 pair has an empty side and is left out: row 4.\n" in err
    assert "warning: 1 pair has a text of more than 100 tokens (max_length) and is left " in err
    assert "left out: row 8.\n" in err
    assert "warning: The dev pairs seem to be the other way round" in err
    assert "epoch 2/2  loss " in err
    assert "25 pairs to learn from (2 left out), 1 held out" in out
    assert "\nOn the test pairs of dev.tsv, with a beam of 5: BLEU " in out
    assert "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:" in out


@pytest.mark.filterwarnings("ignore:.*max_tokens")
def test_lines_are_answered_by_lines(folder: Path) -> None:
    model = load(folder / "mt")
    wanted = model.predict(SOURCES, beam=2)
    for given in (["some.txt"], ["-"], ["some.csv", "--text", "en"]):
        stdin = "\n".join(SOURCES) + "\n"
        status, out, _ = gatewise("predict", "mt", *given, "--beam", "2", stdin=stdin, cwd=folder)
        assert (status, out.splitlines()) == (0, wanted)
    best = gatewise("predict", "mt", "-", "--n-best", "3", stdin="a dog\n\nthe cat", cwd=folder)[1]
    rows = [line.split("\t") for line in best.splitlines()]
    answers = model.answer(["a dog", "", "the cat"], n_best=3)
    assert rows == [
        [str(number), f"{one.score:.4f}", one.text]
        for number, each in enumerate(answers, start=1)
        for one in each
    ]
    told = gatewise("predict", "mt", "-", "--json", stdin="a dog\n", cwd=folder)[1]
    (found,) = map(json.loads, told.splitlines())
    (one,) = model.answer(["a dog"])[0]
    assert found == {"text": "a dog", "answers": [one.as_json()]}


def test_an_answer_that_is_cut_is_told_with_the_number_of_its_line(folder: Path) -> None:
    model = load(folder / "mt")
    cut = [one.cut for (one,) in model.answer(["zzz", "a dog"], max_tokens=1)]
    stdin = "\n".join(["zzz", "a dog"] * 800)
    _, out, err = gatewise(
        *("predict", "mt", "-", "--max-tokens", "1", "--beam", "1"), stdin=stdin, cwd=folder
    )
    assert len(out.splitlines()) == 1600
    assert cut == [True, True]
    assert "1,024 answers came to max_tokens without an end and were cut: of text 1, 2, 3, " in err
    assert "576 answers came to max_tokens without an end and were cut: of text 1025, 1026" in err


def test_a_table_is_answered_with_a_table(folder: Path) -> None:
    status, out, _ = gatewise(
        *("predict", "mt", "some.csv", "--text", "en", "--out", "answered.csv"), cwd=folder
    )
    assert (status, out) == (0, "The answers are in answered.csv.\n")
    header, *rows = (folder / "answered.csv").read_text("utf-8").splitlines()
    assert header == "n,de,en,prediction,score"
    (one,) = load(folder / "mt").answer(["A dog!"])[0]
    assert rows[1] in (
        f"1,Ein Hund!,A dog!,{cell},{one.score:.4f}" for cell in (one.text, f'"{one.text}"')
    )


@pytest.mark.filterwarnings("ignore:.*max_tokens")
def test_evaluation_is_that_of_sacrebleu(folder: Path) -> None:
    model = load(folder / "mt")
    wanted = evaluate(model.predict(SOURCES, beam=2), TARGETS)
    for given in (["some.tsv"], ["some.csv", "--text", "en", "--target", "de"]):
        status, out, err = gatewise("evaluate", "mt", *given, "--beam", "2", cwd=folder)
        assert (status, out) == (0, f"{wanted}\n"), err
    found = json.loads(gatewise("evaluate", "mt", "some.tsv", "--json", cwd=folder)[1])
    assert (found["texts"], found["chrf_signature"][:12]) == (5, "chrF|nrefs:1")


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (
            ["train", "seq2seq", "some.txt", "--out", "x"],
            "The lines of some.txt are texts without targets. Give a .tsv of two columns, a table, "
            "or --target-file with a target on every line.",
        ),
        (
            ["train", "seq2seq", "some.csv", "--out", "x"],
            "some.csv: it is not clear which columns hold the texts and their targets. Name them "
            "with --text and --target. It has: 'n', 'de', 'en'.",
        ),
        (
            ["train", "seq2seq", "some.csv", "--text", "em", "--out", "x"],
            "no column 'em'. It has: ",
        ),
        (
            ["train", "seq2seq", "some.txt", "--target-file", "long.txt", "--out", "x"],
            "some.txt has 5 lines, and long.txt has 6 lines: the target has 1 line more.",
        ),
        (
            ["train", "seq2seq", "some.tsv", "--delimiter", ",", "--out", "x"],
            "--delimiter is for tables. The pairs of some.tsv are its lines.",
        ),
        (["train", "seq2seq", "bad.jsonl", "--out", "x"], "bad.jsonl, line 7: "),
        (["predict", "mt", "some.txt", "--out", "x.csv"], "--out needs a table."),
        (
            ["predict", "mt", "new.csv", "--n-best", "2", "--out", "out.csv"],
            "A table has one answer a row: leave --n-best out",
        ),
        (
            ["predict", "mt", "some.txt", "--beam", "2", "--n-best", "3"],
            "--n-best must be at most 'beam', 2. Got 3.",
        ),
        (["predict", "mt", "some.txt", "--beam", "0"], "--beam must be a whole number of at"),
        (["predict", "mt", "some.txt", "--beam", "2.5"], "'2.5' is not a whole number"),
        (
            ["evaluate", "mt", "some.tsv", "--label", "de"],
            "--label is not for mt, which is a text-to-text model. Leave it out.",
        ),
        (
            ["next", "mt", "a"],
            "mt is a text-to-text model: use gatewise predict, evaluate or explain.",
        ),
    ],
)
def test_mistakes_are_one_line(folder: Path, command: list[str], complaint: str) -> None:
    (folder / "long.txt").write_text("x\n" * 6, "utf-8")
    rows = ['{"en": "a", "de": "b"}'] * 6 + ['{"en": "a"}']
    (folder / "bad.jsonl").write_text("\n".join(rows), "utf-8")
    status, out, err = gatewise(*command, cwd=folder)
    assert (status, out) == (2, "")
    assert complaint in err
    assert err.splitlines()[-1].startswith("error: ")
    assert not (folder / "x").exists()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"en": "a", "de": "b",}', "column 23: expecting property name"),
        ('{"en": "a", "de": NaN}', "NaN"),
        ('{"en": "a", "de": {"text": "b"}}', "'de'"),
        ('{"en": "a"}', "'de'"),
        ('[{"en": "a", "de": "b"}]', "array"),
    ],
)
def test_bad_json_lines_are_told_with_line_and_key(
    tmp_path: Path, line: str, complaint: str
) -> None:
    rows = ['{"en": "a", "de": "b"}'] * 6 + [line]
    (tmp_path / "p.jsonl").write_text("\n".join(rows), "utf-8")
    status, _, err = gatewise(
        *("train", "seq2seq", "p.jsonl", "--text", "en", "--target", "de", "--out", "mt"),
        cwd=tmp_path,
    )
    assert status == 2
    assert err.startswith("error: p.jsonl, line 7: ")
    assert complaint in err


def test_answers_come_without_torch(folder: Path) -> None:
    code = "import sys; sys.modules['torch'] = None; from gatewise.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "predict", str(folder / "mt"), str(folder / "some.txt")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.splitlines()) == len(SOURCES)
