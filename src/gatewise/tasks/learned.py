"""What the models of all tasks have in common: options, and what was learned with them."""

from __future__ import annotations

from dataclasses import Field, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, cast

from gatewise import kernels, options
from gatewise.encoder import Floats
from gatewise.errors import NotFittedError, need
from gatewise.options import AnswerPrecision
from gatewise.store import write_folder
from gatewise.tasks import task_of
from gatewise.tasks.card import Description, card
from gatewise.tasks.report import TrainingReport
from gatewise.text.tokenizer import Tokenizer


def need_torch(what: str) -> None:
    """Ask this before an import that brings PyTorch.

    Raises:
        MissingExtraError: PyTorch is not installed.
    """
    from gatewise import nn  # noqa: F401, PLC0415 - before torch: how its threads wait

    need(what, "train", "torch")


class Fitted(Protocol):
    """What every task's `Fitted`, a dataclass, holds."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def chosen(self) -> Any:
        """The model with all options that followed from what it learned from."""

    @property
    def tokenizer(self) -> Tokenizer:
        """What numbers the tokens."""

    @property
    def weights(self) -> dict[str, Floats]:
        """All arrays by name."""

    @property
    def report(self) -> TrainingReport | None:
        """What training did."""


F = TypeVar("F", bound=Fitted)
R = TypeVar("R", bound=TrainingReport)


class Learner(Generic[F, R]):
    """A dataclass of options that takes over what a fit or a folder brings.

    A task says by `_labels`, `_description` and `_pictures` what its folder holds.
    """

    def __post_init__(self) -> None:
        options.check(self)
        self.threads: int | None = None
        """Threads that answers take, by default all cores. May be changed; it is not saved."""
        self.precision: AnswerPrecision = "fp32"
        """Of the recurrent layers' products in answers. May be changed; it is not saved."""
        self._fitted: F | None = None

    @property
    def weights_(self) -> dict[str, Floats]:
        """All arrays by name, as in `weights.safetensors`."""
        return self.fitted().weights

    @property
    def tokenizer_(self) -> Tokenizer:
        """The tokenizer that was learned; that of a tagger numbers its words."""
        return self.fitted().tokenizer

    @property
    def chosen_(self) -> Self:
        """This model with all options, those that followed from what it learned from included."""
        return cast(Self, self.fitted().chosen)

    @property
    def report_(self) -> R | None:
        """What training did and how good the answers are; None if a folder does not tell."""
        return cast("R | None", self.fitted().report)

    @report_.setter
    def report_(self, report: R) -> None:
        self.take(replace(self.fitted(), report=report))

    def save(self, folder: str | Path) -> None:
        """Write the model folder: all that answering needs, the report, and a card for people.

        Raises:
            NotFittedError: nothing was learned yet.
            ModelFileError: the place holds something else than a model, or cannot be written.
        """
        fitted = self.fitted()
        chosen, report = options.values(fitted.chosen), fitted.report
        pictures = self._pictures(fitted)
        write_folder(
            folder,
            task=task_of(self),
            options=chosen,
            tokenizer=fitted.tokenizer.to_json(),
            labels=self._labels(fitted),
            weights=fitted.weights,
            training=report.as_json() if report else None,
            card=card(self._description(fitted), report, chosen, pictures) if report else "",
            pictures=pictures,
        )

    def _labels(self, fitted: F) -> Any:
        """What labels.json holds."""
        return {}

    def _description(self, fitted: F) -> Description:
        """What the card says of the model."""
        raise NotImplementedError

    def _pictures(self, fitted: F) -> dict[str, bytes]:
        """Pictures of the report by file name."""
        return {}

    def fitted(self) -> F:
        """What was learned.

        Raises:
            NotFittedError: nothing was.
        """
        if self._fitted is None:
            raise NotFittedError(
                f"This {type(self).__name__} has learned nothing yet. Call fit, or load a model "
                "folder."
            )
        return self._fitted

    def take(self, fitted: F) -> None:
        """Take over what a fit or a folder brings, at once: no answer ever mixes two models."""
        self._fitted = fitted

    def settings(self) -> tuple[int | None, kernels.Precision]:
        """Threads and precision of an answer."""
        return self.threads, kernels.chosen_precision(self.precision)
