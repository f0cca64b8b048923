"""Filters over characters beside torch.nn.Conv1d, token by token; answers beside both."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from gatewise.nn.character_cnn import CharacterCNN
from gatewise.ragged import Ragged
from gatewise.shapes import FilterShape
from gatewise.tasks.tag.character_cnn import CharacterCNN as Answering

CASES = [
    pytest.param([3, 1, 7], 3, id="a token shorter than the filters"),
    pytest.param([1], 5, id="one character"),
    pytest.param([0, 2, 0], 4, id="tokens without characters"),
    pytest.param([], 3, id="no tokens"),
    pytest.param([40, 2], 2, id="a long one"),
]


def filters(width: int) -> CharacterCNN:
    torch.manual_seed(0)
    made = CharacterCNN(FilterShape(vocabulary_size=9, embedding_size=4, filters=21, width=width))
    torch.nn.init.normal_(made.convolution.bias)  # type: ignore[arg-type]
    return made


def by_torch(made: CharacterCNN, tokens: list[Tensor]) -> Tensor:
    """Every token alone, with zeros on both sides."""
    found = [0 * made.embedding.weight.sum() * made.convolution(torch.zeros(0, 4, 9)).amax(2)]
    for token in tokens:
        vectors = functional.embedding(token, made.embedding.weight).T[None]
        padded = functional.pad(vectors, (made.shape.width - 1, made.shape.width - 1))
        found.append(made.convolution(padded).amax(2))
    return torch.cat(found)


@pytest.mark.parametrize(("lengths", "width"), CASES)
def test_they_are_a_convolution_and_its_maximum(lengths: list[int], width: int) -> None:
    made = filters(width)
    tokens = [torch.randint(9, (length,)) for length in lengths]
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    ids = torch.cat([torch.zeros(0, dtype=torch.int64), *tokens])
    windows, found = made(ids.int(), offsets)
    assert len(windows) == sum(lengths) + len(lengths) * (width - 1)
    wanted = by_torch(made, tokens)
    torch.testing.assert_close(found, wanted)
    weight = torch.randn_like(wanted)
    gradients = [
        torch.autograd.grad((result * weight).sum(), [*made.parameters()])
        for result in (found, wanted)
    ]
    for mine, theirs in zip(*gradients, strict=True):
        assert theirs.any() or not sum(lengths)
        torch.testing.assert_close(mine, theirs)

    arrays = {name: value.numpy() for name, value in made.state_dict().items()}
    assert {name: value.shape for name, value in arrays.items()} == made.shape.weights()
    rows = Ragged.from_rows([token.numpy() for token in tokens])
    answer = Answering(made.shape, arrays).pool(rows)
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, wanted.detach().numpy(), rtol=1e-5, atol=1e-6)
