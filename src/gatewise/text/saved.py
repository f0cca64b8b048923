"""What a tokenizer.json holds: written from our own parts, believed only after a check of each."""

from __future__ import annotations

import json
import re

from gatewise.errors import ModelFileError
from gatewise.options import Level
from gatewise.text import rules
from gatewise.text.pieces import LONGEST_PIECE
from gatewise.text.rules import UNKNOWN
from gatewise.text.sequences import Sequences

LONGEST_TOKEN = 40  # characters; longer words stay unknown
LARGEST_VOCABULARY = 1_000_000
LARGEST_JSON = 64 << 20  # characters

_SURROGATE = re.compile("[\ud800-\udfff]")


def to_json(level: Level, lowercase: bool, ids: dict[str, int], merges: list[list[str]]) -> str:
    """The text of a tokenizer.json, which the Hugging Face library can read too."""
    document = rules.pipeline(level, lowercase) | {"model": rules.model(level, ids, merges)}
    return json.dumps(document, ensure_ascii=False)


def with_sequences(tokenizer: str, sequences: Sequences) -> str:
    """A tokenizer.json and how sequences are made of its ids, which only Gatewise can read."""
    return f'{{"sequences": {json.dumps(sequences.as_json())}, "tokenizer": {tokenizer}}}'


def from_json(text: str) -> tuple[Level, bool, list[str], list[list[str]], Sequences | None]:
    """The arguments of the Tokenizer that wrote this with `to_json`; nothing of it is run.

    Raises:
        ModelFileError: it is anything else.
    """
    if len(text) > LARGEST_JSON:
        raise _damaged(f"it is larger than {LARGEST_JSON >> 20} MiB")
    try:
        document = json.loads(text, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise _damaged(f"it is not JSON ({type(error).__name__}: {error})") from None
    sequences = None
    if isinstance(document, dict) and document.keys() == {"sequences", "tokenizer"}:
        sequences = Sequences.from_json(document["sequences"])
        if sequences is None:
            raise _damaged("what it says of sequences is not what Gatewise writes")
        document = document["tokenizer"]
    if not isinstance(document, dict) or not isinstance(document.get("model"), dict):
        raise _damaged("it has no 'model'")
    model = document.pop("model")
    found = rules.known(document)
    if found is None:
        raise _damaged("its rules are not those of any tokenizer that Gatewise writes")
    level, lowercase = found
    if sequences and level != "whitespace":
        raise _damaged("what it says of sequences is not what Gatewise writes")
    vocabulary = _checked_vocabulary(
        model.get("vocab"), LONGEST_PIECE if sequences else LONGEST_TOKEN
    )
    merges = _checked_merges(model.get("merges"), vocabulary) if level == "bpe" else []
    if model != rules.model(level, vocabulary, merges):
        raise _damaged(f"its model is not that of a tokenizer of level '{level}'")
    if sequences and sequences.pad is not None and sequences.pad >= len(vocabulary):
        raise _damaged("the padding of its sequences is not a token")
    return level, lowercase, list(vocabulary), merges, sequences


def _checked_vocabulary(vocabulary: object, longest: int) -> dict[str, int]:
    """Token to id, in the order of the ids."""
    if not isinstance(vocabulary, dict) or not 1 <= len(vocabulary) <= LARGEST_VOCABULARY:
        raise _damaged(f"its vocabulary is not a table of 1 to {LARGEST_VOCABULARY:,} tokens")
    if any(type(number) is not int for number in vocabulary.values()):
        raise _damaged("an id of its vocabulary is not a whole number")
    ordered = sorted(vocabulary.items(), key=lambda entry: entry[1])
    if [number for _, number in ordered] != list(range(len(ordered))):
        raise _damaged("the ids of its vocabulary are not 0, 1, 2, … without gaps and repeats")
    for token, number in ordered:
        if not 1 <= len(token) <= longest or _SURROGATE.search(token):
            raise _damaged(f"token {number} of its vocabulary is not 1 to {longest} characters")
    if ordered[0][0] != UNKNOWN:
        raise _damaged(f"token 0 of its vocabulary is not {UNKNOWN}")
    return dict(ordered)


def _checked_merges(merges: object, vocabulary: dict[str, int]) -> list[list[str]]:
    """Pairs of tokens whose joined text is a token too."""
    if not isinstance(merges, list) or len(merges) > LARGEST_VOCABULARY:
        raise _damaged("its merges are not a list of pairs")
    for merge in merges:
        pair = isinstance(merge, list) and len(merge) == 2 and all(type(m) is str for m in merge)
        if not pair or not {*merge, "".join(merge)} <= vocabulary.keys():
            raise _damaged("a merge is not a pair of tokens that together are a token")
    return merges


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a name occurs twice")
    return table


def _damaged(cause: str) -> ModelFileError:
    return ModelFileError(
        f"tokenizer.json cannot be used: {cause}. The file is damaged or was not written by "
        "Gatewise."
    )
