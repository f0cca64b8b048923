"""Dropout that is the same at every token of a text."""

from __future__ import annotations

import torch
from torch import Tensor


def locked_dropout(values: Tensor, offsets: Tensor, probability: float) -> Tensor:
    """Drop the same features at every step of a text (variational dropout, Gal & Ghahramani 2016).

    Args:
        values: features of every token, (N, F).
        offsets: where texts start and end, (B + 1,).
        probability: share of the features that become zero; the others are scaled up.
    """
    if probability == 0:
        return values
    texts = len(offsets) - 1
    kept = values.new_empty(texts, values.shape[1]).bernoulli_(1 - probability)
    kept.div_(1 - probability)
    return values * torch.repeat_interleave(kept, offsets.diff(), dim=0)
