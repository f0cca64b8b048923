"""The training loop: one plain generator of epochs that every task trains through."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from gatewise.errors import TrainingError
from gatewise.options import Training
from gatewise.training.average import Best
from gatewise.training.averaged_sgd import AveragedSGD
from gatewise.training.guard import Diverged, Guard
from gatewise.training.optimizer import Optimizer
from gatewise.training.progress import Epoch, Progress
from gatewise.training.schedule import Rate


class Batch(Protocol):
    """What the loop needs to know of a batch: how many tokens it holds."""

    @property
    def tokens(self) -> int:
        """Tokens of all its rows together."""


B = TypeVar("B", bound=Batch)
INTERRUPTED = "interrupted; the best weights so far are kept"


def train(
    network: nn.Module,
    loss_of: Callable[[B], Tensor],
    batches: Callable[[int], Iterable[B]],
    score: Callable[[], float | None],
    training: Training,
    steps: int,
    progress: Progress,
    rates: Mapping[str, Rate] | None = None,
    optimizers: type[Optimizer] | type[AveragedSGD] = Optimizer,
    *,
    keep_last: bool = False,
) -> Iterator[Epoch]:
    """Train a network, yielding after every epoch; it ends holding the best averaged weights.

    However it ends, the network can then be trained like any other.

    Args:
        network: whose parameters are trained.
        loss_of: the mean loss of a batch.
        batches: the batches of an epoch, by its number from 1.
        score: how good the network is on the dev rows, greater is better; None without dev rows.
        training: epochs, rates, clipping, averaging, patience.
        steps: batches of all epochs.
        progress: is told of every step and epoch.
        rates: of the weights that do not learn at the usual one, by their names.
        optimizers: what moves the weights.
        keep_last: whether every epoch counts as better than the one before.

    Raises:
        TrainingError: the loss became infinite or ran away before anything was learned.
    """
    epochs = training.epochs
    assert epochs is not None
    optimizer = optimizers(network, training, steps, rates)
    try:
        guard = Guard(training.learning_rate, optimizers.USUAL_RATE)
        best, least_loss, scored = Best(optimizer.average), float("inf"), False

        for number in range(1, epochs + 1):
            started, done, tokens, losses, stop = time.perf_counter(), 0, 0, 0.0, ""
            network.train()
            try:
                for batch in batches(number):
                    optimizer.zero_grad()
                    loss = loss_of(batch)
                    loss.backward()  # type: ignore[no-untyped-call]
                    norm = optimizer.gradient_norm()
                    if guard.passes(loss.item(), norm):
                        optimizer.step(norm)
                    done, tokens, losses = done + 1, tokens + batch.tokens, losses + guard.loss
                    progress.step(batch.tokens, guard.loss)
            except KeyboardInterrupt:
                stop = INTERRUPTED
            except Diverged as problem:
                # The dev rows tell whether an epoch before was any good; else its loss must.
                if best.number == 0 or (not scored and least_loss >= guard.first_loss):
                    raise TrainingError(str(problem)) from None
                stop = f"{problem} The weights of epoch {best.number} are kept."
            seconds, mean_loss = time.perf_counter() - started, losses / max(done, 1)
            least_loss = min(least_loss, mean_loss)
            network.eval()
            try:
                optimizer.settle()
                with optimizer.average.applied(), torch.no_grad():
                    dev_score = score()
                scored = dev_score is not None
                # While nothing at all is right, as spans at first, the loss tells epochs apart.
                quality = float(number) if keep_last else dev_score or -mean_loss
            except KeyboardInterrupt:
                stop, dev_score = INTERRUPTED, None
                quality = float("inf") if best.number == 0 else float("-inf")
            better = best.offer(number, quality)
            goes_on = number < epochs and not stop
            if goes_on and best.waited(number, training.patience) and not optimizer.stalled():
                stop = f"no better dev score for {training.patience} epochs"
            epoch = Epoch(number, mean_loss, dev_score, better, seconds, tokens / seconds, stop)
            progress.epoch(epoch)
            yield epoch
            if stop:
                break
        best.restore()
    finally:
        # Also when the caller stops asking for epochs, and after an error.
        optimizer.release()
