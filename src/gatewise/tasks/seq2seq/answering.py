"""Answering texts: in batches of similar length, and what is told of answers that were cut."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from gatewise.data.batches import in_order
from gatewise.data.problems import many
from gatewise.decoding.beam import Hypothesis, beam_search
from gatewise.errors import ModelFileError
from gatewise.tasks.seq2seq.fitted import Fitted
from gatewise.tasks.seq2seq.reading import Sources, SourceWriter
from gatewise.tasks.seq2seq.search import Answer, Search

ROWS = 512
"""Hypotheses that are written side by side, about."""
READ_AT_ONCE = 8192
"""Tokens of sources that are read together."""
SHOWN = 5
"""Answers that a warning numbers."""


def answered(
    fitted: Fitted, texts: Sequence[str], search: Search, threads: int | None, precision: str
) -> list[list[Answer]]:
    """The answers to every text, best first; arguments and errors are those of `searched`."""
    found = searched(fitted, texts, search, threads, precision)
    return [[_answer(fitted, one) for one in each] for each in found]


def searched(
    fitted: Fitted, texts: Sequence[str], search: Search, threads: int | None, precision: str
) -> list[list[Hypothesis]]:
    """The tokens of the answers to every text, best first.

    Args:
        fitted: the model.
        texts: B of them.
        search: how answers are looked for.
        threads: by default all cores.
        precision: of the recurrent layers' products.

    Raises:
        ModelFileError: weights are so large that scores overflow.
    """
    ids = fitted.encode(texts)
    found: list[list[Hypothesis]] = [[] for _ in texts]
    size = max(1, ROWS // search.beam)
    for rows in in_order(ids.lengths, batch_size=size, batch_tokens=READ_AT_ONCE):
        sources = Sources.read(fitted, ids.take(rows), threads, precision)
        limits = 2 * ids.lengths[rows] + 19  # the end of a source is one of its tokens
        if search.max_tokens is not None:
            limits = np.full(len(rows), search.max_tokens + 1)
        hypotheses = beam_search(
            SourceWriter(fitted, sources, threads, precision),
            limits,
            end=fitted.end,
            beam=search.beam,
            length_penalty=search.length_penalty,
            forbidden=[fitted.tokenizer.unknown_id],
        )
        for row, each in zip(rows.tolist(), hypotheses, strict=True):
            if not each:
                raise ModelFileError(
                    "The weights of this model are so large that its scores are no numbers."
                )
            found[row] = each[: search.n_best or 1]
    return found


def _answer(fitted: Fitted, found: Hypothesis) -> Answer:
    text = fitted.tokenizer.decode(found.tokens)
    return Answer(text, found.score, found.log_probability, found.cut)


def warn_of_cuts(found: Sequence[Sequence[Answer | Hypothesis]], first: int = 1) -> None:
    """Say which texts, numbered from `first`, have a best answer that was cut at its limit."""
    cut = [str(number) for number, each in enumerate(found, start=first) if each[0].cut]
    if cut:
        some = ", ".join(cut[:SHOWN]) + ", …" * (len(cut) > SHOWN)
        warnings.warn(
            f"{many(len(cut), 'answer')} came to max_tokens without an end and "
            f"{'was' if len(cut) == 1 else 'were'} cut: of text {some}.",
            stacklevel=3,
        )
