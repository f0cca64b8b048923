"""CoNLL and CoNLL-U: what is read of them, and the lines of what is wrong."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from gatewise.data.conll import LONGEST, TaggedFile, format_of
from gatewise.errors import DataError

CONLLU = """\
# sent_id = 1
# text = vámonos al mar
1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tvamos\tir\tVERB\tV\tMood=Imp\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\tP\t_\t1\tobj\t_\tSpaceAfter=No
2.1\tghost\t_\tNOUN\t_\t_\t_\t_\t1:dep\t_
3\t#\t#\tSYM\t_\t_\t1\tobl\t_\t_

# a comment alone

1\tNew York\tNew York\tPROPN\tN\t_\t0\troot\t_\t_
"""


def read(path: Path, content: str | bytes, **how: Any) -> list[tuple[list[str], list[str]]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [(one.tokens, one.tags) for one in TaggedFile(path, **how)]


def complaint(path: Path, content: str | bytes, **how: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(path, content, **how)
    return str(caught.value).replace(f"{path.parent}/", "")


def test_a_token_and_its_tag_on_every_line(tmp_path: Path) -> None:
    wanted = [(["EU", "rejects"], ["B-ORG", "O"]), (["Peter"], ["B-PER"])]
    for content in (
        "EU\tB-ORG\nrejects\tO\n\nPeter\tB-PER\n",
        "EU\tB-ORG\nrejects\tO\n\nPeter\tB-PER",  # no last newline
        "\ufeff\n\nEU\tB-ORG\r\nrejects\tO\r\n\r\n\r\nPeter\tB-PER\r\n\r\n",
        "EU\tB-ORG\nrejects\tO\n \t \nPeter\tB-PER\n",  # spaces in the empty line
        "EU B-ORG\nrejects   O\n\nPeter B-PER\n",
        "-DOCSTART- -X- O O\n\nEU B-ORG\nrejects O\n\nPeter B-PER\n\n-DOCSTART- -X- O O\n",
        "# a comment\nEU\tB-ORG\nrejects\tO\n# one more\n\nPeter\tB-PER\n",
    ):
        assert read(tmp_path / "a.conll", content) == wanted, content


def test_columns_are_chosen_by_number(tmp_path: Path) -> None:
    content = "1 EU NNP I-NP I-ORG\n2 rejects VBZ I-VP O\n"
    path = tmp_path / "a.conll"
    assert read(path, content, token_column="2") == [(["EU", "rejects"], ["I-ORG", "O"])]
    found = read(path, content, token_column="2", tag_column="4")
    assert found == [(["EU", "rejects"], ["I-NP", "I-VP"])]
    assert read(path, content, token_column="2", tag_column=None) == [(["EU", "rejects"], [])]


def test_tokens_may_be_hashes_and_hold_spaces(tmp_path: Path) -> None:
    assert read(tmp_path / "a.conll", "#\tO\n# 1\tO\nNew York\tB-x\n") == [
        (["#", "# 1", "New York"], ["O", "O", "B-x"])
    ]
    assert read(tmp_path / "b.conll", "a O\n# O\n#tag O\n") == [(["a", "#", "#tag"], ["O"] * 3)]


def test_words_of_conllu_and_nothing_else(tmp_path: Path) -> None:
    words = [["vamos", "nos", "#"], ["New York"]]
    path = tmp_path / "a.conllu"
    found = read(path, CONLLU, tag_column="upos")
    assert found == [(words[0], ["VERB", "PRON", "SYM"]), (words[1], ["PROPN"])]
    assert read(path, CONLLU.replace("\n", "\r\n"), tag_column="4") == found
    assert read(path, CONLLU.rstrip(), tag_column="UPOS") == found
    assert read(path, CONLLU, tag_column="deprel")[0][1] == ["root", "obj", "obl"]
    assert read(path, CONLLU, tag_column="upos", token_column="lemma")[0][0][0] == "ir"
    assert read(tmp_path / "a.txt", CONLLU, form="conllu", tag_column="upos") == found
    with gzip.open(tmp_path / "b.conllu.gz", "wb") as file:
        file.write(CONLLU.encode())
    packed = TaggedFile(tmp_path / "b.conllu.gz", tag_column=None)
    assert [one.tokens for one in packed] == words
    assert [one.lines for one in packed] == [[4, 5, 7], [11]]  # read anew
    assert not any(one.tags for one in packed)


def test_the_name_says_what_a_file_is() -> None:
    names = {"a.conllu": "conllu", "A.CONLLU.gz": "conllu", "b.conllu.zst": "conllu"}
    names |= {"a.conll": "conll", "a.tsv": "conll", "conllu": "conll", "-": "conll"}
    assert {name: format_of(name) for name in names} == names


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            "a\tO\nb\n",
            "a.conll, line 2: 1 column where the lines before have 2, parted by tabs. Every line "
            "must have as many, parted alike.",
        ),
        (
            "a\tO\n\nb O\n",  # a space in place of a tab
            "a.conll, line 3: 1 column where the lines before have 2, parted by tabs. Every line "
            "must have as many, parted alike.",
        ),
        (
            "a O\nb c O\n",
            "a.conll, line 2: 3 columns where the lines before have 2, parted by spaces. Every "
            "line must have as many, parted alike.",
        ),
        (
            "# O\n5 B-N\n\na O\n",
            "a.conll, line 1: '# O' may be a comment, or the token # and its tag. Part columns by "
            "tabs, or put another sentence first.",
        ),
        ("a\tO\n\tO\n", "a.conll, line 2: an empty token. Mend or remove the line."),
        ("a\tO\n b\t\n", "a.conll, line 2: the token ' b' has no tag."),
        (
            "a\nb\n",
            "a.conll: lines have one column only, so there are no tags. A token, a tab and its "
            "tag must stand on every line.",
        ),
        ("\n# only this\n\n", "a.conll holds no sentences."),
        ("-DOCSTART- O\n\n", "a.conll holds no sentences."),
        ("", "a.conll: the file is empty."),
        (b"a\tO\n\xe9\tO\n", "a.conll, line 2: the byte 0xE9 at column 1 is not UTF-8"),
        (
            "a\tO\n\n" + "b\tO\n" * (LONGEST + 1),
            "a.conll, line 3: a sentence of more than 10,000 tokens starts here. A blank line "
            "must stand between sentences.",
        ),
        (b"PK\x03\x04" + bytes(60), "a.conll"),
    ],
)
def test_lines_of_conll_that_are_wrong(tmp_path: Path, content: str | bytes, told: str) -> None:
    assert complaint(tmp_path / "a.conll", content).startswith(told)


@pytest.mark.parametrize(
    ("content", "how", "told"),
    [
        (
            CONLLU,
            {},
            "a.conllu: CoNLL-U has several columns of tags. Say with --tag-column which one, for "
            "example upos, xpos or deprel.",
        ),
        (
            CONLLU,
            {"tag_column": "pos"},
            "a.conllu has no column 'pos'. Give a number from 1 to 10, or one of id, form, lemma, "
            "upos, xpos, feats, head, deprel, deps, misc.",
        ),
        (
            CONLLU.replace("\t_\tSpaceAfter=No", ""),
            {"tag_column": "upos"},
            "a.conllu, line 5: 8 columns, and CoNLL-U has 10, parted by tabs.",
        ),
        (
            "a\tO\n",
            {"tag_column": "upos"},
            "a.conllu, line 1: 2 columns, and CoNLL-U has 10, parted by tabs.",
        ),
    ],
)
def test_lines_of_conllu_that_are_wrong(
    tmp_path: Path, content: str, how: dict[str, Any], told: str
) -> None:
    assert complaint(tmp_path / "a.conllu", content, **how) == told


@pytest.mark.parametrize("column", ["0", "3", "upos", "-1", "1.5", "\x1b[2J"])
def test_columns_that_conll_does_not_have(tmp_path: Path, column: str) -> None:
    told = complaint(tmp_path / "a.conll", "a\tO\n", tag_column=column)
    assert told.startswith("a.conll has no column '")
    assert told.endswith("Give a number from 1 to 2.")
    assert "\x1b" not in told


def test_spaces_that_do_not_break_are_parts_of_a_token(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("# a comment\n10\u00a0000  B-N\nb O \n", "utf-8")
    (sentence,) = TaggedFile(tmp_path / "a.conll")
    assert (sentence.tokens, sentence.tags) == (["10\u00a0000", "b"], ["B-N", "O"])
