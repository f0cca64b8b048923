"""What the models of all tasks have in common: options, and what was learned with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from gatewise import kernels, options
from gatewise.encoder import Floats
from gatewise.errors import MissingExtraError, NotFittedError
from gatewise.options import AnswerPrecision


@contextmanager
def torch_needed(what: str) -> Iterator[None]:
    """Import in this block what brings PyTorch; without it, a sentence says how to come by it.

    Raises:
        MissingExtraError: PyTorch is not installed.
    """
    from gatewise import nn  # noqa: F401, PLC0415 - before torch: how its threads wait

    try:
        yield
    except ModuleNotFoundError as problem:
        if problem.name != "torch":
            raise
        raise MissingExtraError(what, "train") from problem


class Fitted(Protocol):
    """What every task's `Fitted` holds."""

    @property
    def weights(self) -> dict[str, Floats]:
        """All arrays by name."""


F = TypeVar("F", bound=Fitted)


class Learner(Generic[F]):
    """A dataclass of options that takes over what a fit or a folder brings."""

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
