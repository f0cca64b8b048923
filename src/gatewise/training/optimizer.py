"""The optimizer of a training run: AdamW with its schedule, clipping and running average."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gatewise.nn.table import Table
from gatewise.options import Training
from gatewise.training.average import WeightAverage
from gatewise.training.interruption import uninterrupted
from gatewise.training.resting import MissedSteps
from gatewise.training.schedule import one_cycle
from gatewise.training.tables import LazyTable

LARGE = 4096
"""Rows from which a table is followed row by row; a smaller one is faster as a whole."""


class Optimizer:
    """Fused AdamW for all weights, row-wise lazy AdamW for large tables.

    Args:
        network: whose parameters are trained.
        training: rates, clipping, averaging.
        steps: of the whole run.
    """

    def __init__(self, network: nn.Module, training: Training, steps: int) -> None:
        self._clip = training.clip
        self._missed = MissedSteps(training.weight_decay)
        parameters = [p for p in network.parameters() if p.requires_grad]
        large = [p for p in parameters if isinstance(p, Table) and len(p) >= LARGE]
        self._tables = [LazyTable(p, self._missed, training.weight_decay) for p in large]
        followed = {id(p) for p in large}
        self._dense = [p for p in parameters if id(p) not in followed]
        self._adamw = torch.optim.AdamW(
            self._dense, training.learning_rate, weight_decay=training.weight_decay, fused=True
        )
        self._schedule = one_cycle(self._adamw, steps, training.warmup)
        self.average = WeightAverage(network, training.average, self._tables)

    def zero_grad(self) -> None:
        """Forget the gradients of the step before."""
        self._adamw.zero_grad()
        for table in self._tables:
            table.zero_grad()

    def gradient_norm(self) -> float:
        """Norm of the gradient of all weights; rows that were not read have none."""
        return nn.utils.get_total_norm(self._gradients()).item()

    def step(self, gradient_norm: float) -> None:
        """Move the weights, against the gradient scaled down to the norm `clip` if that is not 0.

        Args:
            gradient_norm: what `gradient_norm` said.
        """
        if 0 < self._clip < gradient_norm:
            torch._foreach_mul_(self._gradients(), self._clip / (gradient_norm + 1e-6))
        rate = self._schedule.get_last_lr()[0]
        # Rows, their averages and the step they are from belong together.
        with uninterrupted():
            self._adamw.step()
            self._schedule.step()
            kept = self.average.update()
            for table in self._tables:
                table.step(float(rate), kept)
            self._missed.advance(float(rate), kept)
        if self._missed.full:
            self.settle()

    def settle(self) -> None:
        """Bring all rows of all tables and of their averages up to now."""
        with uninterrupted():
            for table in self._tables:
                table.settle()
            self._missed.restart()

    def release(self) -> None:
        """Let the network's tables be parameters like others again."""
        for table in self._tables:
            table.release()

    def _gradients(self) -> list[Tensor]:
        gradients = [p.grad for p in self._dense] + [table.gradient for table in self._tables]
        return [gradient for gradient in gradients if gradient is not None]
