"""One text at a time: the recurrent layer alone, and from string to label.

    python benchmarks/latency.py

Every cell is the median of many calls and behind it the 99th of 100, in microseconds. Contenders
take turns of 25 calls in one process, all with the same number of threads.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
from report import Table, arguments, publish
from timing import Call, Seconds, interleaved, ratio, use_threads

OURS, RIVALS = "Gatewise", ("torch", "ONNX Runtime")


def row(title: str, found: dict[str, Seconds]) -> list[str]:
    """Median and 99th of 100 of every contender; for rivals their time over ours."""
    cells = [title]
    for name, seconds in found.items():
        middle, late = 1e6 * np.percentile(seconds, [50, 99])
        cells.append(f"{middle:.0f} / {late:.0f}")
        if name in RIVALS:
            cells.append(f"{ratio(seconds, found[OURS]):.1f}×")
    return cells


def table(
    title: str,
    cases: Iterable[tuple[str, dict[str, Call]]],
    chosen: argparse.Namespace,
    times: dict[str, Any],
) -> Table:
    """Time the calls of every case; the first call of each must be Gatewise's."""
    rows, columns = [], [""]
    for name, calls in cases:
        found = interleaved(calls, chosen.seconds, calls=25, warm=3)
        times[f"{title}: {name}"] = {key: seconds.tolist() for key, seconds in found.items()}
        rows.append(row(name, found))
        print(*rows[-1], flush=True)
        heads = [[key, "over ours"] if key in RIVALS else [key] for key in found]
        columns = ["median / p99", *itertools.chain(*heads)]
    return Table(title, columns, rows)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="time for every row")
    chosen = parser.parse_args()
    use_threads(chosen.threads)
    import answers
    import one_text
    import onnx_graphs

    times: dict[str, Any] = {}
    layer = table("LSTM layer, one text, µs", one_text.cases(chosen.threads), chosen, times)
    whole = table("From string to label, µs", answers.cases(chosen.threads), chosen, times)
    if not onnx_graphs.installed():
        layer.notes.append("onnx and onnxruntime are not installed: left out.")
    missing = [name for name in one_text.PRECISIONS if name not in one_text.precisions()]
    if missing:
        layer.notes.append(f"Not offered by this kernel, left out: {', '.join(missing)}.")
    errors = Table("Largest error of a hidden state against float64", *one_text.errors())
    publish("latency", [layer, errors, whole], times, chosen)


if __name__ == "__main__":
    main()
