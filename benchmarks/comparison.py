"""All contenders of the training benchmark with their networks, batches and optimizers."""

from __future__ import annotations

import numpy as np
import torch
from plain import PaddedBatch, PlainNetwork, PlainOptimizer
from step_parts import Stopwatch, Turns, cut_step, gatewise_turns, plain_turns, race
from steps import GatewiseNetwork, Places, Reviews

from gatewise import kernels
from gatewise.tasks.classify.options import ClassifierTraining
from gatewise.training.optimizer import Optimizer

TURN = 3
"""Steps of a contender's turn."""
OURS, FULL, BF16 = "Gatewise, fp32", "Gatewise, all parts, fp32", "Gatewise, bf16"
PACKED, PADDED = "torch packed", "torch padded\\*"
SORTED_PACKED, EXPERT = "torch packed, sorted", "torch padded, sorted, fused\\*"


class Comparison:
    """All contenders; each takes `steps` steps, on batches that stand for an epoch of its own."""

    def __init__(self, reviews: Reviews, steps: int) -> None:
        self.reviews, self.steps = reviews, steps
        self.ours = {
            OURS: GatewiseNetwork(reviews),
            FULL: GatewiseNetwork(reviews, everything=True),
        }
        if "bf16" in kernels.precisions():
            self.ours[BF16] = GatewiseNetwork(reviews, precision="bf16")
        chosen, known = self.ours[OURS].chosen, len(reviews.tokenizer)
        self.plain = {
            name: PlainNetwork(chosen, known, 2, packed=name in (PACKED, SORTED_PACKED))
            for name in (PACKED, PADDED, SORTED_PACKED, EXPERT)
        }
        alike, mixed = reviews.sorted_batches(), reviews.shuffled_batches()
        self.epochs = {
            name: mixed if name in (PACKED, PADDED) else alike for name in [*self.ours, *self.plain]
        }
        self._check(alike[0])

    def race(self) -> dict[str, list[float]]:
        """Seconds of every contender's turns."""
        turns: dict[str, Turns] = {}
        for name, network in self.ours.items():
            turns[name] = gatewise_turns(network, self.reviews, self._turns(name))
        for name, plain in self.plain.items():
            optimizer = PlainOptimizer(plain, fused=name == EXPERT)
            turns[name] = plain_turns(plain, optimizer, self.reviews, self._turns(name))
        return race(turns, len(self._turns(OURS)))

    def parts(self) -> dict[str, dict[str, float]]:
        """Seconds of the parts of all steps, on the same sorted batches, by contender."""
        networks: dict[str, GatewiseNetwork | PlainNetwork] = dict(self.ours)
        optimizers: dict[str, Optimizer | PlainOptimizer] = {
            name: Optimizer(network, ClassifierTraining(), self.steps)
            for name, network in self.ours.items()
        }
        for name in (SORTED_PACKED, EXPERT):
            networks[name] = self.plain[name]
            optimizers[name] = PlainOptimizer(self.plain[name], fused=name == EXPERT)
        watches = {name: Stopwatch() for name in networks}
        for number, turn in enumerate(self._turns(OURS)):
            for name, network in networks.items():
                network.train()
                # The first turn warms up.
                watch = watches[name] if number else Stopwatch()
                for places in turn:
                    cut_step(network, optimizers[name], self.reviews, places, watch)
        return {name: dict(watch.seconds) for name, watch in watches.items()}

    def _turns(self, name: str) -> list[list[Places]]:
        """A contender's turns; the first, which warms up, comes again."""
        places = self.reviews.sample(self.epochs[name], self.steps)
        turns = [places[start : start + TURN] for start in range(0, self.steps, TURN)]
        return [turns[0], *turns]

    def _check(self, places: Places) -> None:
        """With equal weights the packed twin must say what Gatewise's network says."""
        ours, twin = self.ours[OURS].eval(), self.plain[PACKED].eval()
        weights = ours.state_dict().items()
        twin.load_state_dict({name.removeprefix("encoder."): weight for name, weight in weights})
        batch, mine = PaddedBatch.of(self.reviews, places), self.reviews.batch(places)
        with torch.no_grad():
            found = twin.scores(*twin.recur(twin.embed(batch), batch), batch)
            wanted = ours(mine.ids, mine.offsets)
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), atol=1e-4)
        twin.train()
        ours.train()
