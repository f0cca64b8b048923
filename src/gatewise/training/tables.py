"""Row-wise lazy AdamW: of a large table only the rows that a step reads are touched.

Gradient, norm, AdamW and running average cost as much as the rows that a batch has, not as the
table. What the other rows missed is made good when they are read next; see `resting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.optim.adamw import adamw

from gatewise.nn.table import Table
from gatewise.training.resting import BETA1, BETA2, EPS, MissedSteps

BLOCK = 512
"""Rows that are worked on together: all that is known of them stays in cache."""


@dataclass(frozen=True)
class Rows:
    """Some rows of a table, (R, E) each, brought up to now: a step changes them in place."""

    places: Tensor
    weight: Tensor
    mean: Tensor
    square: Tensor
    average: Tensor


class Read(NamedTuple):
    """The rows that a step reads, (R, E), and their places in the table."""

    places: Tensor
    weight: Tensor


class LazyTable:
    """A table with AdamW's moments and the running average of every row, each up to its last step.

    Args:
        table: hands out its rows through this one until `release`.
        missed: the steps that rows may have missed; shared by all tables of a network.
        weight_decay: of AdamW.
    """

    def __init__(self, table: Table, missed: MissedSteps, weight_decay: float) -> None:
        self.table = table
        self.average = table.detach().clone()
        self._mean = torch.zeros_like(self.average)
        self._square = torch.zeros_like(self.average)
        self._last = np.full(len(table), missed.step)
        self._missed = missed
        self._weight_decay = weight_decay
        self._read: Read | None = None
        table.reader = self._hand_out

    def release(self) -> None:
        """Let the table be a parameter like others again."""
        self.table.reader = None

    def zero_grad(self) -> None:
        """Forget the rows that were read: another step begins."""
        self._read = None

    @property
    def gradient(self) -> Tensor | None:
        """Of the rows that were read, (R, E)."""
        return None if self._read is None else self._read.weight.grad

    @torch.no_grad()
    def step(self, rate: float, average_kept: float) -> None:
        """AdamW's step for the rows that were read, and their average's."""
        if self._read is None or self.gradient is None:
            return
        blocks = torch.split(self._read.places, BLOCK), torch.split(self.gradient, BLOCK)
        for places, gradient in zip(*blocks, strict=True):
            rows = self._up_to_now(places)
            adamw(
                [rows.weight],
                [gradient],
                [rows.mean],
                [rows.square],
                [],
                [torch.tensor(float(self._missed.step))],
                fused=True,
                amsgrad=False,
                beta1=BETA1,
                beta2=BETA2,
                lr=rate,
                weight_decay=self._weight_decay,
                eps=EPS,
                maximize=False,
            )
            if average_kept < 1:
                rows.average.lerp_(rows.weight, 1 - average_kept)
            self._write(rows, self._missed.step + 1)

    @torch.no_grad()
    def settle(self) -> None:
        """Bring all rows up to now."""
        for places in torch.split(torch.arange(len(self.table)), BLOCK):
            self._write(self._up_to_now(places), self._missed.step)

    def _hand_out(self, places: Tensor) -> Tensor:
        if self._read is not None:
            raise RuntimeError("A table can be read only once in a training step.")
        with torch.no_grad():
            weight = torch.cat(
                [self._up_to_now(block).weight for block in torch.split(places, BLOCK)]
            )
        self._read = Read(places, weight.requires_grad_())
        return self._read.weight

    @torch.no_grad()
    def _up_to_now(self, places: Tensor) -> Rows:
        weight, mean, square, average = (
            stored.index_select(0, places)
            for stored in (self.table, self._mean, self._square, self.average)
        )
        numbers = self._missed.since(self._last[places.numpy()])
        shrunk, moved, kept, taken, followed, beta1, beta2 = torch.from_numpy(numbers).to(weight)[
            :, :, None
        ]
        direction = mean / square.sqrt().add_(self._missed.epsilon)
        average.mul_(kept).addcmul_(weight, taken).addcmul_(direction, followed, value=-1)
        weight.mul_(shrunk).addcmul_(direction, moved, value=-1)
        return Rows(places, weight, mean.mul_(beta1), square.mul_(beta2), average)

    def _write(self, rows: Rows, step: int) -> None:
        self.table.index_copy_(0, rows.places, rows.weight)
        self._mean.index_copy_(0, rows.places, rows.mean)
        self._square.index_copy_(0, rows.places, rows.square)
        self.average.index_copy_(0, rows.places, rows.average)
        self._last[rows.places.numpy()] = step
