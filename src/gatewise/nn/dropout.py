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
    kept = kept_features(values, len(offsets) - 1, probability)
    return values * torch.repeat_interleave(kept, offsets.diff(), dim=0, output_size=len(values))


def kept_features(values: Tensor, texts: int, probability: float) -> Tensor:
    """What locked dropout multiplies the features of every text with: zeros and a scale, (B, F).

    Args:
        values: of every token, (N, F); of their type.
        texts: B.
        probability: share of zeros.
    """
    kept = values.new_empty(texts, values.shape[1]).bernoulli_(1 - probability)
    return kept.div_(1 - probability)
