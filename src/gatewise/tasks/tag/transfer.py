"""Transfer: a tagger that starts from a language model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from gatewise.errors import OptionError
from gatewise.tasks import load
from gatewise.tasks.language.task import LanguageModel
from gatewise.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from gatewise.tasks.tag.network import TaggerNetwork
    from gatewise.tasks.tag.task import SequenceTagger

SHARED = (
    "lowercase",
    "max_vocabulary",
    "min_count",
    "cell",
    "embedding_size",
    "hidden_size",
    "num_layers",
    "bidirectional",
)
"""Options that a tagger takes over from the language model that it starts from."""


@dataclass(frozen=True)
class Beginning:
    """What a fit starts from: a language model or nothing."""

    model: LanguageModel | None = None

    @classmethod
    def of(cls, tagger: SequenceTagger) -> Beginning:
        """The beginning that a tagger's options make.

        Raises:
            OptionError: the option 'encoder' is no language model of words.
            ModelFileError, NotFittedError: there is no language model yet.
        """
        given = tagger.encoder
        if given is None:
            return cls()
        model = load(given) if isinstance(given, (str, Path)) else given
        if not isinstance(model, LanguageModel):
            raise OptionError(
                "The 'encoder' option of SequenceTagger must be a LanguageModel or the folder of "
                f"one. Got {type(model).__name__}."
            )
        if model.chosen_.level not in ("word", "whitespace"):
            raise OptionError(
                "A tagger starts from a language model of words. The level of this one is "
                f"{model.chosen_.level}."
            )
        return cls(model)

    def options(self, tagger: SequenceTagger) -> SequenceTagger:
        """The tagger with what is already decided by what it starts from."""
        if self.model is None:
            return tagger
        shared = {name: getattr(self.model.chosen_, name) for name in SHARED}
        for field in fields(tagger):
            given = getattr(tagger, field.name)
            if field.name in shared and given not in (field.default, shared[field.name]):
                raise OptionError(
                    f"The '{field.name}' option of a SequenceTagger with an 'encoder' is that of "
                    f"the language model, {shared[field.name]}. Got {given}. Leave it out."
                )
        return replace(tagger, encoder=None, **shared)

    def tokenizer(self, tagger: SequenceTagger, texts: Iterable[str]) -> Tokenizer:
        """The tokenizer of the language model, or one that texts of joined tokens teach."""
        if self.model is not None:
            return self.model.tokenizer_
        return Tokenizer.train(
            texts,
            level="whitespace",
            lowercase=tagger.lowercase,
            max_vocabulary=tagger.max_vocabulary,
            min_count=tagger.min_count,
        )

    @torch.no_grad()
    def fill(self, network: TaggerNetwork) -> None:
        """Let a network start with the weights of the language model.

        What stands beside the vectors of words says nothing at first.
        """
        if self.model is None:
            return
        encoder = network.encoder
        wanted = encoder.state_dict()
        for name, weight in self.model.weights_.items():
            if name not in wanted:
                continue
            given = torch.from_numpy(weight[: len(wanted[name])])
            wanted[name].zero_()
            wanted[name][tuple(slice(length) for length in given.shape)] = given
        if encoder.embedding.subwords is not None:  # which no language model ever read
            encoder.embedding.subwords.zero_()
