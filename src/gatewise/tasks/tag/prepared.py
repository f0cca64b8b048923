"""What a tagger learns from, prepared: rows, words and characters as numbers, all options."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain as joined
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gatewise.data.checks import check_spelling, check_texts
from gatewise.data.split import split
from gatewise.errors import DataError, OptionError
from gatewise.ragged import Ragged
from gatewise.tasks.settings import filled, on_this_machine
from gatewise.tasks.tag.defaults import Defaults
from gatewise.tasks.tag.encoded import Encoded, Forms
from gatewise.tasks.tag.lexicon import Lexicon, common_characters
from gatewise.tasks.tag.options import TaggerTraining
from gatewise.tasks.tag.rows import (
    Sentences,
    read_sentences,
    refuse_broken,
    refuse_other_tags,
)
from gatewise.tasks.tag.tags import Tags
from gatewise.tasks.transfer import pretrained, taken_over
from gatewise.text.spans import OUTSIDE, are_spans, scheme_of
from gatewise.text.subwords import subword_buckets
from gatewise.text.tokenizer import Tokenizer
from gatewise.text.vectors import first_tokens, read_vectors, vector_size
from gatewise.text.word_shapes import word_shape

if TYPE_CHECKING:
    from gatewise.tasks.language.task import LanguageModel
    from gatewise.tasks.tag.task import SequenceTagger

FEW_VECTORS = 0.2
"""Share of the words with vectors under which something is likely wrong."""
KEPT_NUMBERS = 20_000_000
"""Numbers of pretrained vectors that the model keeps by default: 80 MB."""
MOST_WORDS = 400_000
"""Words whose vectors it keeps by default, however small they are."""


@dataclass(frozen=True)
class Prepared:
    """All that a network is made from.

    Args:
        chosen: the tagger with all options that follow from the rows.
        training: likewise.
        rows: to learn from.
        dev_rows: to choose the best epoch on.
        tags: that there are.
        lexicon: the words that there are.
        encoded: `rows` as numbers.
        dev_encoded: `dev_rows` as numbers.
        spellings: characters of the different tokens of all rows.
        shapes: how each of them is written.
        pieces: n-grams of all words by number, if they take part.
        vectors: pretrained vectors of all words by number, (words, P), if there are any.
        kept: those that the folder keeps, by the vocabulary.
        model: the language model that the network starts from, if there is one.
        warnings: what a user should know.
    """

    chosen: SequenceTagger
    training: TaggerTraining
    rows: Sentences
    dev_rows: Sentences
    tags: Tags
    lexicon: Lexicon
    encoded: Encoded
    dev_encoded: Encoded
    spellings: Ragged
    shapes: NDArray[np.int64]
    pieces: Ragged
    vectors: NDArray[np.float32] | None
    kept: NDArray[np.float32] | None
    model: LanguageModel | None
    warnings: tuple[str, ...]

    def kept_vectors(self) -> dict[str, NDArray[np.float32]]:
        """The pretrained vectors of the folder, by name."""
        return {} if self.kept is None else {"vectors.weight": self.kept}


def prepare(
    tagger: SequenceTagger,
    tokens: Any,
    tags: Any,
    dev: tuple[Any, Any] | None,
    training: TaggerTraining,
) -> Prepared:
    """Read and check what is to be learned from; arguments are those of `SequenceTagger.fit`.

    Raises:
        DataError: it cannot be learned from.
        OptionError: options do not fit it or each other.
    """
    training = on_this_machine(training)
    model, wanted = pretrained(tagger), tagger
    if model is not None:
        if model.chosen_.level not in ("word", "whitespace"):
            raise OptionError(
                "A tagger starts from a language model of words. The level of this one is "
                f"{model.chosen_.level}."
            )
        wanted = replace(tagger, encoder=None, **taken_over(tagger, model))
        wanted = replace(wanted, subwords=wanted.subwords or 0)
    rows = read_sentences(tokens, tags)
    dev_rows = None if dev is None else read_sentences(*dev)
    known = _tags(wanted, rows, dev_rows, training)
    rows = replace(rows, tags=[known.rewritten(named) for named in rows.tags])
    warnings = _warnings(rows)
    if dev_rows is None:
        rows, dev_rows = _split(rows, training)
    else:
        dev_rows = replace(dev_rows, tags=[known.rewritten(named) for named in dev_rows.tags])
        warnings += _unknown_tags(known, dev_rows)
    if training.refit and not dev_rows.words:
        raise OptionError(
            "refit learns again with what the dev sentences have chosen, and there are none. Give "
            "dev sentences, or a dev_share above 0, or leave refit out."
        )
    defaults = Defaults.derive(len(rows), rows.words)
    wanted = filled(wanted, defaults)
    if wanted.max_vectors is None:
        wanted = replace(wanted, max_vectors=_most_vectors(wanted.vectors))
    lexicon, kept = _lexicon(wanted, rows, model)
    if kept is not None:
        share = float(kept[: lexicon.learned].any(axis=1).mean())
        if share < FEW_VECTORS:
            warnings.append(
                f"{wanted.vectors} has vectors for {share:.1%} of the words only. Is it of this "
                "language, and of words?"
            )
    every = {token for part in (*rows.tokens, *dev_rows.tokens) for token in part}
    forms = Forms.of(lexicon, sorted(every))
    pieces = Ragged.from_rows([], np.int64)
    if wanted.subwords:
        words = ["", *lexicon.tokenizer.vocabulary[1 : lexicon.learned], *forms.strange]
        pieces = subword_buckets(words, wanted.subwords)
    vectors = None
    if kept is not None:
        ids = lexicon.ids(forms.strange)
        if wanted.near_vectors:
            ids = lexicon.with_near(forms.strange, ids, kept)
        vectors = np.concatenate([kept[: lexicon.learned], kept[ids]])
    return Prepared(
        chosen=replace(
            wanted,
            crf=known.scheme is not None if wanted.crf is None else wanted.crf,
            scheme=known.scheme or "none",
            vectors=None,
        ),
        training=filled(training, defaults),
        rows=rows,
        dev_rows=dev_rows,
        tags=known,
        lexicon=lexicon,
        encoded=forms.encode(rows, known),
        dev_encoded=forms.encode(dev_rows, known),
        spellings=lexicon.spelled(forms.tokens),
        shapes=np.array([word_shape(token) for token in forms.tokens], np.int64),
        pieces=pieces,
        vectors=vectors,
        kept=kept,
        model=model,
        warnings=tuple(warnings),
    )


def _tags(
    tagger: SequenceTagger, rows: Sentences, dev_rows: Sentences | None, training: TaggerTraining
) -> Tags:
    """The tags of the training rows, in the scheme that they are to be learned in."""
    if not rows.words:
        raise DataError("There are no tokens to learn from.")
    every = {tag for tags in rows.tags for tag in tags}
    later = dev_rows.tags if training.refit and dev_rows is not None else []
    if (count := len(every.union(*later))) > training.max_tags:
        raise DataError(
            f"There are {count:,} different tags, and at most {training.max_tags:,} are "
            "allowed. Check that it is the column of the tags, or raise max_tags."
        )
    if tagger.scheme is None and OUTSIDE in every and any(are_spans([tag]) for tag in every):
        refuse_other_tags(rows.tags, "mend it, or set scheme to none to learn all as they stand")
    if tagger.scheme == "none" or (tagger.scheme is None and not are_spans(every)):
        return Tags.learn(rows.tags, None)
    found = scheme_of(rows.tags)
    for part in (rows, dev_rows):
        if part is not None:
            refuse_broken(part.tags, found)
    return Tags.learn(rows.tags, tagger.scheme or ("bio" if found == "iob1" else found))


def _warnings(rows: Sentences) -> list[str]:
    texts = [" ".join(tokens) for tokens in rows.tokens]
    return [*check_texts(texts), *check_spelling(joined.from_iterable(rows.tags))]


def _unknown_tags(known: Tags, dev_rows: Sentences) -> list[str]:
    new = sorted({tag for tags in dev_rows.tags for tag in tags} - {*known.names})
    if not new:
        return []
    return [f"Dev tags that are not in train only can be wrong: {', '.join(new[:10])}."]


def _split(rows: Sentences, training: TaggerTraining) -> tuple[Sentences, Sentences]:
    """Sentences to learn from and dev sentences, each with some of every tag."""
    if training.dev_share == 0:
        return rows, Sentences([], [])
    texts = [" ".join(tokens) for tokens in rows.tokens]
    kinds = [set(tags) for tags in rows.tags]
    kept, held = split(texts, kinds, share=training.dev_share, seed=training.seed)
    return rows.take(kept), rows.take(held)


def _most_vectors(file: str | None) -> int:
    """Words whose vectors are kept by default."""
    return 0 if file is None else min(MOST_WORDS, KEPT_NUMBERS // vector_size(file))


def _lexicon(
    tagger: SequenceTagger, rows: Sentences, model: LanguageModel | None
) -> tuple[Lexicon, NDArray[np.float32] | None]:
    """The words and characters that are known, and the pretrained vectors of the words."""
    if model is not None:
        tokenizer = model.tokenizer_
    else:
        assert tagger.min_count is not None
        tokenizer = Tokenizer.train(
            (" ".join(tokens) for tokens in rows.tokens),
            level="whitespace",
            lowercase=tagger.lowercase,
            max_vocabulary=tagger.max_vocabulary,
            min_count=tagger.min_count,
        )
    learned = len(tokenizer)
    kept, size = None, 0
    if tagger.vectors is not None:
        assert tagger.max_vectors is not None
        more = first_tokens(tagger.vectors, tagger.max_vectors)
        tokenizer = tokenizer.extended(more, most=tagger.max_vectors, min_count=1)
        kept, _ = read_vectors(tagger.vectors, tokenizer.vocabulary)
        size = kept.shape[1]
    characters = common_characters(joined.from_iterable(rows.tokens))
    lexicon = Lexicon(tokenizer, learned, characters, size)
    if kept is not None and tagger.near_vectors:
        # From then on the words that were learned have these vectors as their own.
        bare = 1 + np.flatnonzero(~kept[1:learned].any(axis=1))
        words = [tokenizer.vocabulary[number] for number in bare.tolist()]
        kept[bare] = kept[lexicon.near(words, kept)]
    return lexicon, kept
