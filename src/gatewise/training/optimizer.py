"""The optimizer of a training run: AdamW with its schedule, clipping and running average."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gatewise.nn.table import Table
from gatewise.options import Training
from gatewise.training.average import WeightAverage
from gatewise.training.interruption import uninterrupted
from gatewise.training.resting import MissedSteps
from gatewise.training.schedule import Rate, one_cycle
from gatewise.training.tables import LazyTable

LARGE = 4096
"""Rows from which a table is followed row by row; a smaller one is faster as a whole."""


class Optimizer:
    """Fused AdamW for all weights, row-wise lazy AdamW for large tables.

    Args:
        network: whose parameters are trained.
        training: rates, clipping, averaging.
        steps: of the whole run.
        rates: of the weights that do not learn at the usual one, by their names.
    """

    USUAL_RATE = 0.002

    def __init__(
        self,
        network: nn.Module,
        training: Training,
        steps: int,
        rates: Mapping[str, Rate] | None = None,
    ) -> None:
        self._clip = training.clip
        groups: dict[Rate, list[nn.Parameter]] = {}
        for name, parameter in network.named_parameters():
            if parameter.requires_grad:
                groups.setdefault((rates or {}).get(name, Rate()), []).append(parameter)
        self._tables: list[list[LazyTable]] = []
        self._missed = [MissedSteps(training.weight_decay) for _ in groups]
        for parameters, missed in zip(groups.values(), self._missed, strict=True):
            large = [p for p in parameters if isinstance(p, Table) and len(p) >= LARGE]
            self._tables.append([LazyTable(p, missed, training.weight_decay) for p in large])
        followed = {id(table.table) for table in self._every_table()}
        dense = [[p for p in group if id(p) not in followed] for group in groups.values()]
        self._dense = [p for group in dense for p in group]
        self._adamw = torch.optim.AdamW(
            [{"params": group} for group in dense],
            training.learning_rate,
            weight_decay=training.weight_decay,
            fused=True,
        )
        self._schedule = one_cycle(self._adamw, steps, training.warmup, list(groups))
        self.average = WeightAverage(network, training.average, self._every_table())

    def zero_grad(self) -> None:
        """Forget the gradients of the step before."""
        self._adamw.zero_grad()
        for table in self._every_table():
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
        rates = [float(rate) for rate in self._schedule.get_last_lr()]
        # Rows, their averages and the step they are from belong together.
        with uninterrupted():
            self._adamw.step()
            self._schedule.step()
            kept = self.average.update()
            for rate, tables, missed in zip(rates, self._tables, self._missed, strict=True):
                for table in tables:
                    table.step(rate, kept)
                missed.advance(rate, kept)
        if self._missed[0].full:
            self.settle()

    def settle(self) -> None:
        """Bring all rows of all tables and of their averages up to now."""
        with uninterrupted():
            for table in self._every_table():
                table.settle()
            for missed in self._missed:
                missed.restart()

    def stalled(self) -> bool:
        """Whether it goes on in another way where the dev rows do not get better: it does not."""
        return False

    def release(self) -> None:
        """Let the network's tables be parameters like others again."""
        for table in self._every_table():
            table.release()

    def _every_table(self) -> list[LazyTable]:
        return [table for group in self._tables for table in group]

    def _gradients(self) -> list[Tensor]:
        gradients = [p.grad for p in self._dense] + [
            table.gradient for table in self._every_table()
        ]
        return [gradient for gradient in gradients if gradient is not None]
