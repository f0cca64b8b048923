"""The training step of the default classifier on IMDB, from ids to updated weights, beside torch.

    python benchmarks/train_step.py ../shared/data/imdb

Gatewise's steps are those of its own training loop, with schedule, guard and running average. All
contenders make their batches out of the same tokenized rows, and an epoch is reckoned from batches
that go evenly from the fewest to the most tokens.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from report import Table, arguments, publish
from timing import use_threads

from gatewise import kernels

if TYPE_CHECKING:
    from comparison import Comparison


def step_table(comparison: Comparison, seconds: dict[str, list[float]]) -> Table:
    from comparison import FULL, OURS

    reviews, steps = comparison.reviews, comparison.steps
    counts = {name: len(batches) for name, batches in comparison.epochs.items()}
    epoch = {name: sum(found) / steps * counts[name] for name, found in seconds.items()}
    rows = [
        [
            name,
            f"{1000 * sum(found) / steps:.1f}",
            str(counts[name]),
            f"{epoch[name]:.0f}",
            f"{epoch[name] / epoch[OURS]:.1f}×",
            f"{epoch[name] / epoch[FULL]:.1f}×",
        ]
        for name, found in seconds.items()
    ]
    columns = ["contender", "ms of a step", "steps of an epoch", "seconds of an epoch"]
    columns += [f"over {OURS}", f"over {FULL}"]
    notes = [
        f"{len(reviews.ids)} reviews, {len(reviews.ids.values)} tokens, {steps} steps of each "
        f"contender measured. Gatewise is the network that torch has here: E "
        f"{reviews.defaults.embedding_size}, H {reviews.defaults.hidden_size}, both directions, "
        "without word pieces and token pairs; all parts: with them. Recurrent products in fp32 or "
        f"bf16; the default here is {kernels.chosen_precision('auto')}. Sorted: batches of reviews "
        "of similar length, as Gatewise makes them; else shuffled ones. Fused: "
        "AdamW(fused=True); else torch's default AdamW.",
        "\\* Not the right answer: in a padded batch torch's backward direction starts in the "
        "padding.",
    ]
    return Table("Training step and epoch on IMDB", columns, rows, notes)


def part_table(
    parts: dict[str, dict[str, float]], seconds: dict[str, list[float]], steps: int
) -> Table:
    from step_parts import PARTS

    def cells(values: list[float]) -> list[str]:
        return [f"{1000 * value / steps:.2f}" for value in values]

    rows = [[part, *cells([found[part] for found in parts.values()])] for part in PARTS]
    whole = [sum(seconds[name]) for name in parts]
    rest = [w - sum(found.values()) for w, found in zip(whole, parts.values(), strict=True)]
    rows += [["rest", *cells(rest)], ["whole step", *cells(whole)]]
    note = (
        "Whole steps are those of the table above; the parts were timed in a run of their own, on "
        "the same batches. The optimizer of Gatewise is "
        "also schedule and running average. Rest: the loop around the parts."
    )
    return Table("Where the time of a step goes, ms", ["part", *parts], rows, [note])


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/data/imdb"))
    parser.add_argument("--rows", type=int, help="reviews to read; by default all")
    parser.add_argument("--steps", type=int, default=24, help="steps of every contender")
    chosen = parser.parse_args()
    if not chosen.folder.is_dir():
        raise SystemExit(f"{chosen.folder} is not the folder of the IMDB reviews.")
    use_threads(chosen.threads)
    import torch
    from comparison import Comparison
    from steps import Reviews

    torch.manual_seed(0)
    comparison = Comparison(Reviews.read(chosen.folder, chosen.rows), chosen.steps)
    seconds, parts = comparison.race(), comparison.parts()
    tables = [step_table(comparison, seconds), part_table(parts, seconds, chosen.steps)]
    publish("train_step", tables, {"turns": seconds, "parts": parts}, chosen)


if __name__ == "__main__":
    main()
