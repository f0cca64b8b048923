"""Transfer: a classifier that starts from a language model, or goes on from an earlier fit.

The last two steps of ULMFiT (Howard & Ruder 2018) stand here: layers that learn the slower the
lower they are, and from the top down, one more every epoch ("gradual unfreezing").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from gatewise.errors import OptionError
from gatewise.tasks import load
from gatewise.tasks.classify.labels import Labels
from gatewise.tasks.classify.network import ClassifierNetwork
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.tasks.language.task import LanguageModel
from gatewise.text.tokenizer import Tokenizer
from gatewise.training.schedule import Rate

if TYPE_CHECKING:
    from gatewise.tasks.classify.fitted import Fitted
    from gatewise.tasks.classify.task import TextClassifier

SHARED = (
    "level",
    "lowercase",
    "max_vocabulary",
    "min_count",
    "cell",
    "embedding_size",
    "hidden_size",
    "num_layers",
    "bidirectional",
)
"""Options that a classifier takes over from the language model that it starts from."""


@dataclass(frozen=True)
class Beginning:
    """What a fit starts from: a language model, an earlier fit of a classifier, or nothing.

    Args:
        model: the language model.
        earlier: what the classifier learned before.
    """

    model: LanguageModel | None = None
    earlier: Fitted | None = None

    @classmethod
    def of(cls, classifier: TextClassifier, earlier: Fitted | None) -> Beginning:
        """The beginning that a classifier's options and an earlier fit make.

        Raises:
            OptionError: the option 'encoder' is no language model, or 'vectors' stands beside it.
            ModelFileError, NotFittedError: there is no language model yet.
        """
        if earlier is not None or classifier.encoder is None:
            return cls(None, earlier)
        given = classifier.encoder
        model = load(given) if isinstance(given, (str, Path)) else given
        if not isinstance(model, LanguageModel):
            raise OptionError(
                "The 'encoder' option of TextClassifier must be a LanguageModel or the folder of "
                f"one. Got {type(model).__name__}."
            )
        if classifier.vectors is not None:
            raise OptionError("'vectors' and 'encoder' both say what words start from: give one.")
        model.fitted()
        return cls(model)

    def __bool__(self) -> bool:
        return self.model is not None or self.earlier is not None

    def options(self, classifier: TextClassifier) -> TextClassifier:
        """The classifier with what is already decided by what it starts from."""
        if self.earlier is not None:
            return replace(self.earlier.chosen, vectors=None)
        if self.model is None:
            return classifier
        shared = {name: getattr(self.model.chosen_, name) for name in SHARED}
        for field in fields(classifier):
            given = getattr(classifier, field.name)
            if field.name in shared and given not in (field.default, shared[field.name]):
                raise OptionError(
                    f"The '{field.name}' option of a TextClassifier with an 'encoder' is that of "
                    f"the language model, {shared[field.name]}. Got {given}. Leave it out."
                )
        return replace(classifier, encoder=None, **shared)

    def tokenizer(self, classifier: TextClassifier, texts: Sequence[str]) -> Tokenizer:
        """The tokenizer that is there, or one that the texts teach."""
        if self.earlier is not None:
            return self.earlier.tokenizer
        if self.model is not None:
            return self.model.tokenizer_
        return Tokenizer.train(
            texts,
            level=classifier.level,
            lowercase=classifier.lowercase,
            max_vocabulary=classifier.max_vocabulary,
            min_count=classifier.min_count,
        )

    def labels(self, given: Any, names: Sequence[Any] | None) -> Labels:
        """The labels of an earlier fit, and those that are new in what was given.

        Raises:
            DataError: there are fewer than two labels, or not all are of one kind.
        """
        if self.earlier is None or names is not None:
            return Labels.learn(given, names)
        return self.earlier.labels.joined_by(given)

    @torch.no_grad()
    def fill(self, network: ClassifierNetwork) -> None:
        """Let a network start with the weights that there are; labels that are new start at 0."""
        encoder = network.encoder
        if self.model is not None:
            wanted = encoder.state_dict()
            for name, weight in self.model.weights_.items():
                if name in wanted:  # of a vocabulary the end of a text is left out
                    wanted[name].copy_(torch.from_numpy(weight[: len(wanted[name])]))
            if encoder.embedding.subwords is not None:  # which no language model ever read
                encoder.embedding.subwords.zero_()
        if self.earlier is not None:
            network.take(self.earlier.weights)


def rates(
    network: ClassifierNetwork, training: ClassifierTraining, steps: int, *, gradual: bool
) -> dict[str, Rate]:
    """How fast the weights of a network learn that was pretrained, by their names.

    Args:
        network: whose weights they are.
        training: epochs, and how rates differ.
        steps: of the whole run.
        gradual: whether layers begin to learn from the top down.
    """
    assert training.epochs is not None
    layers, found = network.encoder.shape.num_layers, {}
    for name, _ in network.named_parameters():
        layer = re.fullmatch(r"encoder\.recurrent\.\w+_l(\d+)(_reverse)?", name)
        depth = 0
        if layer:
            depth = layers - int(layer[1])
        elif name == "encoder.embedding.weight":
            depth = layers + 1
        first = depth * steps // training.epochs if gradual else 0
        # A short run shall not end before all layers have learned.
        found[name] = Rate(training.layer_decay**-depth, min(first, steps // 2))
    return found
