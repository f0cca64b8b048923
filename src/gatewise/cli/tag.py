"""What a tagger is asked: to tag sentences, and to be tested. Without PyTorch."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from gatewise.cli.flags import Reading
from gatewise.cli.tagged import TagFiles, TokenFiles
from gatewise.cli.terminal import say
from gatewise.cli.texts import BLOCK, blocks, encoding_alone, is_lines, lines_of
from gatewise.data.conll import TaggedFile
from gatewise.data.problems import without_controls
from gatewise.text.words import WordSplitter


def predict(
    tagger: Any,
    source: str,
    *,
    json: bool = False,
    tokens: TokenFiles | None = None,
    reading: Reading | None = None,
) -> None:
    """Tag sentences: a token, a tab and its tag on every line, a blank line behind every sentence.

    Arguments are those of `gatewise.cli.answer.predict`.
    """
    tokens = tokens or TokenFiles()
    encoding = encoding_alone(source, reading or Reading())
    plain = is_lines(source) if tokens.format is None else tokens.format == "text"
    if plain:
        splitter = WordSplitter()
        for texts in lines_of(source, encoding):
            _print(tagger, [splitter.split(text) for text in texts], json, texts)
        return
    file = TaggedFile(
        source,
        tokens.form(source),
        tag_column=None,
        token_column=tokens.token_column or "",
        encoding=encoding,
    )
    for block in blocks(file, BLOCK):
        _print(tagger, [sentence.tokens for sentence in block], json)


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
        print(json_format.dumps(msgspec.to_builtins(figures), ensure_ascii=False))
    else:
        say(figures)


def _print(
    tagger: Any, sentences: list[list[str]], json: bool, texts: list[str] | None = None
) -> None:
    if not json:
        for tokens, tags in zip(sentences, tagger.predict(sentences), strict=True):
            lines = (
                f"{without_controls(token)}\t{without_controls(tag)}\n"
                for token, tag in zip(tokens, tags, strict=True)
            )
            sys.stdout.write("".join(lines) + "\n")
        return
    for place, answer in enumerate(tagger.answer(sentences)):
        found = answer.as_json()
        if texts is not None:
            found = {"text": texts[place]} | found
            places = list(_places(texts[place], answer.tokens))
            for span in found.get("spans", []):
                ends = places[span["start"]][0], places[span["stop"] - 1][1]
                span |= {"characters": ends, "text": texts[place][slice(*ends)]}
        print(json_format.dumps(found, ensure_ascii=False))


def _places(text: str, tokens: list[str]) -> Iterator[tuple[int, int]]:
    """Where tokens stand in the text that they were split from."""
    stop = 0
    for token in tokens:
        start = text.index(token, stop)
        stop = start + len(token)
        yield start, stop
