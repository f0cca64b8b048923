"""Translating beside the same model in plain torch: sentences a second.

    python benchmarks/translation_speed.py MODEL ../shared/data/multi30k_en_de/val.tsv.gz

MODEL is a folder that `gatewise train seq2seq` or benchmarks/translation.py made, of one LSTM layer
and dot attention. Contenders take turns in one process, all with the same weights, the same beam
search and the same number of threads; cells are medians.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from report import Table, arguments, publish
from timing import interleaved, ratio, use_threads

if TYPE_CHECKING:
    from gatewise.tasks.seq2seq.task import Seq2Seq


def ours(model: Seq2Seq, texts: Sequence[str], beam: int, size: int) -> list[str]:
    """Our answers: all texts in one call, or one after the other where `size` is 1."""
    calls = [texts] if size > 1 else [[text] for text in texts]
    return [answer for some in calls for answer in model.predict(some, beam=beam)]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("model", help="model folder")
    parser.add_argument("pairs", type=Path, help="a .tsv file whose sources are translated")
    parser.add_argument("--texts", type=int, default=500, help="sources, at most")
    parser.add_argument("--alone", type=int, default=50, help="of them, one at a time")
    parser.add_argument("--beams", type=int, nargs="+", default=[5])
    parser.add_argument("--seconds", type=float, default=60.0, help="time for every beam")
    chosen = parser.parse_args()
    use_threads(chosen.threads)
    from plain_translation import PlainSeq2Seq

    from gatewise import load
    from gatewise.data.parallel import tabbed_pairs

    sources, _ = tabbed_pairs(chosen.pairs)
    some = sources[: chosen.texts]
    model = load(chosen.model)
    model.threads = chosen.threads
    rivals = {
        "torch": PlainSeq2Seq(model, shrinking=False),
        "torch, shrinking": PlainSeq2Seq(model, shrinking=True),
    }
    cases = {f"beam {beam}": (some, beam, 512 // beam) for beam in chosen.beams}
    cases |= {f"beam {b}, one text at a time": (some[: chosen.alone], b, 1) for b in chosen.beams}
    rows, times = [], {}
    for name, (texts, beam, size) in cases.items():
        calls: dict[str, Callable[[], list[str]]] = {
            "Gatewise": partial(ours, model, texts, beam, size)
        }
        calls |= {n: partial(rival.translate, texts, beam, size) for n, rival in rivals.items()}
        answers = [call() for call in calls.values()]
        for each in answers[1:]:
            same = np.mean([one == other for one, other in zip(answers[0], each, strict=True)])
            assert same > 0.98, f"only {same:.1%} of the answers are the same"
        found = interleaved(calls, chosen.seconds, warm=0)
        times[name] = {name: seconds.tolist() for name, seconds in found.items()}
        row = [name]
        for contender, seconds in found.items():
            row.append(f"{len(texts) / np.median(seconds):,.0f}")
            if contender != "Gatewise":
                row.append(f"{ratio(seconds, found['Gatewise']):.1f}×")
        rows.append(row)
        print(*row, flush=True)
    columns = ["sentences a second", "Gatewise"]
    columns += [head for name in rivals for head in (name, "its time over ours")]
    note = (
        f"{len(some)} sources of {chosen.pairs.parent.name}, {chosen.alone} of them one at a time; "
        "torch in batches of 512 hypotheses, as Gatewise. At least 98% of the answers are the "
        "same. In torch a batch goes on until all its texts are done; shrinking, texts that are "
        "done leave it at once."
    )
    publish("translation-speed", [Table("Translating", columns, rows, [note])], times, chosen)


if __name__ == "__main__":
    main()
