"""How the answers of a tagger are told: CoNLL, JSON lines, or lists of likely taggings."""

from __future__ import annotations

import json as json_format
from collections.abc import Iterable, Iterator
from typing import Any

from gatewise.data.problems import without_controls
from gatewise.tasks.tag.answer import Answer

Block = tuple[list[list[str]], list[str] | None]
"""The tokens of some sentences, and their texts where they were split from texts."""


def tagged(tagger: Any, given: Iterable[Block], json: bool) -> Iterator[str]:
    """What is told of every sentence and its likeliest tagging."""
    for sentences, texts in given:
        if json:
            yield from _as_json(tagger.answer(sentences), texts)
            continue
        for tokens, tags in zip(sentences, tagger.predict(sentences), strict=True):
            lines = (
                f"{without_controls(token)}\t{without_controls(tag)}\n"
                for token, tag in zip(tokens, tags, strict=True)
            )
            yield "".join(lines) + "\n"


def likeliest(tagger: Any, given: Iterable[Block], count: int, json: bool) -> Iterator[str]:
    """What is told of every sentence and its `count` likeliest taggings."""
    number = 0
    for sentences, texts in given:
        for place, found in enumerate(tagger.n_best(sentences, count)):
            number += 1
            tokens = sentences[place]
            if json:
                answers = [{"tags": tags, "log_probability": round(p, 6)} for tags, p in found]
                told = {"tokens": tokens, "answers": answers}
                yield _line(told if texts is None else {"text": texts[place]} | told)
                continue
            for tags, log_probability in found:
                pairs = " ".join(f"{token}/{tag}" for token, tag in zip(tokens, tags, strict=True))
                yield f"{number}\t{log_probability:.4f}\t{without_controls(pairs)}\n"


def _as_json(answers: list[Answer], texts: list[str] | None) -> Iterator[str]:
    for place, answer in enumerate(answers):
        found = answer.as_json()
        if texts is not None:
            found = {"text": texts[place]} | found
            places = list(_places(texts[place], answer.tokens))
            for span in found.get("spans", []):
                ends = places[span["start"]][0], places[span["stop"] - 1][1]
                span |= {"characters": ends, "text": texts[place][slice(*ends)]}
        yield _line(found)


def _line(found: dict[str, Any]) -> str:
    return json_format.dumps(found, ensure_ascii=False) + "\n"


def _places(text: str, tokens: list[str]) -> Iterator[tuple[int, int]]:
    """Where tokens stand in the text that they were split from."""
    stop = 0
    for token in tokens:
        start = text.index(token, stop)
        stop = start + len(token)
        yield start, stop
