"""How well language models foretell public texts, by the field's protocol.

    python benchmarks/perplexity.py ../shared/data --sets tinyshakespeare wikitext2

Perplexity on the test text, read as one stream with the state carried along, every end of a line
counted. Epochs and the cache are chosen on the dev text; the test text is read when all is chosen,
without and with the cache, in the precision of training.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatewise.data.lines import Lines
from gatewise.tasks.language.task import LanguageModel

CACHE = 2000
"""Tokens that the cache holds."""


@dataclass(frozen=True)
class Recipe:
    """What a set is trained with."""

    options: dict[str, Any]
    training: dict[str, Any] = field(default_factory=dict)


RECIPES = {
    "tinyshakespeare": Recipe(
        {
            "level": "char",
            "min_count": 1,
            "hidden_size": 512,
            "embedding_size": 64,
            "dropout": 0.25,
        },
        {"epochs": 10, "batch_size": 32, "bptt": 64, "learning_rate": 0.004},
    ),
    "wikitext2": Recipe(
        {
            "level": "whitespace",
            "min_count": 1,
            "hidden_size": 400,
            "embedding_size": 256,
            "dropout": 0.25,
        },
        {"epochs": 6, "batch_size": 32, "bptt": 40, "samples": 2048, "learning_rate": 0.003},
    ),
}


def texts(folder: Path, name: str) -> tuple[Iterable[str], Iterable[str], Iterable[str]]:
    """Train, dev and test text of a set, line by line."""
    if name == "wikitext2":
        train, dev, test = (
            Lines(folder / name / f"{part}.txt.gz") for part in ("train", "valid", "test")
        )
        return train, dev, test
    with gzip.open(folder / name / "input.txt.gz", "rt", encoding="utf-8") as file:
        whole = file.read()
    first, second = len(whole) * 90 // 100, len(whole) * 95 // 100
    return [whole[:first]], [whole[first:second]], [whole[second:]]


def language_model_of(folder: Path, name: str, given: dict[str, Any]) -> LanguageModel:
    """The language model of a set; `given` are arguments of `fit` in place of the recipe's."""
    train, dev, _ = texts(folder, name)
    model = LanguageModel(documents="joined", **RECIPES[name].options)
    return model.fit(train, dev=dev, **RECIPES[name].training | given)


def run(folder: Path, name: str, given: dict[str, Any], out: Path | None) -> dict[str, Any]:
    """Train on a set and read its test text."""
    started, used = time.perf_counter(), time.process_time()
    model = language_model_of(folder, name, given)
    seconds, used = time.perf_counter() - started, time.process_time() - used
    print(model.report_, flush=True)
    if out is not None:
        model.save(out)
    model.precision = "auto"
    _, _, test = texts(folder, name)
    plain, cached = model.evaluate(test), model.evaluate(test, cache=CACHE)
    print(
        f"{name} test: {plain}\n{name} test with a cache of {CACHE:,} tokens: {cached}", flush=True
    )
    return {
        "set": name,
        "seconds": seconds,
        "core_minutes": used / 60,
        "loss": plain.loss,
        "perplexity": plain.perplexity,
        "cached": cached.perplexity,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the sets")
    parser.add_argument("--sets", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--epochs", type=int, help="in place of the recipe's")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder for the models")
    parser.add_argument("--json", type=Path, help="write the figures here")
    chosen = parser.parse_args()
    given = {"threads": chosen.threads, "seed": chosen.seed}
    given |= {"epochs": chosen.epochs} if chosen.epochs else {}
    found = [
        run(chosen.data, name, given, chosen.out and chosen.out / name) for name in chosen.sets
    ]
    for row in found:
        print(
            f"{row['set']:<16} loss {row['loss']:.4f}  perplexity {row['perplexity']:8.2f}  "
            f"with cache {row['cached']:8.2f}  {row['seconds']:6.0f} s, "
            f"{row['core_minutes']:.1f} core-minutes"
        )
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1), "utf-8")


if __name__ == "__main__":
    main()
