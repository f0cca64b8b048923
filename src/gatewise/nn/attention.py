"""Attention of ragged queries to ragged texts: dot (Luong et al. 2015), additive (Bahdanau).

Only inside are texts padded, (B, T, S), and what is padding has the weight 0: the answer is exact,
and the products run as two batched ones. Values are projected before they are weighted, once for
every token of a text and not once for every query: a sum of projections is that of the sum.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from gatewise.options import AttentionName


class KeysValues(NamedTuple):
    """What queries attend to: keys (B, S, H), values (B, S, O), and which are real, (B, S)."""

    keys: Tensor
    values: Tensor
    real: Tensor


class Attention(nn.Module):
    """Weights of a text's tokens for every query, and their weighted sum.

    dot       score = query · key                 (Luong et al. 2015, arXiv 1508.04025, "general")
    additive  score = v · tanh(W query + key)     (Bahdanau et al. 2015, arXiv 1409.0473)

    with key = K state and value = V state of a token.

    Args:
        kind: how queries and keys are compared.
        state_size: width of a token's state, P.
        query_size: width of a query and of a key, H.
        value_size: width of what is answered, O.
        precision: of the products that make keys and values, fp32 or bf16.
    """

    def __init__(
        self,
        kind: AttentionName,
        state_size: int,
        query_size: int,
        value_size: int,
        precision: str = "fp32",
    ) -> None:
        super().__init__()
        self.kind = kind
        self.precision = precision
        self.key = nn.Linear(state_size, query_size, bias=False)
        self.value = nn.Linear(state_size, value_size, bias=False)
        self.query = self.energy = None
        if kind == "additive":
            self.query = nn.Linear(query_size, query_size)
            self.energy = nn.Parameter(torch.empty(query_size).normal_(std=query_size**-0.5))

    def keys_values(self, hidden: Tensor, offsets: Tensor) -> KeysValues:
        """Of the states of ragged texts: (N, P), (B + 1,)."""
        places, real = padding(offsets)
        if self.precision == "bf16":
            hidden = hidden.bfloat16()
        keys, values = (
            (hidden @ part.weight.to(hidden.dtype).T).float() for part in (self.key, self.value)
        )
        return KeysValues(keys[places], values[places], real)

    def forward(self, queries: Tensor, given: KeysValues) -> tuple[Tensor, Tensor]:
        """Answers and weights: (B, T, H) → (B, T, O), (B, T, S)."""
        if self.query is None:
            scores = queries @ given.keys.transpose(1, 2)
        else:
            assert self.energy is not None
            both = self.query(queries)[:, :, None] + given.keys[:, None]  # (B, T, S, H)
            scores = torch.tanh(both) @ self.energy
        weights = scores.masked_fill(~given.real[:, None], -torch.inf).softmax(dim=2)
        return weights @ given.values, weights


def padding(offsets: Tensor) -> tuple[Tensor, Tensor]:
    """Places of ragged rows in a rectangle, and which of them are real: (B, S) each.

    What is not real has the place 0, so that it can be read.
    """
    lengths = offsets.diff()
    steps = torch.arange(int(lengths.max()), device=offsets.device)
    real = steps < lengths[:, None]
    return torch.where(real, offsets[:-1, None] + steps, 0), real
