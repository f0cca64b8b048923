"""What a tagger is asked: to tag sentences, and to be tested. Without PyTorch."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

import msgspec

from gatewise.cli.checks import check_other
from gatewise.cli.flags import Reading
from gatewise.cli.tagged import TagFiles, TokenFiles, check_sentences
from gatewise.cli.taggings import Block, likeliest, tagged
from gatewise.cli.terminal import say, say_json
from gatewise.cli.texts import BLOCK, blocks, encoding_alone, is_lines, lines_of
from gatewise.data.conll import TaggedFile
from gatewise.data.writing import write_parts
from gatewise.errors import OptionError
from gatewise.text.words import WordSplitter


def predict(
    tagger: Any,
    source: str,
    *,
    out: str | None = None,
    n_best: int | None = None,
    json: bool = False,
    tokens: TokenFiles | None = None,
    reading: Reading | None = None,
) -> None:
    """Tag sentences: a token, a tab and its tag on every line, a blank line behind every sentence.

    With --n-best a line is the number of the sentence, from 1, a tab, the log-probability of a
    tagging, a tab, and tokens with their tags. Arguments are those of
    `gatewise.cli.answer.predict`.
    """
    tokens = tokens or TokenFiles()
    encoding = encoding_alone(source, reading or Reading())
    if n_best is not None and n_best < 1:
        raise OptionError(f"--n-best must be at least 1. Got {n_best}.")
    if out is not None:
        tokens.check_out(out, json=json)
        check_other(out, source)
    plain = is_lines(source) if tokens.format is None else tokens.format == "text"
    if plain:
        tags = tagger.labels_ if tokens.format is None else ()
        given = _plain(source, encoding, tags)
    else:
        given = _tokenized(source, tokens, encoding)
    if n_best is None:
        parts = tagged(tagger, given, json)
    else:
        parts = likeliest(tagger, given, n_best, json)
    if out is not None:
        write_parts(out, parts)
        say(f"The answers are in {out}.")
        return
    for part in parts:
        sys.stdout.write(part)
        if sys.stdout.isatty():
            sys.stdout.flush()


def _plain(source: str, encoding: str, tags: Collection[str]) -> Iterator[Block]:
    """Sentences; lines that end in one of `tags` are none, but tokens of CoNLL."""
    splitter = WordSplitter()
    for texts in lines_of(source, encoding):
        check_sentences(texts, tags, source)
        yield [splitter.split(text) for text in texts], texts


def _tokenized(source: str, tokens: TokenFiles, encoding: str) -> Iterator[Block]:
    file = TaggedFile(
        source,
        tokens.form(source),
        tag_column=None,
        token_column=tokens.token_column or "",
        encoding=encoding,
    )
    for block in blocks(file, BLOCK):
        yield [sentence.tokens for sentence in block], None


def evaluate(
    tagger: Any,
    source: str,
    *,
    json: bool = False,
    tags: TagFiles | None = None,
    reading: Reading | None = None,
) -> None:
    """Test a tagger on a file of sentences with their true tags.

    Arguments are those of `gatewise.cli.answer.evaluate`.
    """
    files = tags or TagFiles()
    if files.tag_column is None and tagger.report_ is not None:
        files = replace(files, tag_column=tagger.report_.tag_column)
    found = files.read(source, encoding_alone(source, reading or Reading()))
    scheme = found.scheme() if tagger.chosen_.scheme != "none" else None
    rows = found.sound(scheme, files.repair_bio)
    figures = tagger.evaluate(rows.tokens, rows.tags)
    if json:
        say_json(msgspec.to_builtins(figures))
    else:
        say(figures)
