"""The simplest tagger there is: every word gets the tag that it most often has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from gatewise.tasks.tag.rows import Sentences


def most_frequent_tags(rows: Sentences, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    """Tags of sentences by the counts of training rows; an unknown word has the commonest tag."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    every = Counter[str]()
    for tokens, tags in zip(rows.tokens, rows.tags, strict=True):
        every.update(tags)
        for token, tag in zip(tokens, tags, strict=True):
            counts[token][tag] += 1
    tag_of = {token: found.most_common(1)[0][0] for token, found in counts.items()}
    usual = every.most_common(1)[0][0]
    return [[tag_of.get(token, usual) for token in tokens] for tokens in sentences]
