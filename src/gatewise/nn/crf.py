"""The linear-chain conditional random field (Lafferty, McCallum & Pereira 2001)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gatewise.chains import Chain, Sums, side_by_side


class CRF(nn.Module):
    """Scores of whole label sequences: of every label at its token, and of labels side by side.

    It computes on the CPU, in float64, whatever its scores are on and of.

    Args:
        labels: how many there are, L.
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(labels, labels))
        self.start = nn.Parameter(torch.zeros(labels))
        self.end = nn.Parameter(torch.zeros(labels))

    def chain(self) -> Chain:
        """What paths score beside their tokens, as `gatewise.decoding.viterbi` takes it."""
        parts = (self.transitions, self.start, self.end)
        return Chain(*(part.detach().cpu().numpy() for part in parts))

    def forward(self, scores: Tensor, offsets: Tensor, labels: Tensor) -> Tensor:
        """Sum of the negative log-likelihoods of B label sequences, exact; empty ones add 0.

        Args:
            scores: of every label for every token, (N, L).
            offsets: where sequences start and end, (B + 1,), int64.
            labels: the true labels, (N,), int64.

        Returns:
            A scalar, in nats.
        """
        loss: Tensor = _Loss.apply(  # type: ignore[no-untyped-call]
            scores, self.transitions, self.start, self.end, offsets, labels
        )
        return loss


class _Loss(torch.autograd.Function):
    """The gradient is what the labels are expected to be less what they are."""

    @staticmethod
    def forward(
        ctx: Any,
        scores: Tensor,
        transitions: Tensor,
        start: Tensor,
        end: Tensor,
        offsets: Tensor,
        labels: Tensor,
    ) -> Tensor:
        walk = side_by_side(offsets.cpu().numpy())
        chain = Chain(*(part.detach().cpu().numpy() for part in (transitions, start, end)))
        walked = scores.detach().cpu().numpy()[walk.rows]
        true = labels.cpu().numpy()[walk.rows]
        sums = Sums(walked, walk, chain)
        rows, firsts = np.arange(len(true)), slice(0, len(walk.order))
        before, after = true[walk.before], true[len(walk.order) :]
        gold = walked[rows, true].sum(dtype=np.float64)
        gold += chain.transitions[before, after].sum(dtype=np.float64)
        gold += chain.start[true[firsts]].sum(dtype=np.float64)
        gold += chain.end[true[walk.lasts]].sum(dtype=np.float64)

        d_walked = sums.marginals()
        d_walked[rows, true] -= 1
        d_transitions = sums.transitions()
        np.subtract.at(d_transitions, (before, after), 1)
        d_scores = np.empty_like(d_walked)
        d_scores[walk.rows] = d_walked
        found = d_scores, d_transitions, d_walked[firsts].sum(0), d_walked[walk.lasts].sum(0)
        wanted = scores, transitions, start, end
        gradients = [torch.from_numpy(d).to(x) for d, x in zip(found, wanted, strict=True)]
        ctx.save_for_backward(*gradients)
        return scores.new_tensor(float(sums.log_total.sum() - gold))

    @staticmethod
    def backward(ctx: Any, *d_loss: Tensor) -> tuple[Tensor | None, ...]:
        return (*(gradient * d_loss[0] for gradient in ctx.saved_tensors), None, None)
