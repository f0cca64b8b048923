"""Fitting: what is reported, kept, saved and refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatewise import DataError, ModelFileError, OptionError, Seq2Seq, load
from gatewise.tasks.seq2seq.evaluation import evaluate
from seq2seq_cases import made

SOURCES = [f"{a} {b}" for a in ("the", "a", "my") for b in ("dog", "cat", "cow", "mat")]
TARGETS = [f"{a} {b}" for a in ("der", "ein", "mein") for b in ("Hund", "Kater", "Ochs", "Teppich")]
SMALL: dict[str, Any] = {"level": "word", "min_count": 1, "embedding_size": 6, "hidden_size": 8}
QUICK: dict[str, Any] = {"epochs": 2, "quiet": True, "threads": 1}


def test_the_report_tells_what_was_done(tmp_path: Path) -> None:
    dev = (["the cow", "my mat"], ["der Ochs", "mein Teppich"])
    model = Seq2Seq(**SMALL).fit(SOURCES * 3, TARGETS * 3, dev=dev, **QUICK)
    report = model.report_
    assert report is not None
    assert (report.pairs, report.left_out, report.dev_pairs) == (36, 0, 2)
    assert report.tokens == 36 * 3
    assert report.vocabulary_size == len(model.tokenizer_) == 15
    assert report.weights == sum(weight.size for weight in model.weights_.values())
    assert report.epochs[0].best
    assert len(report.epochs) == 2
    greedy = evaluate(model.predict(dev[0], beam=1), dev[1])
    assert (report.dev_bleu, report.dev_chrf) == (greedy.bleu, greedy.chrf)
    assert "36 pairs to learn from, 2 held out to choose the best epoch" in str(report)
    model.save(tmp_path / "mt")
    loaded = load(tmp_path / "mt")
    assert loaded.report_ == report
    assert "36 pairs to learn from" in (tmp_path / "mt" / "README.md").read_text("utf-8")


def test_without_dev_pairs_nothing_is_told_of_them() -> None:
    model = Seq2Seq(**SMALL).fit(SOURCES, TARGETS, dev_share=0, **QUICK)
    report = model.report_
    assert report is not None
    assert (report.dev_pairs, report.dev_bleu, report.epochs[0].dev_score) == (0, None, None)
    assert "dev" not in str(report)


@pytest.mark.parametrize(
    "given",
    [
        {"attention": "additive"},
        {"input_feeding": True},
        {"input_feeding": True, "attention": "additive", "num_layers": 2, "cell": "gru"},
    ],
)
def test_every_kind_of_network_learns(given: dict[str, Any]) -> None:
    training = QUICK | {
        "epochs": 150,
        "learning_rate": 0.01,
        "batch_size": 4,
        "average": 0.0,
        "label_smoothing": 0.0,
        "patience": 150,
        "dev_share": 0,
        "scheduled_sampling": 0.1,
    }
    plain = {"dropout": 0.0, "embedding_dropout": 0.0, "hidden_size": 16, "embedding_size": 12}
    model = Seq2Seq(**SMALL | plain | given).fit(SOURCES, TARGETS, **training)
    assert model.predict(SOURCES) == TARGETS


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(OptionError, match=r"input_feeding must have weight_dropout 0: .* Got 0\.1"):
        Seq2Seq(input_feeding=True, weight_dropout=0.1)
    with pytest.raises(OptionError, match=r"'scheduled_sampling' .* 0 where there is one epoch"):
        Seq2Seq().fit(SOURCES, TARGETS, scheduled_sampling=0.1, epochs=1)
    with pytest.raises(OptionError, match="Seq2SeqTraining has no option 'smoothing'"):
        Seq2Seq().fit(SOURCES, TARGETS, smoothing=0.1)
    with pytest.raises(DataError, match="There are 12 texts, but 11 targets"):
        Seq2Seq().fit(SOURCES, TARGETS[1:])
    with pytest.raises(DataError, match="put it in a list"):
        made().predict("the dog")
    with pytest.raises(OptionError, match="'n_best' option of Search must be at most 'beam', 2"):
        made().predict(["the dog"], beam=2, n_best=3)
    with pytest.raises(DataError, match="There are no texts to evaluate the model on"):
        made().evaluate([], [])


def test_a_folder_of_other_options_is_refused(tmp_path: Path) -> None:
    made(attention="additive").save(tmp_path / "mt")
    made().save(tmp_path / "other")
    (tmp_path / "mt" / "config.json").write_bytes((tmp_path / "other" / "config.json").read_bytes())
    with pytest.raises(ModelFileError):
        load(tmp_path / "mt")


def test_an_answer_that_is_cut_is_warned_of() -> None:
    model = made()
    with pytest.warns(UserWarning, match=r"answers? came to max_tokens without an end and w"):
        model.predict(["the dog", "a cat"], max_tokens=1, beam=1)
    found = model.answer(["the dog"], max_tokens=3, beam=4, n_best=4)
    assert all(len(model.tokenizer_.encode([one.text]).values) <= 4 for one in found[0])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_weights_that_overflow_are_an_error() -> None:
    model = made()
    vectors = model.weights_["embedding.weight"]
    np.multiply(np.sign(vectors), np.float32(3e38), out=vectors)
    with pytest.raises(ModelFileError, match="so large that its scores are no numbers"):
        model.predict(["the dog"])
