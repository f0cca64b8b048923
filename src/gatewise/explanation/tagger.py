"""What a tagger did with a sentence: how sure it was of every tag, and which tags follow which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain as joined
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gatewise.chains import Sums, side_by_side
from gatewise.explanation.explanation import Explanation, Measure, Table
from gatewise.explanation.limits import checked
from gatewise.explanation.traces import Reading, Word, traces
from gatewise.ragged import Ragged
from gatewise.tasks.tag.answering import Scored, taggings

if TYPE_CHECKING:
    from gatewise.chains import Chain
    from gatewise.tasks.tag.task import SequenceTagger


def explain_tagger(tagger: SequenceTagger, text: str) -> Explanation:
    """What a tagger did with a sentence; arguments and errors are those of `explain`."""
    (reading,) = read_tagger(tagger, [text])
    tokens = [word.text for word in reading.words]
    chain, names = tagger.fitted().chain, tagger.labels_
    (scores,), offsets = tagger.scores([tokens]), np.array([0, len(tokens)])
    (tags,) = taggings([Scored(np.zeros(1, np.int64), scores, offsets)], chain, names, 1)
    marginals = Sums(scores, side_by_side(offsets), chain).marginals()
    given = np.array([names.index(tag) for tag in tags], np.int64)
    visible = tuple(word.visible for word in reading.words)
    return Explanation(
        "tag",
        text,
        " ".join(f"{token}/{tag}" for token, tag in zip(tokens, tags, strict=True)),
        tuple(
            replace(word, note=note, tag=tag)
            for word, note, tag in zip(
                reading.words, _notes(marginals, given, names), tags, strict=True
            )
        ),
        (
            Measure(
                "probability",
                marginals[np.arange(len(given)), given],
                "How likely the word's tag is, summed over all taggings of the sentence.",
            ),
        ),
        reading.layers,
        (
            Table(
                "probabilities of tags",
                visible,
                names,
                marginals,
                "How likely every tag is at every word, summed over all taggings of the sentence.",
            ),
            Table(
                "scores of tags",
                visible,
                names,
                scores,
                "What the layers say of every word, before tags are seen side by side.",
                signed=True,
            ),
            Table(
                "transitions",
                ("(start)", *names),
                (*names, "(end)"),
                _bordered(chain),
                "What is added to the score where the tag of the column follows that of the row. "
                "Where nothing stands, it must not follow.",
                signed=True,
            ),
        ),
        _unknown_told(reading.words),
        {
            "scores": scores,
            "marginals": marginals,
            "transitions": chain.transitions,
            "start": chain.start,
            "end": chain.end,
        },
        names,
    )


def read_tagger(tagger: SequenceTagger, texts: list[str]) -> list[Reading]:
    """What the layers did with every sentence; arguments and errors are those of `read`."""
    fitted = tagger.fitted()
    settings = tagger.settings()
    sentences = tagger.tokenize(texts)
    for sentence in sentences:
        checked(len(sentence))
    rows = Ragged.from_rows([fitted.lexicon.ids(sentence) for sentence in sentences], np.int64)
    tokens = list(joined.from_iterable(sentences))
    vectors = fitted.words(tokens, tagger.threads)
    layers = traces(fitted.encoder, vectors, rows.offsets, *settings)
    words = [
        _placed(text, sentence, ids.tolist())
        for text, sentence, ids in zip(texts, sentences, rows, strict=True)
    ]
    return [Reading(*found) for found in zip(texts, words, layers, strict=True)]


def _placed(text: str, tokens: list[str], ids: list[int]) -> tuple[Word, ...]:
    """The tokens at their places; 0 is the id of one that is not known."""
    words, place = list[Word](), 0
    for token, id in zip(tokens, ids, strict=True):
        place = text.index(token, place)
        words.append(Word(token, place, place + len(token), id != 0))
        place += len(token)
    return tuple(words)


def _notes(
    marginals: NDArray[np.float64], given: NDArray[np.int64], names: tuple[str, ...]
) -> Iterator[str]:
    """Every word's tag and the likeliest other one, for people."""
    for row, tag in zip(marginals, given.tolist(), strict=True):
        other = int(np.where(np.arange(len(names)) == tag, -1, row).argmax())
        yield f"{names[tag]} ({names[other]} {row[other]:.0%})"


def _bordered(chain: Chain) -> NDArray[Any]:
    """Transitions with the start as the first row and the end as the last column, NaN for -inf."""
    whole = np.full((len(chain.start) + 1, len(chain.start) + 1), np.nan)
    whole[1:, :-1], whole[0, :-1], whole[1:, -1] = chain.transitions, chain.start, chain.end
    return np.where(np.isfinite(whole), whole, np.nan)


def _unknown_told(words: tuple[Word, ...]) -> tuple[str, ...]:
    unknown = [word.text for word in words if not word.known]
    return (f"Not in the vocabulary: {', '.join(unknown)}.",) if unknown else ()
