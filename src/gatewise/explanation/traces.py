"""Traces: what the recurrent layers did at every token of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gatewise.cells import CELLS
from gatewise.data.problems import shown
from gatewise.encoder import Encoder, Floats, State
from gatewise.kernels import Output
from gatewise.text.tokenizer import Tokenizer

Direction = Literal["forward", "backward"]
DIRECTIONS: tuple[Direction, Direction] = ("forward", "backward")


@dataclass(frozen=True, slots=True)
class Word:
    """A token that the model read, whatever its level: a word, a part of one, a character.

    Attributes:
        text: the slice `[start:stop]` of the text; of a mark such as "<end>" its name.
        start: its place in the text, in characters.
        stop: where it ends.
        known: whether it is in the vocabulary.
        note: what else there is to say of it, as a text for people.
        tag: of a tagger, the tag that it was given.
    """

    text: str
    start: int
    stop: int
    known: bool = True
    note: str = ""
    tag: str = ""

    @property
    def visible(self) -> str:
        """The text for people: with a sign for a lone space, and nothing in it that hides."""
        return "␣" if self.text == " " else shown(self.text, len(self.text))


@dataclass(frozen=True, eq=False)
class Trace:
    """What one direction of one layer did at every one of T tokens, in the order of the text.

    The numbers of the answer itself, from the kernel. A backward direction reads the last token
    first. An rnn has no gates: its hidden state is all there is.

    Attributes:
        layer: from 1, the lowest.
        direction: how it read the text.
        gates: activations by name, (T, H) each, as `gatewise.cells` defines them: input, forget,
            candidate and output of an lstm; reset, update and candidate of a gru.
        cell: cell states after every token, (T, H); None but for an lstm.
        hidden: hidden states after every token, (T, H).
    """

    layer: int
    direction: Direction
    gates: dict[str, Floats]
    cell: Floats | None
    hidden: Floats

    @property
    def name(self) -> str:
        """For people: "layer 1, forward"."""
        return f"layer {self.layer}, {self.direction}"

    @property
    def parts(self) -> dict[str, Floats]:
        """Gates, cell and hidden states by name, (T, H) each."""
        cell = {} if self.cell is None else {"cell": self.cell}
        return self.gates | cell | {"hidden": self.hidden}


@dataclass(frozen=True, eq=False)
class Reading:
    """What the recurrent layers did while a text was read.

    Attributes:
        text: as given.
        words: the T tokens that were read.
        layers: of every layer and direction, lowest first and forward before backward.
    """

    text: str
    words: tuple[Word, ...]
    layers: tuple[Trace, ...]


def traces(
    encoder: Encoder,
    values: Floats,
    offsets: NDArray[np.int64],
    threads: int | None,
    precision: str,
    start: Sequence[State] | None = None,
) -> list[tuple[Trace, ...]]:
    """The traces of every text, lowest layer first and forward before backward.

    Args:
        encoder: whose layers.
        values: vectors of the tokens, (N, E).
        offsets: where texts start and end, (B + 1,).
        threads: by default all cores.
        precision: of the products, that of the answers.
        start: of every layer, the states before the first token; zeros if None.
    """
    layers = encoder.traced(values, offsets, start, threads, precision)
    return [
        tuple(trace for layer, output in enumerate(layers, 1) for trace in _of(layer, output, some))
        for some in (slice(start, stop) for start, stop in pairwise(offsets.tolist()))
    ]


def _of(layer: int, output: Output, some: slice) -> list[Trace]:
    size = output.final_hidden.shape[2]
    cell = CELLS[output.cell]
    names = cell.gates if len(cell.gates) > 1 else ()
    gates, cells = output.gates, output.saved_cells
    return [
        Trace(
            layer,
            DIRECTIONS[d],
            {name: gates[name][d, some] for name in names},
            None if cells is None else cells[d, some],
            output.hidden[some, d * size : (d + 1) * size],
        )
        for d in range(len(output.final_hidden))
    ]


def placed_words(tokenizer: Tokenizer, text: str) -> tuple[Word, ...]:
    """The tokens of a text, as `Tokenizer.encode` reads them."""
    unknown = tokenizer.unknown_id
    return tuple(
        Word(token.text, token.start, token.stop, token.id != unknown)
        for token in tokenizer.tokens(text)
    )


def moved(words: Sequence[Word], by: int) -> list[Word]:
    """The words of a part of a text that begins so many characters behind its start."""
    return [replace(word, start=word.start + by, stop=word.stop + by) for word in words]


def parted(words: Sequence[Word]) -> list[bool]:
    """Whether a word is shown apart from the one before it, as it is in the text; marks are."""
    marks = [word.start == word.stop for word in words]
    return [False] * bool(words) + [
        word.start > before.stop or mark or mark_before
        for (before, word), (mark_before, mark) in zip(
            pairwise(words), pairwise(marks), strict=True
        )
    ]
