"""The recurrent layer: forward and training pass beside torch, Keras and the machine's peak.

    python benchmarks/recurrence.py --threads 2

A training pass is the forward pass and the gradients of weights and inputs. Lengths "imdb" are
log-normal like those of film reviews, mean 196, from 10 to 400. GFLOP/s count useful operations:
2 G H (E + H) for every token and direction, three times that in training; none in the padding.
"""

from __future__ import annotations

import argparse
from typing import Any

from report import Table, arguments, publish
from timing import interleaved, ratio, spread, use_threads

from gatewise import kernels

CASES: list[dict[str, Any]] = [
    {"cell": "lstm", "texts": 32, "inputs": 64, "size": 128},
    {"cell": "lstm", "texts": 32, "inputs": 64, "size": 128, "directions": 2},
    {"cell": "lstm", "texts": 32, "inputs": 64, "size": 128, "kind": "180-200"},
    {"cell": "lstm", "texts": 32, "inputs": 64, "size": 128, "kind": "equal"},
    {"cell": "gru", "texts": 32, "inputs": 64, "size": 128},
    {"cell": "lstm", "texts": 64, "inputs": 300, "size": 512},
]
LARGER: list[dict[str, Any]] = [
    {"cell": "lstm", "texts": 64, "inputs": 64, "size": 128},
    {"cell": "lstm", "texts": 32, "inputs": 128, "size": 256},
    {"cell": "lstm", "texts": 32, "inputs": 128, "size": 256, "directions": 2},
    {"cell": "lstm", "texts": 32, "inputs": 128, "size": 256, "kind": "equal"},
    {"cell": "lstm", "texts": 64, "inputs": 300, "size": 512, "kind": "180-200"},
    {"cell": "lstm", "texts": 16, "inputs": 400, "size": 1150},
    {"cell": "lstm", "texts": 16, "inputs": 400, "size": 1150, "kind": "180-200"},
]
PACKED, PADDED, BUCKETED, KERAS, BF16 = "packed", "padded", "bucketed", "Keras", "bf16"
RIVALS = [PACKED, PADDED, BUCKETED, KERAS]
PACKED_UP_TO = 256
"""Units up to which torch packed is timed; beyond, one call takes half a minute."""
WRONG = (
    "\\* Not the right answer: in a padded batch torch's backward direction starts in the padding."
)


class Measured:
    """Rows of the two tables and all single times."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.chosen = chosen
        self.bf16 = BF16 in kernels.describe().get("precisions", ())
        self.peak = 0.0
        self.rows: dict[str, list[list[str]]] = {"forward": [], "train": []}
        self.times: dict[str, Any] = {}

    def run(self, options: dict[str, Any]) -> None:
        """Time all contenders of one case, forward and training."""
        import keras_layer
        import layers

        case = layers.Case(**options)
        print(f"{case.title} …", flush=True)
        threads = self.chosen.threads
        if hasattr(kernels, "fma_peak"):
            self.peak = max(self.peak, kernels.fma_peak(threads))
        contenders = {"ours": layers.ours(case)}
        if self.bf16:
            contenders[BF16] = layers.ours(case, precision=BF16)
        if case.size <= PACKED_UP_TO:
            contenders[PACKED] = layers.torch_packed(case)
        contenders[PADDED] = layers.torch_padded(case)
        if case.kind == "imdb":
            contenders[BUCKETED] = layers.torch_bucketed(case)
        if keras_layer.installed():
            contenders[KERAS] = keras_layer.keras(case)
        tokens = contenders["ours"].tokens
        for name in ("forward", "train"):
            calls = {key: getattr(layer, name) for key, layer in contenders.items()}
            seconds = interleaved(calls, self.chosen.seconds)
            # The bucketed rival handles other texts: its time counts for as many tokens as ours.
            for key, layer in contenders.items():
                seconds[key] *= tokens / layer.tokens
            speed = case.work(tokens) * (3 if name == "train" else 1) / 1e9
            self._add(name, case.title, case.directions, seconds, speed)
            self.times[f"{case.title}, {name}"] = {k: v[:, 0].tolist() for k, v in seconds.items()}

    def _add(
        self, name: str, title: str, directions: int, seconds: dict[str, Any], work: float
    ) -> None:
        ours = seconds["ours"]
        middle = sorted(ours[:, 0])[len(ours) // 2]
        cells = [title, f"{1000 * middle:.2f}", f"{work / middle:.0f}"]
        cells.append(f"{work / middle / self.peak:.0%}" if self.peak else "-")
        for key in RIVALS:
            wrong = "\\*" if directions == 2 and key in (PADDED, BUCKETED) else ""
            found = f"{ratio(seconds[key], ours):.1f}×{wrong}" if key in seconds else "-"
            cells.append(found)
        cells.append(f"{1 / ratio(seconds[BF16], ours):.2f}×" if BF16 in seconds else "-")
        self.rows[name].append([*cells, f"{spread(ours):.0%}", str(len(ours))])

    def tables(self) -> list[Table]:
        """Training first: it is what people wait for."""
        columns = ["layer and lengths", "ms", "GFLOP/s", "of peak", *RIVALS, "our bf16"]
        columns += ["spread", "rounds"]
        notes = [
            "ms, GFLOP/s and share of peak are Gatewise's, float32. Packed, padded, bucketed "
            "(torch) and Keras (on JAX): their time over ours. Our bf16: how many times faster "
            "than our float32. Spread: distance of the quartiles of our times over their median.",
            WRONG,
        ]
        if self.peak:
            notes.append(f"Peak of multiply-adds, same process and threads: {self.peak:.0f}.")
        else:
            notes.append("This kernel cannot measure the peak of multiply-adds: share left out.")
        if not self.bf16:
            notes.append("This kernel has no bf16 on this machine: left out.")
        return [
            Table("Training pass of one layer", columns, self.rows["train"], notes),
            Table("Forward pass of one layer", columns, self.rows["forward"], []),
        ]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="time for every cell")
    parser.add_argument("--all", action="store_true", help="the larger layers too")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of the cases, from 0")
    chosen = parser.parse_args()
    use_threads(chosen.threads)
    measured = Measured(chosen)
    cases = CASES + LARGER * chosen.all
    for number, options in enumerate(cases):
        if chosen.only is None or number in chosen.only:
            measured.run(options)
    publish("recurrence", measured.tables(), measured.times, chosen)


if __name__ == "__main__":
    main()
