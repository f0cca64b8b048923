"""Tagged sentences from files: CoNLL, a token and its tags on every line, and CoNLL-U.

Sentences stand apart by blank lines. In CoNLL the columns stand apart by tabs, or by spaces where
the first line has no tab, and lines of -DOCSTART- are left out. CoNLL-U has ten columns, comments
behind "#", and lines of multiword tokens (2-3) and empty nodes (8.1), which are left out too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gatewise.data.lines import Lines
from gatewise.data.problems import many, shown
from gatewise.errors import DataError

Format = Literal["conll", "conllu"]
CONLLU = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
LONGEST = 10_000
"""Tokens of a sentence, at most: more are a file whose blank lines are missing."""
_SKIPPED = re.compile(r"\d+[-.]\d+")
_SPACES = re.compile("[ \t]+")


@dataclass
class Tagged:
    """A sentence: its tokens, their tags if they were asked for, and the line of each."""

    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def format_of(path: str | Path) -> Format:
    """What the name of a file says: CoNLL-U ends in .conllu, perhaps packed; all else is CoNLL."""
    return "conllu" if re.search(r"\.conllu(\.gz|\.zst)?$", str(path).lower()) else "conll"


class TaggedFile:
    """The sentences of a file, read as they are asked for; every iteration reads them anew.

    Args:
        path: the file (.gz and .zst too); "-" is standard input.
        form: CoNLL or CoNLL-U; by default as the name says.
        tag_column: of the tags: a number from 1, or a name of CoNLL-U; by default the last column
            of CoNLL. None reads no tags.
        token_column: of the tokens; by default the first of CoNLL, and form of CoNLL-U.
        encoding: of the file.

    Raises:
        DataError: the file cannot be read, or there is no such column; while it is read, what is
            wrong with its lines.
    """

    def __init__(
        self,
        path: str | Path,
        form: Format | None = None,
        *,
        tag_column: str | None = "",
        token_column: str = "",
        encoding: str = "utf-8",
    ) -> None:
        self._lines = Lines(path, encoding)
        self.name = self._lines.name
        self._form = form or format_of(path)
        self._tag_column = tag_column
        self._token_column = token_column

    def __iter__(self) -> Iterator[Tagged]:
        sentence, count = Tagged(), 0
        separator: str | None = None
        doubtful: list[tuple[int, str]] = []
        columns = len(CONLLU) if self._form == "conllu" else 0
        for number, line in enumerate(self._lines, start=1):
            if not line.strip():
                if sentence.tokens:
                    count += 1
                    yield sentence
                    sentence = Tagged()
                continue
            if self._is_comment(line, separator):
                if separator is None:
                    doubtful.append((number, line))
                continue
            if separator is None:
                separator = "\t" if self._form == "conllu" or "\t" in line else " "
            fields = line.split("\t") if separator == "\t" else _SPACES.split(line.strip(" \t"))
            columns = columns or len(fields)
            if separator == " ":
                self._refuse(doubtful, columns)
            if len(fields) != columns:
                raise self._odd(number, len(fields), columns, separator)
            if self._form == "conllu" and _SKIPPED.fullmatch(fields[0]):
                continue
            self._add(sentence, fields, number)
        if sentence.tokens:
            count += 1
            yield sentence
        if not count:
            raise DataError(f"{self.name} holds no sentences.")

    def _add(self, sentence: Tagged, fields: list[str], number: int) -> None:
        token = fields[self._place(self._token_column or self._usual_token, fields)]
        if not token.strip():
            raise DataError(f"{self.name}, line {number}: an empty token. Mend or remove the line.")
        sentence.tokens.append(token)
        sentence.lines.append(number)
        if self._tag_column is not None:
            tag = fields[self._place(self._tag_column or self._usual_tag(fields), fields)].strip()
            if not tag:
                raise DataError(
                    f"{self.name}, line {number}: the token '{shown(token, 40)}' has no tag."
                )
            sentence.tags.append(tag)
        if len(sentence.tokens) > LONGEST:
            raise DataError(
                f"{self.name}, line {sentence.lines[0]}: a sentence of more than {LONGEST:,} "
                "tokens starts here. A blank line must stand between sentences."
            )

    @property
    def _usual_token(self) -> str:
        return "form" if self._form == "conllu" else "1"

    def _usual_tag(self, fields: list[str]) -> str:
        if self._form == "conllu":
            raise DataError(
                f"{self.name}: CoNLL-U has several columns of tags. Say with --tag-column which "
                "one, for example upos, xpos or deprel."
            )
        if len(fields) < 2:
            raise DataError(
                f"{self.name}: lines have one column only, so there are no tags. A token, a tab "
                "and its tag must stand on every line."
            )
        return str(len(fields))

    def _place(self, column: str, fields: list[str]) -> int:
        """The place of a column, from 0."""
        names = CONLLU if self._form == "conllu" else ()
        if column.lower() in names:
            return names.index(column.lower())
        if column.isdecimal() and 1 <= int(column) <= len(fields):
            return int(column) - 1
        named = f", or one of {', '.join(names)}" if names else ""
        raise DataError(
            f"{self.name} has no column '{shown(column, 40)}'. Give a number from 1 to "
            f"{len(fields)}{named}."
        )

    def _is_comment(self, line: str, separator: str | None) -> bool:
        if line.startswith("-DOCSTART-"):
            return True
        if self._form == "conllu":
            return line.startswith("#")
        # A "#" may be a token; a comment has no tab where columns have one.
        return line.startswith("# ") and separator != " " and "\t" not in line

    def _refuse(self, doubtful: list[tuple[int, str]], columns: int) -> None:
        """Raise a DataError if a line that was taken for a comment could be a token and its tags.

        It empties the list.
        """
        while doubtful:
            number, line = doubtful.pop()
            if line.startswith("#") and len(_SPACES.split(line.strip(" \t"))) == columns:
                raise DataError(
                    f"{self.name}, line {number}: '{shown(line, 40)}' may be a comment, or the "
                    "token # and its tag. Part columns by tabs, or put another sentence first."
                )

    def _odd(self, number: int, found: int, columns: int, separator: str) -> DataError:
        parted = "tabs" if separator == "\t" else "spaces"
        return DataError(
            f"{self.name}, line {number}: {many(found, 'column')} where the lines before have "
            f"{columns}, parted by {parted}. Every line must have as many, parted alike."
            if self._form == "conll"
            else f"{self.name}, line {number}: {many(found, 'column')}, and CoNLL-U has "
            f"{columns}, parted by tabs."
        )
