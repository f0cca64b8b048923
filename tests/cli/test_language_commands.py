"""`train language` and what a language model is asked, as a user runs them."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_line import gatewise
from gatewise import load
from gatewise.data.lines import Lines
from language_cases import TEXTS, end, fixed, made

BOOK = "the cat sat on the mat\r\nand the dog sat too\n\n"
SIZES = ["--embedding-size", "6", "--hidden-size", "8", "--epochs", "2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random weights and texts for it."""
    folder = tmp_path_factory.mktemp("language")
    made(level="char").save(folder / "chars")
    made(documents="apart").save(folder / "words")
    for name in ("some.txt", "other.txt"):
        (folder / name).write_text("\n".join(TEXTS), "utf-8")
    (folder / "some.csv").write_text("id,said\n" + "".join(f'1,"{t}"\n' for t in TEXTS), "utf-8")
    return folder


def test_a_book_becomes_a_model(tmp_path: Path) -> None:
    book = "\ufeff" + BOOK * 150
    with gzip.open(tmp_path / "book.txt.gz", "wt", encoding="utf-8", newline="") as file:
        file.write(book)
    (tmp_path / "test.txt").write_text("the dog sat\n", "utf-8")
    train = ["train", "language", "book.txt.gz", "--out", "lm", "--test", "test.txt", *SIZES]
    status, out, err = gatewise(*train, "--learning-rate", "0.05", cwd=tmp_path)
    assert status == 0, err
    assert "epoch 2/2  loss " in err
    assert "427 texts of 1,995 tokens to learn from" in out
    assert "\nOn the test texts of test.txt: perplexity " in out
    assert out.endswith('The model is in lm. Try: gatewise generate lm "Once upon a time"\n')
    lm = load(tmp_path / "lm")
    assert lm.documents == "joined"
    assert set(lm.tokenizer_.vocabulary[1:]) == set(BOOK.split())
    # Lines from a pipe are the same texts.
    status, _, err = gatewise(
        *("train", "language", "-", "--out", "piped", "--learning-rate", "0.05", *SIZES),
        stdin=book,
        cwd=tmp_path,
    )
    assert status == 0, err
    for name in ("weights.safetensors", "tokenizer.json"):
        files = [(tmp_path / model / name).read_bytes() for model in ("lm", "piped")]
        assert files[0] == files[1]
    status, out, _ = gatewise("info", "lm", cwd=tmp_path)
    assert (status, out.startswith("lm: a language model of 9 known tokens\n")) == (0, True)
    assert "documents            joined" in out
    assert "427 texts of 1,995 tokens" in out
    found = json.loads(gatewise("info", "lm", "--json", cwd=tmp_path)[1])
    assert (found["task"], found["tokens"]) == ("language", 9)
    assert found["training"]["texts"] == 427


def test_a_column_of_a_table_becomes_a_model(tmp_path: Path) -> None:
    rows = [f'{{"n": {n}, "said": {json.dumps(TEXTS[n % 4])}}}' for n in range(40)]
    rows[5] = '{"n": 5, "said": null}'
    (tmp_path / "some.jsonl").write_text("\n".join(rows), "utf-8")
    (tmp_path / "dev.csv").write_text("said\nthe dog\na cat\n", "utf-8")
    status, out, err = gatewise(
        *("train", "language", "some.jsonl", "--dev", "dev.csv", "--out", "lm", *SIZES),
        *("--quiet", "--min-count", "1", "--text", "said"),
        cwd=tmp_path,
    )
    assert status == 0, err
    assert "40 texts of " in out
    assert " 6 tokens held out" in out
    assert err == "note: some.jsonl: 1 null in the column 'said' became an empty text.\n"
    assert load(tmp_path / "lm").documents == "apart"
    again = ["train", "language", "some.jsonl", "--out", "lm", "--documents", "joined", *SIZES]
    status, _, err = gatewise(*again, cwd=tmp_path)
    assert status == 0, err
    assert err.startswith("columns: texts in 'said' (")
    assert load(tmp_path / "lm").documents == "joined"


def test_rejects_of_two_tables_stay_apart(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("text\n" + "the cat\n" * 200 + "the, cat\n", "utf-8")
    train = ["train", "language", "a.csv", "--on-bad-rows", "skip", "--out", "m", *SIZES]
    status, _, err = gatewise(*train, "--test", "b.csv", "--rejects", "r.csv", cwd=tmp_path)
    assert status == 2
    assert "error: The skipped rows of a.csv and b.csv would both go to r.csv." in err
    assert gatewise(*train, "--test", "b.csv", cwd=tmp_path)[0] == 0
    for name in ("a", "b"):
        assert "the, cat" in (tmp_path / f"{name}.rejects.csv").read_text("utf-8")


def test_what_is_generated_is_what_python_generates(folder: Path) -> None:
    for model in ("chars", "words"):
        lm = load(folder / model)
        for flags, choices in (
            (["--max-tokens", "30"], {"max_tokens": 30}),
            (["--temperature", "0.5", "--top-k", "9"], {"temperature": 0.5, "top_k": 9}),
            (["--top-p", "0.7", "--repetition", "1.5"], {"top_p": 0.7, "repetition": 1.5}),
            (["--stop", "a", "--stop", "e"], {"stop": ("a", "e")}),
            (["--threads", "1", "--precision", "fp32"], {}),
        ):
            status, out, err = gatewise("generate", model, "the", "--seed", "5", *flags, cwd=folder)
            assert (status, err) == (0, "")
            assert out == lm.generate("the", seed=5, **choices) + "\n"
    chars = load(folder / "chars")
    without = gatewise("generate", "chars", "--seed", "5", cwd=folder)[1]
    assert without == chars.generate(seed=5) + "\n"
    for given in ("the cat\nsat", "the cat\nsat\n", "\ufeffthe cat\r\nsat"):
        status, out, err = gatewise(
            "generate", "chars", "-", "--seed", "5", stdin=given, cwd=folder
        )
        assert (status, err) == (0, "")
        assert out == chars.generate("the cat\nsat", seed=5) + "\n"


def test_a_text_is_seen_while_it_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gatewise.cli.language import generate
    from gatewise.tasks.language.stream import Stream

    seen: list[str] = []

    def slowly(*_: Any, **__: Any) -> Iterator[str]:
        for piece in (" mat", "\x1b[31m\x9b", "\n\t."):
            seen.append(capsys.readouterr().out)
            yield piece

    monkeypatch.setattr(Stream, "generate", slowly)
    generate(str(folder / "words"), "the")
    # What could steer a terminal is escaped, and line breaks and tabs are not.
    assert seen == ["the", " mat", "\\x1b[31m\\x9b"]
    assert capsys.readouterr().out == "\n\t.\n"


def test_next_tokens_are_lines_or_json(folder: Path) -> None:
    lm = load(folder / "words")
    status, out, err = gatewise("next", "words", "the cat", "-k", "3", cwd=folder)
    assert (status, err) == (0, "")
    assert out == "".join(f"{token}\t{p:.4f}\n" for token, p in lm.next("the cat", k=3))
    assert len(gatewise("next", "words", "the", cwd=folder)[1].splitlines()) == 5
    found = json.loads(gatewise("next", "words", "the", "--json", cwd=folder)[1])
    assert found["text"] == "the"
    assert [(one["token"], one["probability"]) for one in found["next"]] == [
        (token, round(p, 6)) for token, p in lm.next("the")
    ]


def test_spaces_and_controls_are_visible_among_the_next_tokens(tmp_path: Path) -> None:
    scores = {" ": 5.0, "\x1b": 4.0, "a": 3.0, "<end>": 2.0}
    fixed(scores, level="char", texts=["a \x1b"]).save(tmp_path / "lm")
    _, out, _ = gatewise("next", "lm", "", "-k", "4", cwd=tmp_path)
    assert [line.split("\t")[0] for line in out.splitlines()] == ["␣", "\\x1b", "a", "<end>"]
    _, out, _ = gatewise("next", "lm", "", "--json", cwd=tmp_path)
    assert [one["token"] for one in json.loads(out)["next"]] == [" ", "\x1b", "a", "<end>"]


@pytest.mark.parametrize("source", ["-", "some.txt", "some.csv"])
def test_scores_are_a_line_a_text(folder: Path, source: str) -> None:
    stdin = "\n".join(TEXTS)
    column = ["--text", "said"] if source.endswith("csv") else []
    wanted = load(folder / "words").score(TEXTS)
    status, out, err = gatewise("score", "words", source, *column, stdin=stdin, cwd=folder)
    assert (status, err) == (0, "")
    assert out == "".join(
        f"{one.log_probability:.4f}\t{one.perplexity:.4f}\t{one.text}\n" for one in wanted
    )
    _, out, _ = gatewise("score", "words", source, *column, "--json", stdin=stdin, cwd=folder)
    for line, one in zip(out.splitlines(), wanted, strict=True):
        found = json.loads(line)
        assert found["text"] == one.text
        assert found["log_probability"] == one.log_probability
        assert [tuple(pair) for pair in found["tokens"]] == list(one.tokens)


def test_a_text_is_one_line_of_scores_whatever_it_holds(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text('text\n"a\tb\nc\x1b"\n', "utf-8")
    status, out, _ = gatewise("score", str(folder / "words"), "odd.csv", cwd=tmp_path)
    assert (status, len(out.splitlines())) == (0, 1)
    assert out.endswith("\ta\\tb\\nc\\x1b\n")


def test_a_text_is_not_held_out_from_itself(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text(BOOK * 20, "utf-8")
    train = ["train", "language", "book.txt", "--out", "lm", "--dev", "./book.txt"]
    status, _, err = gatewise(*train, cwd=tmp_path)
    assert status == 2
    assert err == (
        "error: --dev must be another file than the one that is learned from. Got ./book.txt for "
        "both: leave --dev out, and the last part is held out.\n"
    )


def test_texts_with_unknown_tokens_are_told(folder: Path) -> None:
    status, out, err = gatewise("score", "words", "-", stdin="xyzzy\n\nthe\n", cwd=folder)
    assert (status, len(out.splitlines())) == (0, 3)
    assert err.startswith("warning: 1 of the texts hold tokens that the model does not know")
    _, out, _ = gatewise("score", "words", "-", "--json", stdin="the xyzzy plugh\n", cwd=folder)
    assert json.loads(out)["unknown"] == 2


def test_no_lines_have_no_scores(folder: Path) -> None:
    assert gatewise("score", "words", "-", cwd=folder) == (0, "", "")


@pytest.mark.parametrize("model", ["words", "chars"])
def test_perplexity_is_what_python_computes(folder: Path, model: str) -> None:
    lm = load(folder / model)
    for flags, choices in (
        ([], {}),
        (["--cache", "9"], {"cache": 9}),
        (["--documents", "joined"], {"documents": "joined"}),
        (["--documents", "apart"], {"documents": "apart"}),
    ):
        wanted = lm.evaluate(Lines(folder / "some.txt"), **choices)
        asked = ["perplexity", model, "some.txt", *flags]
        assert gatewise(*asked, cwd=folder) == (0, f"{wanted}\n", "")
        found = json.loads(gatewise(*asked, "--json", cwd=folder)[1])
        assert found == wanted.as_json()
        assert found["word_perplexity"] == wanted.word_perplexity
    status, out, err = gatewise("perplexity", model, "some.csv", "--text", "said", cwd=folder)
    assert (status, out, err) == (0, f"{lm.evaluate(TEXTS)}\n", "")


def test_what_is_infinite_is_null_in_json(tmp_path: Path) -> None:
    lm = made(level="char")
    lm.weights_["output.bias"][end(lm)] = 1e6
    lm.save(tmp_path / "lm")
    for verb in ("score", "perplexity"):
        status, out, _ = gatewise(verb, "lm", "-", "--json", stdin="the cat\n", cwd=tmp_path)
        assert status == 0
        assert json.loads(out, parse_constant=pytest.fail)["perplexity"] is None


@pytest.mark.parametrize("where", ["fit", "evaluate"])
def test_an_interruption_says_what_was_saved(
    where: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gatewise import LanguageModel
    from gatewise.cli import main

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys.stdout, "reconfigure", lambda **_: None, raising=False)
    monkeypatch.setattr(LanguageModel, where, interrupt)
    out = f"interrupted-{where}"
    train = ["train", "language", "some.txt", "--test", "other.txt", "--out", out, *SIZES]
    monkeypatch.setattr(sys, "argv", ["gatewise", *train])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 130
    told = "nothing was saved" if where == "fit" else f"the model is in {out}, not tested"
    assert capsys.readouterr().err.splitlines()[-1] == f"interrupted: {told}"
    assert (folder / out).exists() == (where == "evaluate")
