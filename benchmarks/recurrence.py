"""The recurrent layer: forward and training pass beside torch, Keras and the machine's peak.

    python benchmarks/recurrence.py --threads 2

A training pass is the forward pass and the gradients of weights and inputs. Lengths "imdb" are
log-normal like those of film reviews, mean 196, from 10 to 400. GFLOP/s count useful operations:
2 G H (E + H) for every token and direction, three times that in training; none in the padding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from cases import CASES, LARGER, Case
from report import Table, arguments, publish
from timing import Seconds, interleaved, ratio, spread, use_threads

from gatewise import kernels

if TYPE_CHECKING:
    from layers import Layer

OURS, BF16 = "Gatewise", "bf16"
PACKED, PADDED, BUCKETED, KERAS = "packed", "padded", "bucketed", "Keras"
PADDED_BF16 = "padded bf16"
PACKED_UP_TO = 256
"""Units up to which torch packed is timed; beyond, one call takes half a minute."""
NOTES = [
    "ms, GFLOP/s and share of peak are Gatewise's in float32. Packed, padded, bucketed (torch) and "
    "Keras (on JAX): their time over ours. bf16: our float32 time over our bf16 time; padded bf16: "
    "torch's over ours, both in bf16. Spread: the distance of our quartiles over our median.",
    "\\* Not the right answer: in a padded batch torch's backward direction starts in the padding.",
]


class Measured:
    """Seconds of all contenders by case, and the peak of the machine meanwhile."""

    def __init__(self, seconds: float, threads: int) -> None:
        self.seconds, self.threads = seconds, threads
        self.peak = 0.0
        self.found: list[tuple[Case, str, dict[str, Seconds]]] = []

    def run(self, case: Case) -> None:
        """Time all contenders of one case, forward and training."""
        print(f"{case.title} …", flush=True)
        layers = self._layers(case)
        tokens = layers[OURS].tokens
        for kind in ("train", "forward"):
            self.peak = max(self.peak, kernels.fma_peak(self.threads))
            calls = {name: getattr(layer, kind) for name, layer in layers.items()}
            found = interleaved(calls, self.seconds)
            # The bucketed rival handles other texts: its time counts for as many tokens as ours.
            shares = {name: tokens / layer.tokens for name, layer in layers.items()}
            self.found.append((case, kind, {n: found[n] * shares[n] for n in found}))

    def table(self, kind: str, title: str) -> Table:
        """The table of a kind of pass, train or forward."""
        rivals = [PACKED, PADDED, BUCKETED, KERAS, BF16, PADDED_BF16]
        columns = ["layer and lengths", "ms", "GFLOP/s", "of peak", *rivals, "spread", "rounds"]
        rows = []
        for case, of_kind, found in self.found:
            if of_kind == kind:
                middle = float(np.median(found[OURS]))
                speed = case.work() * (3 if kind == "train" else 1) / middle / 1e9
                cells = [f"{1000 * middle:.2f}", f"{speed:.0f}", f"{speed / self.peak:.0%}"]
                cells += [over(name, found, case) for name in rivals]
                cells += [f"{spread(found[OURS]):.0%}", str(len(found[OURS]))]
                rows.append([case.title, *cells])
        return Table(title, columns, rows)

    def times(self) -> dict[str, Any]:
        """All single times."""
        return {
            f"{case.title}, {kind}": {name: seconds[:, 0].tolist() for name, seconds in one.items()}
            for case, kind, one in self.found
        }

    def _layers(self, case: Case) -> dict[str, Layer]:
        import keras_layers
        import layers
        import torch

        found = {OURS: layers.ours(case)}
        if case.size <= PACKED_UP_TO:
            found[PACKED] = layers.torch_packed(case)
        found[PADDED] = layers.torch_padded(case)
        if case.kind == "imdb":
            found[BUCKETED] = layers.torch_bucketed(case)
        if keras_layers.installed():
            found[KERAS] = keras_layers.on_jax(case)
        if BF16 in kernels.precisions():
            found[BF16] = layers.ours(case, precision=BF16)
            found[PADDED_BF16] = layers.torch_padded(case, kind=torch.bfloat16)
        return found


def over(name: str, found: dict[str, Seconds], case: Case) -> str:
    """How many times longer a rival takes than we do, as a cell."""
    if name not in found:
        return "-"
    if name == BF16:
        return f"{ratio(found[OURS], found[BF16]):.2f}×"
    ours = found[BF16 if name == PADDED_BF16 else OURS]
    wrong = case.directions == 2 and name in (PADDED, BUCKETED, PADDED_BF16)
    return f"{ratio(found[name], ours):.1f}×" + "\\*" * wrong


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="time for every cell")
    parser.add_argument("--all", action="store_true", help="the larger layers too")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of the cases, from 0")
    chosen = parser.parse_args()
    use_threads(chosen.threads)
    measured = Measured(chosen.seconds, chosen.threads)
    for number, case in enumerate(CASES + LARGER * chosen.all):
        if chosen.only is None or number in chosen.only:
            measured.run(case)
    tables = [
        measured.table("train", "Training pass of one layer"),
        measured.table("forward", "Forward pass of one layer"),
    ]
    peak = f"Peak of float32 multiply-adds with these threads: {measured.peak:.0f} GFLOP/s."
    tables[0].notes.extend([*NOTES, peak])
    if BF16 not in kernels.precisions():
        tables[0].notes.append("The instruction set in use has no bf16: left out.")
    publish("recurrence", tables, measured.times(), chosen)


if __name__ == "__main__":
    main()
