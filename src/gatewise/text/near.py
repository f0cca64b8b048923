"""Near spellings of a word: others that most likely mean the same, to look up in its place."""

from __future__ import annotations

import re

_SIGNS = "#@\"'`*_~.,!?()[]{}:;<>-\u2019\u2018\u201c\u201d\u2026"
_POSSESSIVE = re.compile("('s|\u2019s|s'|s\u2019)$")
_LONG = re.compile(r"(.)\1{2,}")
_PARTS = re.compile(r"[-/_.]")


def near_spellings(word: str) -> list[str]:
    """Others to look up in place of a word, the nearest first.

    Without the signs around it, without 's, with 0 for digits, with letters that are repeated three
    times or more twice and once, without hyphens; then its parts, the last first.
    """
    bare = word.strip(_SIGNS)
    found = [
        bare,
        _POSSESSIVE.sub("", word),
        _POSSESSIVE.sub("", bare),
        re.sub(r"\d", "0", bare),
        _LONG.sub(r"\1\1", bare),
        _LONG.sub(r"\1", bare),
        bare.replace("-", ""),
        *(part for part in reversed(_PARTS.split(bare)) if len(part) > 2),
    ]
    return [other for other in dict.fromkeys(found) if other and other != word]
