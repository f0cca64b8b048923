from __future__ import annotations

import torch
from torch import nn

from gatewise.training.average import EVERY, WeightAverage


def test_it_is_the_moving_average_of_every_fourth_step() -> None:
    network = nn.Linear(2, 1, bias=False)
    weight = network.weight.data
    average, expected = WeightAverage(network, 0.9), weight.clone()
    for step in range(1, 101):
        weight.copy_(torch.tensor([[float(step), step**0.5]]))
        average.update()
        if step % EVERY == 0:
            kept = min(0.9, 1 - 5 / (5 + step)) ** EVERY
            expected = kept * expected + (1 - kept) * weight
    torch.testing.assert_close(average.snapshot()[0], expected)
    with average.applied():
        torch.testing.assert_close(network.weight.data, expected)
    assert network.weight.data[0, 0] == 100


def test_without_decay_it_is_the_last_step() -> None:
    network = nn.Linear(2, 1)
    average = WeightAverage(network, 0.0)
    network.weight.data.fill_(7)
    average.update()
    assert (average.snapshot()[0] == 7).all()
