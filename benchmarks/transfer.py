"""What a pretrained encoder is worth to a classifier.

    python benchmarks/transfer.py ../shared/data --sets imdb
    python benchmarks/transfer.py ../shared/data --sets trec6 sst2_sentence --seeds 5

imdb: a language model of the training and the unlabelled reviews, never of test text. trec6 and
sst2_sentence: the language model of WikiText-2 of `perplexity.py`, tuned to the training texts of
the set. Beside it the default classifier is trained from scratch, on the same rows with the same
seeds; its recurrent layers have its own default sizes, not those of the language model.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perplexity import language_model_of
from quality import SETS, Rows, read

from gatewise import TextClassifier, load
from gatewise.data.tables import open_table
from gatewise.tasks.language.task import LanguageModel


@dataclass(frozen=True)
class Recipe:
    """How the language model of a set is made, and its classifier.

    Args:
        options: of the language model, where WikiText-2 is not what it reads first.
        reading: epochs and the like of the language model on the texts of the set.
        classifier: the same of the classifier.
    """

    reading: dict[str, Any]
    classifier: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)


TUNED = Recipe({"epochs": 3, "batch_size": 16}, {"epochs": 12, "layer_decay": 1.6})
RECIPES = {
    "imdb": Recipe(
        {"epochs": 4, "dev_share": 0.01},
        {"epochs": 4},
        {
            "documents": "apart",
            "lowercase": True,
            "max_vocabulary": 30_000,
            "hidden_size": 512,
            "embedding_size": 256,
        },
    ),
    "trec6": TUNED,
    "sst2_sentence": TUNED,
}


def language_model(data: Path, name: str, train: Rows, models: Path, threads: int | None) -> Path:
    """The folder of the language model of a set, made now unless it is there."""
    recipe, own = RECIPES[name], models / name
    if own.exists():
        return own
    if name == "imdb":
        unlabelled = open_table(data / name / "unlabelled_25k.csv.zst").read(["text"])["text"]
        model = LanguageModel(**recipe.options)
        model.fit([*train[0], *unlabelled], threads=threads, **recipe.reading)
    else:
        general = models / "wikitext2"
        if not general.exists():
            language_model_of(data, "wikitext2", {"threads": threads}).save(general)
        model = load(general).fine_tune(train[0], threads=threads, **recipe.reading)
    model.save(own)
    print(model.report_, flush=True)
    return own


def run(
    data: Path, name: str, seeds: int, models: Path, scratch: bool, threads: int | None
) -> dict[str, Any]:
    """Scores on the test rows from scratch and with the encoder, by seed."""
    files = SETS[name]
    train, test = read(data / name / files.train, files), read(data / name / files.test, files)
    dev = read(data / name / files.dev, files) if files.dev else None
    started = time.perf_counter()
    folder = language_model(data, name, train, models, threads)
    pretraining = time.perf_counter() - started
    scores: dict[str, list[float]] = {"scratch": [], "encoder": []}
    for seed in range(seeds):
        for kind in scores if scratch else ["encoder"]:
            encoder = str(folder) if kind == "encoder" else None
            training = RECIPES[name].classifier if encoder else {}
            started = time.perf_counter()
            classifier = TextClassifier(encoder=encoder)
            given = training | {"threads": threads, "seed": seed, "baseline": False}
            classifier.fit(*train, dev=dev, **given)
            seconds = time.perf_counter() - started
            scores[kind].append(classifier.evaluate(*test).score)
            print(
                f"{name} {kind} seed {seed}: {scores[kind][-1]:.4f} in {seconds:.0f} s", flush=True
            )
    return {"set": name, "pretraining": pretraining, **scores}


def line(found: dict[str, Any]) -> str:
    """Means, and their difference over its standard error."""
    means = {kind: statistics.mean(found[kind]) for kind in ("scratch", "encoder") if found[kind]}
    told = "  ".join(f"{kind} {100 * mean:.2f}" for kind, mean in means.items())
    told = f"{found['set']:<14} {told}  language model {found['pretraining']:.0f} s"
    if len(means) < 2 or len(found["scratch"]) < 2:
        return told
    spread = math.sqrt(sum(statistics.variance(found[kind]) / len(found[kind]) for kind in means))
    gain = means["encoder"] - means["scratch"]
    return f"{told}  gain {100 * gain:+.2f}, standard error {100 * spread:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the sets")
    parser.add_argument("--sets", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--models", type=Path, default=Path("build/models"))
    parser.add_argument(
        "--encoder-only", action="store_true", help="leave out training from scratch"
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    chosen = parser.parse_args()
    found = [
        run(
            chosen.data,
            name,
            chosen.seeds,
            chosen.models,
            not chosen.encoder_only,
            chosen.threads,
        )
        for name in chosen.sets
    ]
    print("\n".join(line(row) for row in found))
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1), "utf-8")


if __name__ == "__main__":
    main()
