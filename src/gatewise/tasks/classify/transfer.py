"""What a fit of a classifier starts from: a language model, an earlier fit, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gatewise.tasks import transfer
from gatewise.tasks.classify.labels import Labels
from gatewise.tasks.classify.network import ClassifierNetwork
from gatewise.tasks.language.task import LanguageModel
from gatewise.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from gatewise.tasks.classify.fitted import Fitted
    from gatewise.tasks.classify.task import TextClassifier


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
        if earlier is not None:
            return cls(None, earlier)
        return cls(transfer.pretrained(classifier))

    def __bool__(self) -> bool:
        return self.model is not None or self.earlier is not None

    def options(self, classifier: TextClassifier) -> TextClassifier:
        """The classifier with what is already decided by what it starts from."""
        if self.earlier is not None:
            return replace(self.earlier.chosen, vectors=None)
        if self.model is None:
            return classifier
        shared = transfer.taken_over(classifier, self.model)
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

    def fill(self, network: ClassifierNetwork) -> None:
        """Let a network start with the weights that there are; labels that are new start at 0."""
        if self.model is not None:
            transfer.fill(network.encoder, self.model)
        if self.earlier is not None:
            network.take(self.earlier.weights)
