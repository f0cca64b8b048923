"""Cross-entropy over a large vocabulary, of which a training step scores a sample only.

The exact loss is log(sum over all classes of exp(score)) - score of the target. The sum is
estimated: class i joins a step with the chance p_i, and then counts exp(score) / p_i (Horvitz &
Thompson 1952). Frequent classes have the chance 1, so most of the sum is exact, and the estimate is
right on average. The target itself always counts once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

FLATTENED = 0.75
"""Power of a class's count that its chance goes with (Mikolov et al. 2013)."""
BLOCK = 512
"""Rows that are scored together: their scores of some thousand classes stay in cache."""
ROWS = 1024
"""The same where nothing is learned and all classes are scored."""
FILLED = 64
"""Rows and classes are filled up to a multiple of this. A step draws another number of classes than
the one before, and torch keeps what it compiles for every new shape of a bf16 product: up to a
gigabyte in all."""


def chances(counts: NDArray[np.int64], samples: int) -> NDArray[np.float64]:
    """The chance of every class to join a step, (K,), such that about `samples` of them do."""
    wanted = np.maximum(counts, 1.0) ** FLATTENED
    order = np.argsort(-wanted)
    # Those before `certain` have the chance 1, and share what is left of the samples by `wanted`.
    rest = np.cumsum(wanted[order][::-1])[::-1]
    certain, samples = 0, min(samples, len(counts))
    while certain < samples and (samples - certain) * wanted[order[certain]] >= rest[certain]:
        certain += 1
    found = np.ones(len(counts))
    if certain < len(counts):
        share = (samples - certain) / rest[certain]
        found[order[certain:]] = np.minimum(1.0, wanted[order[certain:]] * share)
    return found


def log_shares(counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Scores with which a network that has learned nothing answers how often classes occur."""
    shares = (counts + 1.0) / (counts + 1.0).sum()
    return np.asarray(np.log(shares), np.float32)


def scores(outputs: Tensor, vectors: Tensor, bias: Tensor, precision: str) -> Tensor:
    """outputs (N, E) times vectors (C, E), plus bias (C,): (N, C), float32.

    Args:
        outputs: of the recurrent layers.
        vectors: of the classes.
        bias: of the classes.
        precision: of the numbers that are multiplied, fp32 or bf16.
    """
    if precision == "bf16":
        return outputs.bfloat16() @ vectors.bfloat16().T + bias
    return torch.addmm(bias, outputs, vectors.T)


def blocks_of_scores(
    outputs: Tensor, vectors: Tensor, bias: Tensor, precision: str
) -> Iterator[Tensor]:
    """`scores` of all classes, (ROWS, K) at a time: those of all outputs may not fit in memory."""
    for rows in torch.split(outputs, ROWS):
        yield scores(rows, vectors, bias, precision)


def cross_entropy(
    outputs: Tensor, vectors: Tensor, bias: Tensor, targets: Tensor, precision: str
) -> float:
    """Mean exact cross-entropy of N targets over all K classes, in nats; nothing learns from it.

    Args:
        outputs: of the recurrent layers, (N, E).
        vectors: of all classes, (K, E).
        bias: of all classes, (K,).
        targets: numbers of the classes, (N,).
        precision: of the numbers that are multiplied, fp32 or bf16.
    """
    blocks = blocks_of_scores(outputs, vectors, bias, precision)
    total = sum(
        functional.cross_entropy(scored, wanted, reduction="sum").item()
        for scored, wanted in zip(blocks, torch.split(targets, ROWS), strict=True)
    )
    return total / len(targets)


def sampled_cross_entropy(
    outputs: Tensor,
    vectors: Tensor,
    bias: Tensor,
    own: Tensor,
    targets: Tensor,
    drawn: Tensor,
    precision: str,
) -> Tensor:
    """Mean cross-entropy of N targets from the scores of C drawn classes.

    Args:
        outputs: of the recurrent layers, (N, E).
        vectors: of the drawn classes, (C, E).
        bias: of the drawn classes, less the logarithm of their chances, (C,).
        own: score of every row's target, (N,).
        targets: numbers of the classes, (N,).
        drawn: numbers of the drawn classes, (C,).
        precision: of the numbers that are multiplied, fp32 or bf16.
    """
    places = drawn.new_full((int(torch.cat([targets, drawn]).max()) + 1,), -1)  # none may be drawn
    places[drawn] = torch.arange(len(drawn), device=drawn.device)
    loss: Tensor = _SampledCrossEntropy.apply(  # type: ignore[no-untyped-call]
        outputs, vectors, bias, own, places[targets], precision
    )
    return loss


class _SampledCrossEntropy(torch.autograd.Function):
    """The gradients are found together with the loss, while the scores of a block are in cache."""

    @staticmethod
    def forward(
        ctx: Any,
        outputs: Tensor,
        vectors: Tensor,
        bias: Tensor,
        own: Tensor,
        places: Tensor,
        precision: str,
    ) -> Tensor:
        """`places` (N,): where among the drawn classes a row's target stands, -1 if it does not."""
        kind = torch.bfloat16 if precision == "bf16" else torch.float32
        count, classes = len(outputs), len(bias)
        left, right = _filled(outputs.to(kind)), _filled(vectors.to(kind))
        bias = functional.pad(bias, (0, len(right) - classes), value=-torch.inf)
        d_outputs, d_own = outputs.new_empty(left.shape), torch.empty_like(own)
        d_vectors, d_bias = vectors.new_zeros(right.shape), torch.zeros_like(bias)
        scored_room = bias.new_empty(min(BLOCK, len(left)), len(bias) + 1)
        shares_room = torch.empty_like(scored_room)
        loss = 0.0
        for start in range(0, count, BLOCK):
            block, rows = left[start : start + BLOCK], slice(start, min(start + BLOCK, count))
            scored, shares = scored_room[: len(block)], shares_room[: len(block)]
            torch.add(block @ right.T, bias, out=scored[:, 1:])
            real = rows.stop - start
            scored[:real, 0], scored[real:, 0] = own[rows], 0.0
            # A target that was drawn is no rival of itself.
            drawn = torch.nonzero(places[rows] >= 0)[:, 0]
            scored[drawn, places[rows][drawn] + 1] = -torch.inf
            torch.log_softmax(scored, dim=1, out=shares)
            loss -= float(shares[:real, 0].sum())
            shares.exp_()
            shares[real:] = 0
            d_own[rows] = shares[:real, 0] - 1
            d_scored = shares[:, 1:].to(kind)
            d_bias += shares[:, 1:].sum(dim=0)
            d_outputs[start : start + BLOCK] = d_scored @ right
            d_vectors += d_scored.T @ block
        ctx.save_for_backward(d_outputs[:count], d_vectors[:classes], d_bias[:classes], d_own)
        return outputs.new_tensor(loss / count)

    @staticmethod
    def backward(ctx: Any, d_loss: Tensor) -> tuple[Tensor | None, ...]:
        gradients = ctx.saved_tensors
        scale = d_loss / len(gradients[0])
        return (*(gradient * scale for gradient in gradients), None, None)


def _filled(rows: Tensor) -> Tensor:
    """Rows of zeros behind others, up to a multiple of FILLED."""
    return functional.pad(rows, (0, 0, 0, -len(rows) % FILLED))
