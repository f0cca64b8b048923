"""The guard of a training run: leaves out steps that are not numbers, stops a run that diverges."""

from __future__ import annotations

import math

SKIPPED = 3
"""Steps in a row that may have an infinite loss or gradient before the run is stopped."""
FIRST = 10
"""Steps whose mean loss counts as the loss of a network that has learned nothing."""


class Diverged(Exception):  # noqa: N818 - it ends a run, it is not a user's mistake by itself
    """A run has no use any more; the message says why."""


class Guard:
    """Watches the loss and the gradient of every step.

    Args:
        learning_rate: named in the advice when the run diverges.
        usual: rate of the optimizer, likewise.
    """

    def __init__(self, learning_rate: float, usual: float) -> None:
        self.loss = 0.0
        """Loss of the last step that was a number."""
        self._learning_rate = learning_rate
        self._usual = usual
        self._skipped = 0
        self._steps = 0
        self.first_loss = 0.0
        """Loss before anything was learned: the mean of the first steps."""
        self._smooth = 0.0

    def passes(self, loss: float, gradient_norm: float) -> bool:
        """Whether a step may change the weights.

        Raises:
            Diverged: too many steps in a row were no numbers, or the loss ran away.
        """
        if not (math.isfinite(loss) and math.isfinite(gradient_norm)):
            self._skipped += 1
            if self._skipped > SKIPPED:
                what = "loss" if not math.isfinite(loss) else "gradient"
                raise Diverged(
                    f"The {what} was infinite or not a number for {self._skipped} steps in a row, "
                    f"after {self._steps} good ones. {self._advice()}"
                )
            return False
        self._skipped = 0
        self._steps += 1
        self.loss = loss
        if self._steps <= FIRST:
            self.first_loss += (loss - self.first_loss) / self._steps
            self._smooth = self.first_loss
            return True
        self._smooth += 0.05 * (loss - self._smooth)
        if self._smooth > 2 * self.first_loss + 1:
            raise Diverged(
                f"Training diverged: the loss rose from {self.first_loss:.3g} to "
                f"{self._smooth:.3g} within {self._steps} steps. {self._advice()}"
            )
        return True

    def _advice(self) -> str:
        if self._learning_rate > 5 * self._usual:
            return (
                f"The learning rate {self._learning_rate:g} is too large; {self._usual:g} is usual."
            )
        return f"Try a learning rate of {self._learning_rate / 4:g}."
