"""How well public texts are translated: BLEU and chrF by sacreBLEU, with a beam of 5.

    python benchmarks/translation.py ../shared/data --sets multi30k_en_de --out models

Recipes were chosen on dev pairs; the test pairs are read once, when training is done. Of
tatoeba_eng_fra, whose English sentences have several translations each, 2,000 English sentences and
all their translations are the test, 1,000 others the dev pairs: BLEU against the first translation
and against all of them.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gatewise.data.parallel import tabbed_pairs
from gatewise.tasks.seq2seq.evaluation import evaluate
from gatewise.tasks.seq2seq.task import Seq2Seq

Rows = list[tuple[str, str]]
TEST, DEV = 2000, 1000
"""English sentences of tatoeba_eng_fra that are held out."""


@dataclass(frozen=True)
class Recipe:
    """What a set is trained with."""

    options: dict[str, Any]
    training: dict[str, Any] = field(default_factory=dict)


RECIPES = {
    "multi30k_en_de": Recipe(
        {"embedding_size": 192, "hidden_size": 224, "dropout": 0.25, "embedding_dropout": 0.05},
        {"epochs": 14, "batch_size": 64, "samples": 1500, "learning_rate": 0.0025},
    ),
    "tatoeba_eng_fra": Recipe(
        {"embedding_size": 192, "hidden_size": 224, "dropout": 0.1, "embedding_dropout": 0.0},
        {"epochs": 4, "batch_size": 128, "samples": 1500, "learning_rate": 0.004},
    ),
}


@dataclass(frozen=True)
class Split:
    """Pairs to learn from, pairs for choices, and test sources with their translations."""

    train: Rows
    dev: Rows
    test: dict[str, list[str]]


def multi30k(folder: Path) -> Split:
    """The official split."""
    train, dev, test = (
        read(folder / f"{name}.tsv.gz") for name in ("train", "val", "test_2016_flickr")
    )
    return Split(train, dev, grouped(test))


def tatoeba(folder: Path) -> Split:
    """Split by English sentences."""
    pairs = read(folder / "pairs.tsv.gz")
    english = sorted({source for source, _ in pairs})
    order = [english[place] for place in np.random.default_rng(0).permutation(len(english))]
    test, dev = set(order[:TEST]), set(order[TEST : TEST + DEV])
    return Split(
        [pair for pair in pairs if pair[0] not in test | dev],
        [pair for pair in pairs if pair[0] in dev],
        grouped([pair for pair in pairs if pair[0] in test]),
    )


def read(path: Path) -> Rows:
    """The pairs of a file."""
    return list(zip(*tabbed_pairs(path), strict=True))


def grouped(pairs: Rows) -> dict[str, list[str]]:
    """Every source with all its translations."""
    found: dict[str, list[str]] = {}
    for source, target in pairs:
        found.setdefault(source, []).append(target)
    return found


SETS = {"multi30k_en_de": multi30k, "tatoeba_eng_fra": tatoeba}


def trained(data: Path, name: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """Train on a set, and what was measured."""
    split, recipe = SETS[name](data / name), RECIPES[name]
    model = Seq2Seq(**recipe.options)
    wall, cpu = time.perf_counter(), time.process_time()
    sources, targets = (list(side) for side in zip(*split.train[: chosen.pairs], strict=True))
    dev_sources, dev_targets = (list(side) for side in zip(*split.dev, strict=True))
    model.fit(
        sources,
        targets,
        dev=(dev_sources, dev_targets),
        threads=chosen.threads,
        **recipe.training | ({"epochs": chosen.epochs} if chosen.epochs else {}),
    )
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    if chosen.out:
        model.save(chosen.out / name)
    print(model.report_, flush=True)
    found: dict[str, Any] = {"set": name, "pairs": len(sources), **seconds}
    found["dev"] = judged(model, grouped(split.dev))
    if chosen.test:
        found["test"] = judged(model, split.test)
    return found


def judged(model: Seq2Seq, references: dict[str, list[str]]) -> dict[str, Any]:
    """BLEU and chrF against the first translation of every source and, if there are more, all."""
    answers, most = model.predict([*references]), max(map(len, references.values()))
    # sacreBLEU takes None where a text has fewer translations than others.
    columns = [
        [each[at] if at < len(each) else None for each in references.values()] for at in range(most)
    ]
    found = {"first translation": evaluate(answers, columns[0]).as_json()}
    if most > 1:
        found["all translations"] = evaluate(answers, *columns).as_json()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the sets")
    parser.add_argument("--sets", nargs="+", choices=[*SETS], default=[*SETS])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, help="in place of the recipe's")
    parser.add_argument("--pairs", type=int, help="the first pairs only")
    parser.add_argument("--test", action="store_true", help="read the test pairs, once")
    parser.add_argument("--out", type=Path, help="where the models go")
    parser.add_argument("--json", type=Path, help="write the figures here")
    chosen = parser.parse_args()
    found = [trained(chosen.data, name, chosen) for name in chosen.sets]
    print(json.dumps(found, indent=1))
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1), "utf-8")


if __name__ == "__main__":
    main()
