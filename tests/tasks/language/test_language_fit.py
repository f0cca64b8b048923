from __future__ import annotations

import gc
import math
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gatewise import DataError, LanguageModel, ModelFileError, OptionError, TrainingError, load
from gatewise.data.lines import Lines
from gatewise.errors import MissingExtraError
from gatewise.store import read_folder
from gatewise.tasks.language import fit as fit_module
from gatewise.tasks.language.network import LanguageNetwork
from gatewise.tasks.language.options import LanguageTraining
from gatewise.tasks.language.report import Report

RANDOM = np.random.default_rng(0)
WORDS = [f"w{number}" for number in range(30)]


def texts(count: int) -> list[str]:
    return [" ".join(RANDOM.choice(WORDS, RANDOM.integers(1, 12))) for _ in range(count)]


TEXTS = texts(60)
QUIET: dict[str, Any] = {"epochs": 2, "batch_size": 4, "bptt": 12, "quiet": True, "threads": 1}


def small(**given: Any) -> LanguageModel:
    sizes: dict[str, Any] = {"embedding_size": 6, "hidden_size": 8, "min_count": 1}
    return LanguageModel(**sizes | given)


def test_the_lines_of_a_file_are_joined_and_other_texts_apart(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text("\n".join(TEXTS), "utf-8")
    for given, found in ((Lines(path), "joined"), (TEXTS, "apart"), (tuple(TEXTS), "apart")):
        assert small().fit(given, **QUIET).chosen_.documents == found
        for documents in ("joined", "apart"):
            model = small(documents=documents).fit(given, **QUIET)
            assert model.chosen_.documents == documents
    model = small().fit(Lines(path), **QUIET)
    assert model.documents is None
    joined = small(documents="joined").fit(TEXTS, **QUIET)
    for name, weight in model.weights_.items():
        np.testing.assert_array_equal(weight, joined.weights_[name])
    # What was resolved holds for answers too, here and in another process.
    assert model.perplexity(TEXTS) == model.evaluate(TEXTS, documents="joined").perplexity
    assert model.generate(temperature=1, seed=0, max_tokens=50).count("\n") > 1
    assert model.fine_tune(TEXTS, **QUIET).chosen_.documents == "joined"


def test_one_text_has_nothing_to_hold_out() -> None:
    text = "\n".join(TEXTS)
    with pytest.raises(DataError) as problem:
        small().fit([text], **QUIET)
    assert str(problem.value) == (
        "The last 5% of 1 text cannot be held out: at least 2 texts are needed, and no very long "
        "one at an end. Give 'dev' texts, set documents=\"joined\" to learn from the lines of a "
        "text, or set dev_share=0."
    )
    assert small().fit([text], dev_share=0.0, **QUIET).report_.texts == 1  # type: ignore[union-attr]
    report = small(documents="joined").fit([text], **QUIET).report_
    assert report is not None
    assert report.texts == 57
    with pytest.raises(DataError, match=r"Give 'dev' texts or set dev_share=0\.$"):
        small(documents="joined").fit(["a line"], **QUIET)
    with pytest.raises(DataError, match=r"^There are no texts to learn from\.$"):
        small().fit([], **QUIET)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> list[LanguageNetwork]:
    """The torch networks of all fits."""
    made: list[LanguageNetwork] = []
    build = fit_module._network

    def keep(*arguments: Any) -> LanguageNetwork:
        made.append(build(*arguments))
        return made[-1]

    monkeypatch.setattr(fit_module, "_network", keep)
    return made


def report_of(model: LanguageModel) -> Report:
    assert model.report_ is not None
    return model.report_


def test_the_last_part_is_held_out_and_chooses_the_epoch(network: list[LanguageNetwork]) -> None:
    # The last texts hold words that the others do not: no word of them may be known.
    given = [*TEXTS, *(f"held out {number}" for number in range(9))]
    model = small(documents="joined").fit(given, **QUIET | {"dev_share": 0.1})
    report = report_of(model)
    assert "held" not in model.tokenizer_.vocabulary
    characters = np.cumsum([len(text) + 1 for text in given])
    kept = 1 + int(np.abs(characters - 0.9 * characters[-1]).argmin())
    assert report.texts == kept
    train, dev = given[:kept], given[kept:]
    assert report.tokens == sum(len(text.split()) + 1 for text in train)
    assert report.dev_tokens == sum(len(text.split()) + 1 for text in dev)
    assert report.vocabulary_size == len({w for text in train for w in text.split()}) + 1
    assert report.weights == sum(weight.size for weight in model.weights_.values())
    best = report.epochs[report.best_epoch - 1].dev_score
    assert best == min(epoch.dev_score or math.inf for epoch in report.epochs)


@pytest.mark.parametrize("documents", ["joined", "apart"])
def test_the_perplexity_of_the_report_is_that_of_an_evaluation(documents: Any) -> None:
    training = QUIET | {"precision": "fp32"}
    model = small(documents=documents).fit(TEXTS, dev=TEXTS[:9], **training)
    report = report_of(model)
    found = report.epochs[report.best_epoch - 1].dev_score
    assert found == pytest.approx(model.perplexity(TEXTS[:9]), rel=1e-4)
    assert report.cached is not None
    assert report.cached[0] == pytest.approx(model.perplexity(TEXTS[:9]), rel=1e-4)
    assert report.cached[1] == pytest.approx(model.perplexity(TEXTS[:9], cache=2000), rel=1e-4)
    assert report.texts == len(TEXTS)
    assert "perplexity " in str(report)


def test_without_dev_texts_all_are_learned_from() -> None:
    model = small().fit(TEXTS, **QUIET | {"dev_share": 0.0})
    report = report_of(model)
    assert (report.texts, report.dev_tokens, report.cached) == (len(TEXTS), 0, None)
    assert all(epoch.dev_score is None for epoch in report.epochs)
    assert "dev texts" not in str(report)
    assert model.perplexity(TEXTS, cache=9) > 1


@pytest.mark.parametrize("level", ["word", "whitespace", "bpe", "char"])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"cell": "gru", "num_layers": 2, "tied": False},
        {"cell": "rnn", "bidirectional": True, "hidden_size": 6},
    ],
)
def test_what_was_fitted_is_saved_and_read(
    level: Any, given: dict[str, Any], tmp_path: Path, network: list[LanguageNetwork]
) -> None:
    model = small(level=level, **given).fit(TEXTS, **QUIET | {"samples": 9})
    for name, weight in network[-1].arrays().items():
        np.testing.assert_array_equal(weight, model.weights_[name])
    model.save(tmp_path / "lm")
    loaded = load(tmp_path / "lm")
    assert loaded.score(TEXTS) == model.score(TEXTS)
    assert loaded.generate("w1", seed=3) == model.generate("w1", seed=3)
    assert loaded.evaluate(TEXTS, cache=20) == model.evaluate(TEXTS, cache=20)
    assert loaded.report_ == model.report_
    assert loaded.chosen_.level == level


def test_the_card_says_what_the_model_is(tmp_path: Path) -> None:
    model = small().fit(TEXTS, **QUIET | {"seed": 4})
    model.save(tmp_path / "lm")
    card = (tmp_path / "lm" / "README.md").read_text("utf-8")
    assert str(report_of(model)) in card
    assert "| `documents` | apart |" in card
    assert "seed 4 and 1 thread in" in card
    assert report_of(model).data in card


def test_ctrl_c_keeps_the_best_weights(
    network: list[LanguageNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, Any]] = []
    nats = LanguageNetwork.nats

    def watched(self: LanguageNetwork, *arguments: Any) -> Any:
        if arguments[0].fresh:
            seen.append(self.arrays())
        return nats(self, *arguments)

    loss, calls = LanguageNetwork.loss, 0

    def interrupted(self: LanguageNetwork, *arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if len(seen) == 2 and calls % 3 == 0:
            raise KeyboardInterrupt
        return loss(self, *arguments)

    monkeypatch.setattr(LanguageNetwork, "nats", watched)
    monkeypatch.setattr(LanguageNetwork, "loss", interrupted)
    model = small().fit(TEXTS, dev=TEXTS[:9], **QUIET | {"epochs": 9})
    report = report_of(model)
    assert len(report.epochs) == 3
    assert report.stop == "interrupted; the best weights so far are kept"
    assert "Training stopped: interrupted" in str(report)
    for name, weight in model.weights_.items():
        np.testing.assert_array_equal(weight, seen[report.best_epoch - 1][name])


def test_a_learning_rate_of_fifty_is_stopped_and_explained() -> None:
    model = small().fit(TEXTS, **QUIET)
    before = model.generate("w1", seed=0)
    training = QUIET | {"epochs": 30, "learning_rate": 50.0, "dev_share": 0.0, "average": 0.0}
    with pytest.raises(TrainingError, match=r"The learning rate 50 is too large; 0\.002 is usual"):
        model.fit(texts(300), **training)
    assert model.generate("w1", seed=0) == before  # what it knew it still knows


def test_a_step_of_samples_learns_as_one_of_all() -> None:
    training = QUIET | {"epochs": 20, "learning_rate": 0.02, "dev_share": 0.0, "average": 0.9}
    given = ["a b c d e f g h"] * 60
    found = [
        small(dropout=0.0, embedding_dropout=0.0).fit(given, samples=samples, **training)
        for samples in (0, 6, 10**6)
    ]
    for model in found:
        assert model.perplexity(given) < 1.3
        assert model.generate("a b c", temperature=0) == "a b c d e f g h"


def test_the_default_sizes_are_those_of_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    model = LanguageModel(min_count=1).fit(TEXTS, **QUIET | {"batch_size": None, "epochs": 1})
    chosen, training = model.chosen_, report_of(model).training
    assert (chosen.hidden_size, chosen.embedding_size, chosen.dropout) == (256, 256, 0.4)
    assert (training.batch_size, training.samples, training.epochs) == (16, 0, 1)
    assert (model.hidden_size, model.embedding_size, model.dropout) == (None, None, None)
    assert (
        small(hidden_size=500, embedding_size=None).fit(TEXTS, **QUIET).chosen_.embedding_size
        == 400
    )


def test_texts_need_not_be_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Anew:
        """Texts that are made when they are asked for."""

        passes = 0

        def __iter__(self) -> Iterator[str]:
            Anew.passes += 1
            return (text for text in TEXTS)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    given: Any = Anew()
    model, listed = (small().fit(some, **QUIET) for some in (given, TEXTS))
    assert Anew.passes > 1
    for name, weight in model.weights_.items():
        np.testing.assert_array_equal(weight, listed.weights_[name])
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_fitting_leaves_the_process_as_it_was() -> None:
    torch.manual_seed(5)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    small().fit(TEXTS, **QUIET)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_two_fits_at_once_are_as_each_alone() -> None:
    alone = [small().fit(TEXTS, seed=seed, **QUIET).weights_ for seed in (1, 2)]
    models = [small(), small()]
    threads = [
        threading.Thread(target=model.fit, args=(TEXTS,), kwargs=QUIET | {"seed": seed})
        for model, seed in zip(models, (1, 2), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for model, weights in zip(models, alone, strict=True):
        for name, weight in weights.items():
            np.testing.assert_array_equal(model.weights_[name], weight)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "one text",
            "Texts must be a list of texts. Got one text: put it in brackets, [text], or if it "
            "names a file, give its lines, gatewise.data.lines.Lines(name).",
        ),
        (["a", None], "Every text must be a str. Text 1 is None."),
        (iter(["a", "b"]), "Texts are read more than once. Got an iterator"),
        ((text for text in TEXTS), "Texts are read more than once."),
        (["", "", ""], "The texts hold no token"),
    ],
)
def test_texts_that_cannot_be_learned_from(given: Any, message: str) -> None:
    with pytest.raises(DataError) as problem:
        small().fit(given, **QUIET)
    assert str(problem.value).startswith(message)


@pytest.mark.parametrize("dev", ["one text", ["a", 3], []])
def test_dev_texts_that_are_none(dev: Any) -> None:
    with pytest.raises(DataError):
        small().fit(TEXTS, dev=dev, **QUIET)


def test_odd_texts_are_learned_from() -> None:
    odd = ["", " ", "!!!", "\ud800", "\0", "😀" * 50, *TEXTS]
    for level in ("word", "whitespace", "bpe", "char"):
        model = small(level=level).fit(odd, **QUIET)
        assert all(math.isfinite(found.log_probability) for found in model.score(odd))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_layers": 300_000}, "num_layers"),
        ({"hidden_size": 10**8}, "weight_ih_l0"),
        ({"documents": None}, "'documents' has no value"),
        (
            {"documents": "aprat"},
            "'documents' option of LanguageModel must be one of joined, apart",
        ),
        ({"cell": "gru"}, "weight_ih_l0"),
        ({"bidirectional": True, "num_layers": 2}, "must have num_layers 1"),
        ({"vectors": "/etc/passwd"}, "'vectors' is not known"),
    ],
)
def test_a_folder_with_odd_options_is_refused(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    small().fit(TEXTS, **QUIET).save(tmp_path / "lm")
    folder = read_folder(tmp_path / "lm")
    with pytest.raises(ModelFileError, match=message):
        LanguageModel.from_folder(replace(folder, options=folder.options | change))
    missing = {name: value for name, value in folder.options.items() if name != "tied"}
    with pytest.raises(ModelFileError, match="'tied' is missing"):
        LanguageModel.from_folder(replace(folder, options=missing))


def test_a_report_of_another_version_is_no_report(tmp_path: Path) -> None:
    small().fit(TEXTS, **QUIET).save(tmp_path / "lm")
    folder = read_folder(tmp_path / "lm")
    reports: list[Any] = [{}, None, [], {"texts": 3}, folder.training | {"epochs": []}]
    for odd in reports:
        model = LanguageModel.from_folder(replace(folder, training=odd))
        assert model.report_ is None
        assert model.generate("w1", seed=0)
        model.save(tmp_path / "again")


def test_without_torch_training_names_its_extra() -> None:
    code = """
import sys
sys.modules["torch"] = None
from gatewise import LanguageModel
try:
    LanguageModel().fit(["a b", "c d"])
except ImportError as problem:
    print(type(problem).__name__, problem)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, check=True, capture_output=True, text=True
    )
    assert done.stdout.startswith(f"{MissingExtraError.__name__} Training needs packages that are")


def test_a_bidirectional_model_has_one_layer() -> None:
    with pytest.raises(OptionError, match="must have num_layers 1: upper layers would see"):
        LanguageModel(bidirectional=True, num_layers=2)


def test_nt_asgd_learns_with_its_own_rate() -> None:
    training = LanguageTraining(optimizer="nt-asgd")
    assert (training.learning_rate, training.weight_decay, training.clip) == (30.0, 1.2e-6, 0.25)
    assert LanguageTraining(optimizer="nt-asgd", clip=2.0).clip == 2.0
    given = QUIET | {"optimizer": "nt-asgd", "epochs": 12, "patience": 2, "batch_size": 4}
    model = small(documents="joined", dropout=0.0).fit(TEXTS, dev=TEXTS, **given)
    perplexities = [epoch.dev_score or math.inf for epoch in report_of(model).epochs]
    assert min(perplexities) < 0.5 * perplexities[0]
    assert model.perplexity(TEXTS) == pytest.approx(min(perplexities), rel=0.1)


def test_an_iterator_of_dev_texts_is_refused_before_training() -> None:
    with pytest.raises(DataError, match="Got an iterator"):
        small().fit(TEXTS, dev=iter(TEXTS), **QUIET)


def test_many_unknown_tokens_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    model = small(documents="apart", max_vocabulary=3).fit(TEXTS, **QUIET)
    (told,) = report_of(model).warnings
    unknown = model.fitted().encode(TEXTS).values == model.tokenizer_.unknown_id
    assert told.startswith(f"{unknown.mean():.0%} of the tokens are not among the 3 that are known")
    assert told in capsys.readouterr().err.replace("\n", " ")
    assert report_of(small().fit(TEXTS, **QUIET)).warnings == ()
