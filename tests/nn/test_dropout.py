from __future__ import annotations

import torch

from gatewise.nn.dropout import locked_dropout


def test_locked_dropout_is_the_same_at_every_token_of_a_text() -> None:
    torch.manual_seed(0)
    values = torch.ones(70, 200)
    offsets = torch.tensor([0, 30, 30, 70])
    dropped = locked_dropout(values, offsets, 0.25)
    first, second = dropped[:30], dropped[30:]
    assert (first == first[0]).all()
    assert (second == second[0]).all()
    assert not torch.equal(first[0], second[0])
    assert set(dropped.flatten().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}


def test_no_dropout_gives_back_the_very_same_tensor() -> None:
    values = torch.randn(3, 4)
    assert locked_dropout(values, torch.tensor([0, 3]), 0.0) is values
