"""How good taggers are on public sets.

    python benchmarks/tagging.py ../shared/data --sets ewt wnut17 --vectors glove.txt --test

Choices are made on the dev sentences, which also choose the best epoch; the test sentences are
read once per run, for the figure that is printed, and only with --test. The recipes are the
defaults, with --refit for wnut17, so a run of the command line gives the same model.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatewise import SequenceTagger
from gatewise.data.conll import TaggedFile

Rows = tuple[list[list[str]], list[list[str]]]


@dataclass(frozen=True)
class Recipe:
    """A set, its column of tags, whether pretrained vectors take part, and how many seeds.

    With `refit` the tested model has learned from the dev sentences too; the dev score is that of
    the one before it.
    """

    folder: str
    files: str
    column: str = ""
    vectors: bool = False
    seeds: int = 1
    refit: bool = False


RECIPES = {
    "ewt": Recipe("ud_ewt", "{}.conllu.gz", "upos"),
    "ewt_vectors": Recipe("ud_ewt", "{}.conllu.gz", "upos", vectors=True),
    "wnut17": Recipe("wnut17", "{}.conll.gz", vectors=True, seeds=5, refit=True),
}


def read(folder: Path, recipe: Recipe, part: str) -> Rows:
    path = folder / recipe.folder / recipe.files.format(part)
    sentences = list(TaggedFile(path, tag_column=recipe.column))
    return [one.tokens for one in sentences], [one.tags for one in sentences]


def trained(chosen: argparse.Namespace, name: str) -> dict[str, Any]:
    """Train a tagger for every seed and score it."""
    recipe = RECIPES[name]
    if recipe.vectors and chosen.vectors is None:
        raise SystemExit(f"{name} needs --vectors, a text file of pretrained vectors.")
    train, dev = (read(chosen.data, recipe, part) for part in ("train", "dev"))
    runs = []
    for seed in chosen.seeds or range(recipe.seeds):
        started, spent = time.perf_counter(), time.process_time()
        tagger = SequenceTagger(vectors=str(chosen.vectors) if recipe.vectors else None)
        tagger.fit(
            *train,
            dev=dev,
            seed=seed,
            threads=chosen.threads,
            epochs=chosen.epochs,
            refit=recipe.refit and chosen.test,
            baseline=False,
            quiet=True,
        )
        report = tagger.report_
        assert report is not None
        assert report.evaluation is not None
        run: dict[str, Any] = {
            "seed": seed,
            "metric": report.evaluation.metric,
            "precision": report.training.precision,
            "dev": report.evaluation.score,
            "seconds": time.perf_counter() - started,
            "cpu_seconds": time.process_time() - spent,
            "best_epoch": report.best_epoch,
            "balance": report.balance,
            "epochs": [epoch.dev_score for epoch in report.epochs],
        }
        if chosen.test:
            found = tagger.evaluate(*read(chosen.data, recipe, "test"))
            run |= {"test": found.score, "figures": str(found)}
        if chosen.out:
            tagger.save(chosen.out / f"{name}-{seed}")
        print(json.dumps(run), flush=True)
        runs.append(run)
    told: dict[str, Any] = {"set": name}
    for part in ("dev", "test") if chosen.test else ("dev",):
        scores = [run[part] for run in runs]
        told[part] = statistics.mean(scores)
        told[f"{part}_spread"] = statistics.stdev(scores) if len(scores) > 1 else 0.0
    return told | {"runs": runs}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the sets")
    parser.add_argument("--sets", nargs="+", choices=[*RECIPES], default=[*RECIPES])
    parser.add_argument("--vectors", type=Path, help="file of pretrained vectors")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, help="in place of the default")
    parser.add_argument("--seeds", type=int, nargs="+", help="in place of the recipe's")
    parser.add_argument("--test", action="store_true", help="read the test sentences, once")
    parser.add_argument("--out", type=Path, help="where the models go")
    parser.add_argument("--json", type=Path, help="write the figures here")
    chosen = parser.parse_args()
    found = [trained(chosen, name) for name in chosen.sets]
    print(json.dumps(found, indent=1))
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1), "utf-8")


if __name__ == "__main__":
    main()
