"""Files of tagged sentences on the command line: their columns, their scheme, their faults."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain as joined
from typing import TYPE_CHECKING, Literal

from gatewise import options
from gatewise.cli.flags import flags
from gatewise.cli.terminal import tell
from gatewise.data.conll import Format, TaggedFile, format_of
from gatewise.data.problems import many
from gatewise.errors import DataError, OptionError
from gatewise.options import option
from gatewise.tasks.tag.rows import Sentences, refuse_broken, repaired
from gatewise.text.spans import Scheme, are_spans, scheme_of

_TABLE = re.compile(r"(\.csv|\.jsonl|\.json|\.parquet|\.pq|\.duckdb|\.db|\.sqlite)(\.gz|\.zst)?$")
FEWEST_LINES, NEARLY_ALL = 3, 0.9
"""Lines, and the share of them that end in a tag, from which on a text looks like CoNLL."""


def check_sentences(lines: Sequence[str], tags: Collection[str], source: str) -> None:
    """Raise a DataError where lines that should be sentences are tokens with their tags."""
    fields = [line.split() for line in lines if line.strip()]
    tagged = sum(len(each) > 1 and each[-1] in tags for each in fields)
    if len(fields) >= FEWEST_LINES and tagged >= NEARLY_ALL * len(fields):
        name = "standard input" if source == "-" else source
        raise DataError(
            f"The lines of {name} end in tags, as those of CoNLL do, and are not sentences. Add "
            "--format conll, or --format text if they are sentences all the same."
        )


@dataclass(frozen=True)
class TokenFiles:
    """Which column of a file holds the tokens."""

    format: Literal["conll", "conllu", "text"] | None = option(
        None,
        "Form of the sentences: conll, conllu, or text, a plain sentence on every line. By default "
        "conllu for .conllu, text for .txt and standard input, else conll.",
    )
    token_column: str | None = option(
        None, "Column of the tokens: a number from 1. By default the first, or form of CoNLL-U."
    )

    def __post_init__(self) -> None:
        options.check(self)

    def form(self, source: str) -> Format:
        """CoNLL or CoNLL-U.

        Raises:
            OptionError: the name is that of a table, and no format is given.
        """
        if self.format is None and (table := _TABLE.search(source.lower())):
            raise OptionError(
                f"{source} is a table ({table[1]}). A tagger takes CoNLL, CoNLL-U or plain "
                "sentences in a .txt file; if it is one of these, say which with --format."
            )
        return self.format if self.format in ("conll", "conllu") else format_of(source)

    @staticmethod
    def check_out(out: str, *, json: bool) -> None:
        """Raise an OptionError where the name of a file for tags is that of another form."""
        table = _TABLE.search(out.lower())
        if table is not None and not (json and "json" in table[1]):
            raise OptionError(
                f"What a tagger says is CoNLL, or JSON lines with --json, and no table. Got "
                f"--out '{out}': give a name like tagged.conll, or tagged.jsonl and --json."
            )


@dataclass(frozen=True)
class TagFiles(TokenFiles):
    """Which columns of a file hold tokens and tags."""

    format: Literal["conll", "conllu"] | None = option(
        None, "Form of the files. By default conllu for .conllu, else conll."
    )
    tag_column: str | None = option(
        None,
        "Column of the tags: a number from 1, or a name of CoNLL-U such as upos. By default the "
        "last of CoNLL.",
    )
    repair_bio: bool = option(
        False,
        "Mend tags that break their scheme of spans, such as I- at the start of one, as the CoNLL "
        "script understands them. By default they are errors.",
    )

    def read(self, source: str, encoding: str) -> TaggedRows:
        """All sentences of a file with their tags.

        Raises:
            DataError: a line is not as it must be.
        """
        file = TaggedFile(
            source,
            self.form(source),
            tag_column=self.tag_column or "",
            token_column=self.token_column or "",
            encoding=encoding,
        )
        found = list(file)
        rows = Sentences([one.tokens for one in found], [one.tags for one in found])
        return TaggedRows(file.name, rows, [one.lines for one in found])


@dataclass(frozen=True)
class TaggedRows:
    """The sentences of a file, and the line of every token."""

    name: str
    rows: Sentences
    lines: list[list[int]]

    def scheme(self) -> Scheme | None:
        """The scheme that its tags are in, None if they are not of spans."""
        every = joined.from_iterable(self.rows.tags)
        return scheme_of(self.rows.tags) if are_spans(every) else None

    def sound(self, scheme: Scheme | None, repair: bool) -> Sentences:
        """The sentences, their tags as the scheme wants them.

        Args:
            scheme: None where tags are not of spans.
            repair: whether broken tags are mended and counted, or refused.

        Raises:
            DataError: tags break the scheme; with the line of the first.
        """
        if scheme is None:
            return self.rows
        if repair:
            mended, count = repaired(self.rows.tags, scheme)
            if count:
                tell("note", f"{self.name}: {many(count, 'tag')} mended.")
            return Sentences(self.rows.tokens, mended)
        lines = list(joined.from_iterable(self.lines))
        refuse_broken(
            self.rows.tags,
            scheme,
            lambda token: f"{self.name}, line {lines[token]}",
            "Mend the tags, or add --repair-bio.",
        )
        return self.rows


if TYPE_CHECKING:
    TokenFileFlags = TokenFiles
    TagFileFlags = TagFiles
else:
    TokenFileFlags = flags(TokenFiles, "Sentences")
    TagFileFlags = flags(TagFiles, "Tagged sentences")
