"""Reading texts with a language model: how likely it found every token, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from gatewise.encoder import Floats, State
from gatewise.ragged import Ragged
from gatewise.tasks.language.fitted import Fitted

READ_AT_ONCE = 16_384
"""Tokens that go through the recurrent layers together, about."""


def read(
    fitted: Fitted, texts: Iterable[str], *, joined: bool, threads: int | None, precision: str
) -> Iterator[tuple[Floats, NDArray[np.int32]]]:
    """The tokens of texts and their ends, in their order, and the outputs that foretell them.

    Args:
        fitted: what reads.
        texts: they need not fit into memory.
        joined: whether the states go on from text to text; if not, every text starts from zeros.
        threads: by default all cores.
        precision: of the recurrent layers' products.

    Yields:
        Outputs before the tokens, (n, E), and the tokens' ids, (n,); n is about READ_AT_ONCE.
    """
    states: list[State] | None = None
    # A word, or a part of one, has about four characters.
    size = READ_AT_ONCE if fitted.tokenizer.level == "char" else 4 * READ_AT_ONCE
    for block in _blocks(texts, size):
        ids = fitted.encode(block)
        before = ids.before(fitted.end)
        if not joined:
            states = None
            if len(block) > 1:  # side by side
                rows = Ragged(before, ids.offsets)
                yield fitted.outputs(rows, None, threads, precision)[0], ids.values
                continue
        for start in range(0, len(before), READ_AT_ONCE):
            some = slice(start, start + READ_AT_ONCE)
            row = Ragged(before[some], np.array([0, len(before[some])]))
            outputs, states = fitted.outputs(row, states, threads, precision)
            yield outputs, ids.values[some]


def _blocks(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    """Texts of `size` characters together, at most; a longer text is a block of its own."""
    block: list[str] = []
    total = 0
    for text in texts:
        length = len(text) + 1  # the end counts
        if block and total + length > size:
            yield block
            block, total = [], 0
        block.append(text)
        total += length
    if block:
        yield block
