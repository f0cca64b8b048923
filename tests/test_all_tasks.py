"""What holds for every task of the house: a new task is tested the day it is registered."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from gatewise import NotFittedError, OptionError, load, options
from gatewise.tasks import TASKS, task_class, task_of
from task_examples import EXAMPLES, NEW, TEXTS, fitted


def test_every_task_has_an_example() -> None:
    assert EXAMPLES.keys() == TASKS.keys()
    for task in TASKS:
        assert task_of(task_class(task)()) == task


@pytest.mark.parametrize("task", TASKS)
def test_it_learns_twenty_examples(task: str) -> None:
    example = EXAMPLES[task]
    assert example.has_learned(fitted(task))
    assert not example.has_learned(fitted(task, epochs=1))


@pytest.mark.parametrize("task", TASKS)
def test_the_same_seed_gives_the_same_bits(task: str) -> None:
    first, again, other = (fitted(task, epochs=2, seed=seed) for seed in (1, 1, 2))
    for name, weight in first.weights_.items():
        np.testing.assert_array_equal(weight, again.weights_[name])
    assert any((weight != other.weights_[name]).any() for name, weight in first.weights_.items())


@pytest.mark.parametrize("task", TASKS)
def test_a_text_alone_is_answered_as_in_a_batch(task: str) -> None:
    model = fitted(task, epochs=2)
    numbers = EXAMPLES[task].numbers
    together = numbers(model, NEW)
    assert len(together) == len(NEW)
    alone = np.concatenate([numbers(model, [text]) for text in NEW])
    np.testing.assert_allclose(together, alone, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("task", TASKS)
def test_one_loaded_model_answers_many_callers_at_once(task: str, tmp_path: Path) -> None:
    fitted(task, epochs=2, num_layers=2).save(tmp_path / "model")
    shares = [[*TEXTS[caller:], *NEW] for caller in range(8)]
    answers = EXAMPLES[task].answers
    wanted = [answers(load(tmp_path / "model"), texts) for texts in shares]
    model = load(tmp_path / "model")  # whose weights are packed by whoever comes first
    start = Barrier(8)

    def answer(caller: int) -> None:
        start.wait()
        for _ in range(10):
            assert answers(model, shares[caller]) == wanted[caller]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(answer, range(8)))


@pytest.mark.parametrize("task", TASKS)
def test_a_model_that_has_answered_is_copied_and_pickled(task: str) -> None:
    model, answers = fitted(task, epochs=2), EXAMPLES[task].answers
    wanted = answers(model, NEW)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301
        assert answers(other, NEW) == wanted


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
from task_examples import EXAMPLES
print(json.dumps(EXAMPLES[sys.argv[1]].answers(load(sys.argv[2]), json.loads(sys.argv[3]))))
"""
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    answered = subprocess.run(
        [sys.executable, "-c", code, task, str(tmp_path / "model"), json.dumps(NEW)],
        check=True,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    answers = EXAMPLES[task].answers
    assert json.loads(answered.stdout) == json.loads(json.dumps(answers(model, NEW)))
    loaded = load(tmp_path / "model")
    loaded.save(tmp_path / "again")
    assert answers(loaded, NEW) == answers(load(tmp_path / "again"), NEW)


@pytest.mark.parametrize("task", TASKS)
def test_the_folder_keeps_options_and_report_and_tells_people_of_them(
    task: str, tmp_path: Path
) -> None:
    model = fitted(task, epochs=2)
    chosen = options.values(model.chosen_)
    assert None not in chosen.values()
    model.report_ = replace(model.report_, seconds=2.5)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.report_ == model.report_
    assert loaded.report_.seconds == 2.5
    assert options.values(loaded.chosen_) == chosen
    assert loaded.tokenizer_.to_json() == model.tokenizer_.to_json()
    card = (tmp_path / "model" / "README.md").read_text("utf-8")
    assert str(model.report_) in card
    for name, value in chosen.items():
        assert f"| `{name}` | {value} |" in card
    shown = set(re.findall(r"!\[.*\]\((.*)\)", card))
    assert shown == {path.name for path in (tmp_path / "model").glob("*.png")}


@pytest.mark.parametrize("task", TASKS)
def test_a_new_model_has_no_answers_yet(task: str) -> None:
    with pytest.raises(NotFittedError, match="has learned nothing yet"):
        EXAMPLES[task].answers(task_class(task)(), ["a"])
    with pytest.raises(NotFittedError):
        task_class(task)().save("nowhere")


@pytest.mark.parametrize("task", TASKS)
def test_unknown_options_are_named(task: str) -> None:
    with pytest.raises(OptionError, match=r"has no option 'epoch'\. Did you mean 'epochs'"):
        task_class(task)().fit(*EXAMPLES[task].data, epoch=3)
