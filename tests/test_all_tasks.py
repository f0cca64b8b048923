"""What holds for every task of the house: a new task is tested the day it is registered."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest

from gatewise import NotFittedError, OptionError, load
from gatewise.tasks import TASKS, task_class

GOOD = ["a very good film", "good and funny", "i loved it", "wonderful acting", "what a good day"]
BAD = ["a very bad film", "bad and boring", "i hated it", "terrible acting", "what a bad day"]
TEXTS = [f"{start} {text}" for start in ("well ,", "honestly") for text in [*GOOD, *BAD]]
EXAMPLES: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "classify": (
        [TEXTS, ["good"] * 5 + ["bad"] * 5 + ["good"] * 5 + ["bad"] * 5],
        {"embedding_size": 8, "hidden_size": 9, "subwords": 50, "token_pairs": 64, "min_count": 1},
    ),
}
QUIET: dict[str, Any] = {
    "dev_share": 0.0,
    "epochs": 40,
    "batch_size": 4,
    "learning_rate": 0.01,
    "quiet": True,
}
NEW = ["a good film", "a bad film", "", "zzz qqq", "good"]


def fitted(task: str, **changes: Any) -> Any:
    data, options = EXAMPLES[task]
    training = QUIET | {
        key: changes.pop(key) for key in list(changes) if key in QUIET | {"seed": 0}
    }
    return task_class(task)(**options | changes).fit(*data, **training)


def test_every_task_has_an_example() -> None:
    assert EXAMPLES.keys() == TASKS.keys()


@pytest.mark.parametrize("task", TASKS)
def test_it_learns_twenty_examples(task: str) -> None:
    texts, labels = EXAMPLES[task][0]
    assert fitted(task).predict(texts) == labels


@pytest.mark.parametrize("task", TASKS)
def test_the_same_seed_gives_the_same_bits(task: str) -> None:
    first, again, other = (fitted(task, epochs=2, seed=seed) for seed in (1, 1, 2))
    for name, weight in first.weights_.items():
        np.testing.assert_array_equal(weight, again.weights_[name])
    assert any((weight != other.weights_[name]).any() for name, weight in first.weights_.items())


@pytest.mark.parametrize("task", TASKS)
def test_a_text_alone_is_answered_as_in_a_batch(task: str) -> None:
    model = fitted(task, epochs=2)
    together = model.scores(NEW)
    alone = np.concatenate([model.scores([text]) for text in NEW])
    assert np.abs(together - alone).max() < 1e-6


@pytest.mark.parametrize("task", TASKS)
def test_one_loaded_model_answers_many_callers_at_once(task: str, tmp_path: Path) -> None:
    fitted(task, epochs=2, num_layers=2).save(tmp_path / "model")
    shares = [[*TEXTS[caller:], *NEW] for caller in range(8)]
    wanted = [load(tmp_path / "model").scores(texts) for texts in shares]
    model = load(tmp_path / "model")  # whose weights are packed by whoever comes first
    start = Barrier(8)

    def answer(caller: int) -> None:
        start.wait()
        for _ in range(10):
            np.testing.assert_array_equal(model.scores(shares[caller]), wanted[caller])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(answer, range(8)))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_fresh_process_without_torch_gives_the_same_answers(
    task: str, cell: str, tmp_path: Path
) -> None:
    model = fitted(task, epochs=2, cell=cell, num_layers=2)
    model.save(tmp_path / "model")
    code = """
import json, sys
sys.modules["torch"] = None  # any import of it raises
from gatewise import load
print(json.dumps(load(sys.argv[1]).scores(json.loads(sys.argv[2])).tolist()))
"""
    answered = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model"), json.dumps(NEW)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(answered.stdout) == model.scores(NEW).tolist()
    loaded = load(tmp_path / "model")
    loaded.save(tmp_path / "again")
    assert loaded.scores(NEW).tolist() == load(tmp_path / "again").scores(NEW).tolist()


@pytest.mark.parametrize("task", TASKS)
def test_a_new_model_has_no_answers_yet(task: str) -> None:
    with pytest.raises(NotFittedError, match="has learned nothing yet"):
        task_class(task)().predict(["a"])
    with pytest.raises(NotFittedError):
        task_class(task)().save("nowhere")


@pytest.mark.parametrize("task", TASKS)
def test_unknown_options_are_named(task: str) -> None:
    data, _ = EXAMPLES[task]
    with pytest.raises(OptionError, match=r"has no option 'epoch'\. Did you mean 'epochs'"):
        task_class(task)().fit(*data, epoch=3)
