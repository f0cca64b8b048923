"""`train tag` and what a tagger is asked, as a user runs them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from command_line import gatewise
from gatewise import load
from gatewise.text.spans import spans_of, write
from tagger_cases import NEW, TAGS, TOKENS, made

SIZES = ["--embedding-size", "6", "--hidden-size", "5", "--character-units", "3"]
QUICK = ["--epochs", "2", "--threads", "1"]
TEXT = "Anna Lee, not Bo, lives in Oslo!\n\nZoë's <b>home</b> is ½ a\tday away.\n"


def conll(tokens: list[list[str]], tags: list[list[str]]) -> str:
    sentences = (
        "".join(f"{token}\t{tag}\n" for token, tag in zip(*sentence, strict=True))
        for sentence in zip(tokens, tags, strict=True)
    )
    return "\n".join(sentences)


def conllu(tokens: list[list[str]], tags: list[list[str]]) -> str:
    rows = []
    for words, named in zip(tokens, tags, strict=True):
        rows += ["# a comment", "1-2\tboth" + "\t_" * 8]
        pairs = enumerate(zip(words, named, strict=True), start=1)
        rows += [f"{n}\t{word}\t_\t{tag}" + "\t_" * 6 for n, (word, tag) in pairs]
        rows += [f"{len(words)}.1\tgone" + "\t_" * 8, ""]
    return "\n".join(rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger of spans whose weights are random, and files for it."""
    folder = tmp_path_factory.mktemp("tag")
    made().save(folder / "ner")
    (folder / "some.conll").write_text(conll(TOKENS, TAGS), "utf-8")
    (folder / "some.conllu").write_text(conllu(TOKENS, TAGS), "utf-8")
    (folder / "some.txt").write_text(TEXT, "utf-8")
    return folder


def test_files_of_every_form_become_the_same_tagger(tmp_path: Path) -> None:
    tokens, tags = TOKENS * 5, TAGS * 5
    (tmp_path / "a.conll").write_text(conll(tokens, tags), "utf-8")
    with gzip.open(tmp_path / "b.conllu.gz", "wt", encoding="utf-8") as file:
        file.write(conllu(tokens, tags))
    as_iob1 = [write(spans_of(each), len(each), "iob1") for each in tags]
    (tmp_path / "c.conll").write_text(
        conll(
            [[f"{at} {word}" for at, word in enumerate(words)] for words in tokens], as_iob1
        ).replace(" ", "\t"),
        "utf-8",
    )
    (tmp_path / "dev.conll").write_text(conll(TOKENS[:2], TAGS[:2]), "utf-8")
    told = {}
    for out, given, scheme in (
        ("a", ["a.conll", "--dev", "dev.conll", "--test", "dev.conll"], "bio"),
        ("b", ["b.conllu.gz", "--tag-column", "upos"], "bio"),
        ("c", ["c.conll", "--token-column", "2", "--tag-column", "3"], "iob1"),
    ):
        dev = [] if out == "a" else ["--dev-share", "0"]
        status, told[out], err = gatewise(
            "train", "tag", *given, *dev, "--out", out, *SIZES, *QUICK, cwd=tmp_path
        )
        assert status == 0, err
        assert f"spans as {scheme}\n" in err
        assert "warning: 20 of 25 texts" in err
    assert "2 of 9 to choose the best epoch" in told["a"]
    assert "\nOn the test sentences of dev.conll:\n\nspan " in told["a"]
    assert told["a"].endswith('Try: echo "A plain sentence." | gatewise predict a -\n')
    for name in ("weights.safetensors", "tokenizer.json", "labels.json"):
        assert (tmp_path / "b" / name).read_bytes() == (tmp_path / "c" / name).read_bytes()
    assert load(tmp_path / "b").report_.tag_column == "upos"
    # The column that it was trained on is that of an evaluation.
    (tmp_path / "some.conllu").write_text(conllu(TOKENS, TAGS), "utf-8")
    status, out, err = gatewise("evaluate", "b", "some.conllu", "--json", cwd=tmp_path)
    assert status == 0, err
    assert json.loads(out)["tokens"] == 22


def test_plain_sentences_are_split_and_tagged(folder: Path) -> None:
    model = load(folder / "ner")
    sentences = model.tokenize(TEXT.splitlines())
    assert sentences[2] == ["Zoë", "'s", "home", "is", "½", "a", "day", "away", "."]
    wanted = [
        "".join(f"{token}\t{tag}\n" for token, tag in zip(tokens, tags, strict=True))
        for tokens, tags in zip(sentences, model.predict(sentences), strict=True)
    ]
    for source, stdin in (("some.txt", ""), ("-", TEXT), ("-", "\ufeff" + TEXT)):
        status, out, err = gatewise("predict", "ner", source, stdin=stdin, cwd=folder)
        assert (status, err) == (0, "")
        assert out == "".join(f"{sentence}\n" for sentence in wanted)
    _, out, _ = gatewise("predict", "ner", "-", "--json", stdin=TEXT, cwd=folder)
    found = [json.loads(line) for line in out.splitlines()]
    assert [each["text"] for each in found] == TEXT.splitlines()
    spans = 0
    for each, answer in zip(found, model.answer(sentences), strict=True):
        assert (each["tokens"], each["tags"]) == (answer.tokens, answer.tags)
        for span, whole in zip(each["spans"], answer.spans, strict=True):
            assert (span["start"], span["stop"], span["type"]) == whole
            assert each["text"][slice(*span["characters"])] == span["text"]
            assert span["text"].startswith(span["tokens"][0])
            assert span["text"].endswith(span["tokens"][-1])
            spans += 1
    assert spans > 3


def test_the_likeliest_taggings_stand_below_each_other(folder: Path) -> None:
    model = load(folder / "ner")
    texts = ["Anna Lee lives in Oslo", "", "Bo"]
    wanted = model.n_best(model.tokenize(texts), 3)
    given = ["predict", "ner", "-", "--n-best", "3"]
    status, out, err = gatewise(*given, stdin="\n".join(texts), cwd=folder)
    assert (status, err) == (0, "")
    lines = [
        f"{number}\t{p:.4f}\t" + " ".join(map("/".join, zip(text.split(), tags, strict=True)))
        for number, (text, found) in enumerate(zip(texts, wanted, strict=True), start=1)
        for tags, p in found
    ]
    assert out.splitlines() == lines
    assert lines[0].startswith("1\t-")
    assert lines[3] == "2\t0.0000\t"
    _, out, _ = gatewise(*given, "--json", stdin="\n".join(texts), cwd=folder)
    for line, text, found in zip(out.splitlines(), texts, wanted, strict=True):
        told = json.loads(line)
        assert (told["text"], told["tokens"]) == (text, text.split())
        assert [answer["tags"] for answer in told["answers"]] == [tags for tags, _ in found]
        for answer, (_, p) in zip(told["answers"], found, strict=True):
            assert answer["log_probability"] == pytest.approx(p, abs=1e-6)
    _, out, _ = gatewise("predict", "ner", "some.conll", "--n-best", "2", "--json", cwd=folder)
    assert json.loads(out.splitlines()[0]).keys() == {"tokens", "answers"}


def test_answers_are_written_to_a_file_as_they_are_printed(folder: Path) -> None:
    for name, how in (
        ("new.conll", []),
        ("new.jsonl", ["--json"]),
        ("new.txt", ["--n-best", "2"]),
    ):
        printed = gatewise("predict", "ner", "some.conll", *how, cwd=folder)[1]
        status, out, err = gatewise("predict", "ner", "some.conll", "--out", name, *how, cwd=folder)
        assert (status, out, err) == (0, f"The answers are in {name}.\n", "")
        assert (folder / name).read_text("utf-8") == printed


def test_tokens_of_files_are_tagged_as_they_stand(folder: Path) -> None:
    model = load(folder / "ner")
    wanted = [*zip(TOKENS, model.predict(TOKENS), strict=True)]
    plain = conll(*map(list, zip(*wanted, strict=True))) + "\n"
    content = (folder / "some.conllu").read_text("utf-8")
    for given, stdin in (
        (["some.conll"], ""),
        (["some.conllu"], ""),
        (["-", "--format", "conllu"], content),
        (["some.conllu", "--token-column", "form"], ""),
        (["-", "--format", "conll", "--token-column", "1"], conll(TOKENS, TAGS)),
    ):
        status, out, err = gatewise("predict", "ner", *given, stdin=stdin, cwd=folder)
        assert (status, err, out) == (0, "", plain)
    _, out, _ = gatewise("predict", "ner", "some.conll", "--json", cwd=folder)
    assert [json.loads(line)["tags"] for line in out.splitlines()] == [tags for _, tags in wanted]


def test_figures_are_those_of_the_tagger(folder: Path) -> None:
    model = load(folder / "ner")
    figures = model.evaluate(TOKENS, TAGS)
    for given in (["some.conll"], ["some.conllu", "--tag-column", "4"]):
        status, out, err = gatewise("evaluate", "ner", *given, cwd=folder)
        assert (status, err, out) == (0, "", f"{figures}\n")
    status, out, _ = gatewise("evaluate", "ner", "some.conll", "--json", cwd=folder)
    found = json.loads(out)
    assert found["accuracy"] == figures.accuracy
    assert found["spans"][-1]["f1"] == figures.score
    status, out, _ = gatewise("info", "ner", cwd=folder)
    assert out.startswith("ner: a tagger with 7 tags\n")
    found = json.loads(gatewise("info", "ner", "--json", cwd=folder)[1])
    assert (found["task"], found["labels"]) == ("tag", list(model.labels_))


def test_broken_spans_are_refused_with_their_line_or_mended(tmp_path: Path) -> None:
    tags = [["B-PER", "I-PER", "O", "O", "I-LOC"], *TAGS[1:]]
    (tmp_path / "a.conll").write_text(conll(TOKENS * 2, [*tags, *TAGS]), "utf-8")
    command = ("train", "tag", "a.conll", "--out", "ner", *SIZES, *QUICK)
    status, _, err = gatewise(*command, cwd=tmp_path)
    assert status == 2
    assert err.endswith(
        "error: a.conll, line 5: 'I-LOC' stands behind 'O'. Mend the tags, or add --repair-bio.\n"
    )
    assert not (tmp_path / "ner").exists()
    status, _, err = gatewise(*command, "--repair-bio", cwd=tmp_path)
    assert status == 0, err
    assert "note: a.conll: 1 tag mended.\n" in err
    assert load(tmp_path / "ner").labels_ == made().labels_
    status, _, err = gatewise("evaluate", "ner", "a.conll", cwd=tmp_path)
    assert (status, "a.conll, line 5: 'I-LOC'" in err) == (2, True)
    status, _, err = gatewise("evaluate", "ner", "a.conll", "--repair-bio", cwd=tmp_path)
    assert (status, err) == (0, "note: a.conll: 1 tag mended.\n")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.conll", "a\tO\nb c\n", "a.conll, line 2: 1 column where the lines before have 2"),
        ("a.conll", "a\tO\n\tO\n", "a.conll, line 2: an empty token."),
        ("a.conll", "", "a.conll: the file is empty."),
        ("a.conll", "\n\n", "a.conll holds no sentences."),
        ("a.conll", "a O\n" * 10_001, "a.conll, line 1: a sentence of more than 10,000 tokens"),
        ("a.conll", "a\tB-x\nb\tB-PRE\nc\tI-x\n", "a.conll, line 3: 'I-x' stands behind 'B-PRE'."),
        ("a.conllu", "a\tO\n", "a.conllu, line 1: 2 columns, and CoNLL-U has 10"),
        ("a.csv", "text,label\na,b\n", "a.csv is a table (.csv). A tagger takes CoNLL,"),
    ],
)
def test_bad_files_are_told_with_their_line(
    tmp_path: Path, name: str, content: str, told: str
) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    status, out, err = gatewise("train", "tag", name, "--out", "x", cwd=tmp_path)
    assert (status, out) == (2, "")
    assert err.splitlines()[-1].startswith(f"error: {told}"), err


def test_a_tag_that_looks_like_a_typo_is_told(tmp_path: Path) -> None:
    tokens = [[f"w{row}", "x"] for row in range(40)]
    tags = [["B-PER", "O"]] * 39 + [["B-PEE", "O"]]
    (tmp_path / "a.conll").write_text(conll(tokens, tags), "utf-8")
    status, _, err = gatewise("train", "tag", "a.conll", "--out", "x", *SIZES, *QUICK, cwd=tmp_path)
    assert status == 0
    assert "warning: The label 'B-PEE' (1) looks like a typo of 'B-PER' (39)." in err


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["predict", "ner", "-", "--text", "x"], "--text is not for ner, which is a tagger."),
        (["predict", "ner", "-", "--beam", "3"], "--beam is not for ner, which is a tagger."),
        (["predict", "ner", "-", "--n-best", "0"], "--n-best must be at least 1. Got 0."),
        (
            ["predict", "ner", "-", "--out", "x.csv"],
            "What a tagger says is CoNLL, or JSON lines with",
        ),
        (
            ["predict", "ner", "-", "--out", "x.jsonl"],
            "What a tagger says is CoNLL, or JSON lines with",
        ),
        (["predict", "ner", "some.conll", "--out", "some.conll"], "some.conll is the file to ans"),
        (["predict", "ner", "some.csv"], "some.csv is a table (.csv)."),
        (["predict", "ner", "nowhere.txt"], "nowhere.txt: there is no such file."),
        (["predict", "ner", "some.conll", "--token-column", "7"], "has no column '7'."),
        (["evaluate", "ner", "some.conllu"], "some.conllu: CoNLL-U has several columns of tags."),
        (["evaluate", "ner", "some.conll", "--label", "x"], "--label is not for ner"),
        (["predict", "ner", "-", "--format", "csv"], '"csv"'),
    ],
)
def test_what_a_tagger_is_not_asked(folder: Path, command: list[str], told: str) -> None:
    status, out, err = gatewise(*command, cwd=folder)
    assert (status, out) == (2, "")
    assert told in err


def test_tokens_with_tags_are_not_taken_for_sentences(folder: Path) -> None:
    told = "end in tags, as those of CoNLL do, and are not sentences. Add --format conll, or"
    text = (folder / "some.conll").read_text("utf-8")
    (folder / "tokens.txt").write_text(text.replace("\t", " "), "utf-8")
    for source, stdin, name in (("-", text, "standard input"), ("tokens.txt", "", "tokens.txt")):
        status, out, err = gatewise("predict", "ner", source, stdin=stdin, cwd=folder)
        assert (status, out) == (2, "")
        assert f"The lines of {name} {told}" in err
        for form in ("conll", "text"):
            given = ("predict", "ner", source, "--format", form)
            assert gatewise(*given, stdin=stdin, cwd=folder)[0] == 0
    sentences = "It is O\nLet it be\nSo it is\n"
    assert gatewise("predict", "ner", "-", stdin=sentences, cwd=folder)[0] == 0


def test_nothing_that_is_printed_can_move_the_cursor(folder: Path) -> None:
    for given in (["-"], ["-", "--json"]):
        status, out, _ = gatewise("predict", "ner", *given, stdin="a \x1b[2J b\x07\n", cwd=folder)
        assert status == 0
        assert "\x1b" not in out
        assert "\x07" not in out


def test_long_input_is_answered_in_blocks(folder: Path) -> None:
    random = np.random.default_rng(0)
    words = [word for sentence in [*TOKENS, *NEW] for word in sentence if " " not in word]
    lines = [" ".join(random.choice(words, int(random.integers(0, 9)))) for _ in range(2500)]
    status, out, _ = gatewise("predict", "ner", "-", stdin="\n".join(lines), cwd=folder)
    assert status == 0
    model = load(folder / "ner")
    sentences = model.tokenize(lines)
    tags = [line.partition("\t")[2] for line in out.splitlines() if line]
    assert tags == [tag for each in model.predict(sentences) for tag in each]
    assert out.count("\n") == sum(map(len, sentences)) + len(sentences)
