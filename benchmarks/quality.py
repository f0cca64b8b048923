"""How good the default classifier is on public sets, beside the linear model on the same rows.

    python benchmarks/quality.py ../shared/data --sets trec6 sst2_sentence --seeds 3

The data folder holds a folder per set, as `SETS` names the files. The defaults are used for every
set. Choices are made on dev rows: the dev file where a set has one, else a tenth of train. The test
file is read once per run, for the figure that is printed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gatewise import TextClassifier, kernels
from gatewise.baselines import linear
from gatewise.data.tables import open_table
from gatewise.evaluation import evaluate
from gatewise.tasks.classify.labels import Labels

Rows = tuple[list[str], list[Any]]


@dataclass(frozen=True)
class DataSet:
    """Files and columns of a set; `separator` splits many labels in one cell."""

    train: str = "train.csv.zst"
    dev: str | None = None
    test: str = "test.csv.zst"
    label: str = "label"
    separator: str | None = None
    seeds: int = 2


SETS = {
    "trec6": DataSet(seeds=5),
    "sst2_sentence": DataSet(dev="dev.csv.zst", seeds=5),
    "goemotions": DataSet(dev="dev.csv.zst", label="labels", separator="|"),
    "ag_news_subset": DataSet(),
    "imdb": DataSet(),
}


def read(path: Path, data: DataSet) -> Rows:
    columns = open_table(path).read(["text", data.label])
    labels: list[Any] = columns[data.label]
    if data.separator:
        labels = [cell.split(data.separator) for cell in labels]
    return columns["text"], labels


def linear_score(train: Rows, dev: Rows | None, test: Rows) -> tuple[float, float]:
    """Score on the test rows of the linear model trained on all training rows, and its seconds.

    Its thresholds for many labels are chosen on the dev rows, as the network's are.
    """
    started = time.perf_counter()
    labels = Labels.learn(train[1])
    dev = dev or ([], [])
    weights = np.ones(len(train[0]), np.float32)
    found = linear(train[0], labels.targets(train[1]), weights, [*dev[0], *test[0]])
    dev_found, test_found = found[: len(dev[0])], found[len(dev[0]) :]
    if labels.multiple:
        labels = labels.with_thresholds(dev_found, labels.targets(dev[1]))
    answers, truth = labels.decide(test_found), labels.targets(test[1])
    score = evaluate(truth, answers, labels.names, multiple=labels.multiple).score
    return score, time.perf_counter() - started


def run(folder: Path, name: str, seeds: int | None, options: dict[str, Any]) -> dict[str, Any]:
    data = SETS[name]
    train = read(folder / name / data.train, data)
    dev = read(folder / name / data.dev, data) if data.dev else None
    test = read(folder / name / data.test, data)
    scores, dev_scores, seconds = [], [], []
    for seed in range(seeds or data.seeds):
        started = time.perf_counter()
        classifier = TextClassifier().fit(*train, dev=dev, seed=seed, baseline=False, **options)
        seconds.append(time.perf_counter() - started)
        scores.append(classifier.evaluate(*test).score)
        assert classifier.report_ is not None
        assert classifier.report_.evaluation is not None
        dev_scores.append(classifier.report_.evaluation.score)
        print(f"{name} seed {seed}: test {scores[-1]:.4f} in {seconds[-1]:.0f} s", flush=True)
    linear_test, linear_seconds = linear_score(train, dev, test)
    return {
        "set": name,
        "linear": linear_test,
        "linear_seconds": linear_seconds,
        "test": statistics.mean(scores),
        "spread": statistics.stdev(scores) if len(scores) > 1 else 0.0,
        "scores": scores,
        "dev": statistics.mean(dev_scores),
        "seconds": statistics.median(seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/data"))
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", type=int, help="by default 5 for the small sets, 2 for others")
    parser.add_argument("--threads", type=int, default=kernels.default_threads())
    parser.add_argument("--json", type=Path, help="also write the figures here")
    chosen = parser.parse_args()
    if not chosen.folder.is_dir():
        raise SystemExit(f"{chosen.folder} is not a folder of data sets.")
    rows = [
        run(chosen.folder, name, chosen.seeds, {"threads": chosen.threads, "quiet": True})
        for name in chosen.sets
    ]
    print(f"\n{'set':<16} linear    test  spread     dev  seconds  seeds")
    for row in rows:
        print(
            f"{row['set']:<16} {row['linear']:.4f}  {row['test']:.4f}  {row['spread']:.4f}"
            f"  {row['dev']:.4f}  {row['seconds']:7.0f}  {len(row['scores']):5d}"
        )
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
