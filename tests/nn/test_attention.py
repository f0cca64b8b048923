from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from gatewise.nn.attention import Attention, padding
from gatewise.options import AttentionName

LENGTHS = [4, 1, 7, 2, 7]
QUERIES = [3, 1, 5, 2, 4]
P, H, V = 6, 5, 3


def weighed(attention: Attention, query: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
    """The answer to one query, (H,), and its weights, as the papers write them, token by token."""
    scores = []
    for state in states:
        key = attention.key.weight @ state
        if attention.kind == "dot":
            scores.append(torch.dot(query, key))
        else:
            assert attention.query is not None
            assert attention.energy is not None
            moved = attention.query.weight @ query + attention.query.bias
            scores.append(torch.dot(attention.energy, torch.tanh(moved + key)))
    powers = [torch.exp(score) for score in scores]
    weights = torch.stack([power / sum(powers) for power in powers])
    mean = sum(weight * state for weight, state in zip(weights, states, strict=True))
    assert isinstance(mean, Tensor)
    return attention.value.weight @ mean, weights


@pytest.mark.parametrize("kind", ["dot", "additive"])
def test_values_weights_and_gradients_are_those_of_the_papers(kind: AttentionName) -> None:
    torch.manual_seed(3)
    attention = Attention(kind, P, H, V)
    offsets = torch.tensor([0, *np.cumsum(LENGTHS)])
    states = torch.randn(sum(LENGTHS), P, requires_grad=True)
    queries = torch.randn(len(LENGTHS), max(QUERIES), H, requires_grad=True)
    answers, weights = attention(queries, attention.keys_values(states, offsets))
    directions = torch.randn(sum(QUERIES), V)
    inputs = [states, queries, *attention.parameters()]

    got, wanted = [], []
    for text, count in enumerate(QUERIES):
        rows = states[offsets[text] : offsets[text + 1]]
        for step in range(count):
            answer, shares = weighed(attention, queries[text, step], rows)
            torch.testing.assert_close(weights[text, step, : len(rows)], shares)
            assert (weights[text, step, len(rows) :] == 0).all()
            got.append(answers[text, step])
            wanted.append(answer)
    torch.testing.assert_close(torch.stack(got), torch.stack(wanted))
    found = torch.autograd.grad((torch.stack(got) * directions).sum(), inputs, retain_graph=True)
    truth = torch.autograd.grad((torch.stack(wanted) * directions).sum(), inputs)
    for one, other in zip(found, truth, strict=True):
        torch.testing.assert_close(one, other)


def test_padding_places_every_row() -> None:
    offsets = torch.tensor([0, 2, 2, 5])
    places, real = padding(offsets)
    assert real.tolist() == [[True, True, False], [False] * 3, [True] * 3]
    assert places[real].tolist() == [0, 1, 2, 3, 4]
    assert 0 <= int(places.min()) <= int(places.max()) < 5
    assert math.prod(places.shape) == 9
