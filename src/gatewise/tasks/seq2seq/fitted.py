"""What a text-to-text model has learned: everything that answering needs, in one piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from gatewise.encoder import Encoder, Floats
from gatewise.kernels import Linear
from gatewise.ragged import Ragged
from gatewise.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from gatewise.tasks.seq2seq.report import Report
    from gatewise.tasks.seq2seq.task import Seq2Seq


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model's options with all values, its tokenizer and weights.

    The classes of its answers are the V tokens of the vocabulary and, as the last one, the end of a
    text, which also stands before every target: K = V + 1.
    """

    chosen: Seq2Seq
    tokenizer: Tokenizer
    weights: dict[str, Floats]
    report: Report | None

    @property
    def end(self) -> int:
        """The id of the end of a text."""
        return len(self.tokenizer)

    @cached_property
    def encoder(self) -> Encoder:
        """The recurrent layers that read sources, laid out for answering."""
        return Encoder(self.chosen.encoder_shape(len(self.tokenizer)), self._part("encoder."))

    @cached_property
    def decoder(self) -> Encoder:
        """The recurrent layers that write targets, laid out for answering."""
        return Encoder(self.chosen.decoder_shape(len(self.tokenizer)), self._part("decoder."))

    def _part(self, prefix: str) -> dict[str, Floats]:
        names = [name for name in self.weights if name.startswith(prefix)]
        part = {name.removeprefix(prefix): self.weights[name] for name in names}
        return part | {"embedding.weight": self.weights["embedding.weight"]}

    def encode(self, texts: Sequence[str]) -> Ragged:
        """Every text as the ids of its tokens and the end behind them."""
        return self.tokenizer.encode(texts).ended(self.end)

    @cached_property
    def output_layer(self) -> Linear:
        """What scores all classes, laid out for answering."""
        return Linear(self.weights["embedding.weight"], self.weights["output.bias"])

    @cached_property
    def key(self) -> Linear:
        """From a state of the encoder to what attention compares with those of the decoder."""
        return Linear(self.weights["attention.key.weight"])

    @cached_property
    def value(self) -> Linear:
        """From a state of the encoder to what attention answers with."""
        return Linear(self.weights["attention.value.weight"])

    @cached_property
    def query(self) -> Linear | None:
        """From a state of the decoder to what additive attention compares; None for "dot"."""
        if self.chosen.attention == "dot":
            return None
        return Linear(self.weights["attention.query.weight"], self.weights["attention.query.bias"])

    @cached_property
    def projection(self) -> Linear:
        """From a state of the decoder to its share of an output."""
        return Linear(self.weights["projection.weight"], self.weights["projection.bias"])
