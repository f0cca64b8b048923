"""Learning again from training and dev sentences together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatewise import DataError, LanguageModel, OptionError, SequenceTagger, load
from gatewise.tasks.tag.network import TaggerNetwork
from gatewise.tasks.tag.report import Report
from tagger_cases import OPTIONS, TAGS, TOKENS, TRAINING, write_vectors

DEV_TOKENS = [["Cid", "sails", "to", "Rome"], ["Anna", "and", "Cid", "rest"]] * 6
DEV_TAGS = [["B-PER", "O", "O", "B-SEA"], ["B-PER", "O", "B-PER", "O"]] * 6
DEV = (DEV_TOKENS, DEV_TAGS)


def fit(options: dict[str, Any] | None = None, **training: Any) -> SequenceTagger:
    tagger = SequenceTagger(**OPTIONS | (options or {}))
    return tagger.fit(TOKENS, TAGS, **TRAINING | {"dev": DEV} | training)


def report_of(tagger: SequenceTagger) -> Report:
    assert tagger.report_ is not None
    return tagger.report_


def assert_equal(found: SequenceTagger, wanted: SequenceTagger) -> None:
    assert found.labels_ == wanted.labels_
    assert found.tokenizer_.vocabulary == wanted.tokenizer_.vocabulary
    assert found.weights_.keys() == wanted.weights_.keys()
    for name, weight in wanted.weights_.items():
        np.testing.assert_array_equal(found.weights_[name], weight, err_msg=name)


@pytest.mark.parametrize("vectors", [False, True])
def test_it_is_a_fit_of_all_sentences_with_the_balance_that_was_chosen(
    tmp_path: Path, vectors: bool
) -> None:
    options: dict[str, Any] = {"vectors": str(tmp_path / "v.txt")} if vectors else {}
    if vectors:
        write_vectors(tmp_path / "v.txt")
    training = TRAINING | {"epochs": 1, "learning_rate": 0.03, "batch_size": 4, "average": 0.0}
    made = SequenceTagger(**OPTIONS | options)
    found = made.fit(TOKENS * 4, TAGS * 4, dev=DEV, refit=True, **training)
    wanted = SequenceTagger(**OPTIONS | options).fit(
        [*TOKENS * 4, *DEV_TOKENS], [*TAGS * 4, *DEV_TAGS], **training
    )
    report = report_of(found)
    assert report.refit_epochs == 1
    assert report.balance > 0  # so it is seen that it is taken over
    wanted.weights_["head.bias"][wanted.labels_.index("O")] -= report.balance
    assert_equal(found, wanted)
    # Words and tags of dev sentences are now known.
    assert {"cid", "sails", "rome"} <= {*found.tokenizer_.vocabulary}
    assert {"B-SEA", "I-SEA"} <= {*found.labels_}


def test_it_learns_as_long_as_was_best(capfd: pytest.CaptureFixture[str]) -> None:
    training: dict[str, Any] = {
        "epochs": 12,
        "patience": 2,
        "learning_rate": 0.03,
        "average": 0.0,
        "quiet": False,
    }
    report = report_of(fit(refit=True, **training))
    best = report.best_epoch
    assert best < len(report.epochs) <= 12
    told = capfd.readouterr().err
    again = told[told.index("learning again from all 17 sentences, dev sentences too, for ") :]
    assert f"for {best} epoch" in again
    lines = [line for line in again.splitlines() if line.startswith("epoch")]
    assert [line.split()[1] for line in lines] == [f"{n}/{best}" for n in range(1, best + 1)]
    assert "span F1" not in again  # there is nothing to score it on
    assert "stopped" not in again


def test_the_dev_figures_are_those_of_the_model_before(tmp_path: Path) -> None:
    plain, again = fit(), fit(refit=True)
    before, after = report_of(plain), report_of(again)
    assert after.evaluation == before.evaluation
    assert after.baseline == before.baseline
    assert [epoch.dev_score for epoch in after.epochs] == [e.dev_score for e in before.epochs]
    assert (after.sentences, after.dev_sentences) == (5, 12)
    assert after.vocabulary_size == len(again.tokenizer_) > before.vocabulary_size
    assert after.weights == sum(weight.size for weight in again.weights_.values())
    sentence = "A new network then learned from all 17 sentences for "
    assert sentence in str(after)
    assert "no sentences were held out from the new one" in str(after)
    assert sentence not in str(before)
    again.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.report_ == after
    assert loaded.predict(TOKENS) == again.predict(TOKENS)
    old = {name: value for name, value in before.as_json().items() if name != "refit_epochs"}
    old["training"].pop("refit")
    assert Report.from_json(old) == before


def test_held_out_sentences_are_learned_too() -> None:
    tokens = [[f"w{row}", "and", f"v{row}"] for row in range(50)]
    tags = [["B-x", "O", "B-y"]] * 50
    training = TRAINING | {"dev_share": 0.1, "refit": True}
    tagger = SequenceTagger(**OPTIONS).fit(tokens, tags, **training)
    assert {f"w{row}" for row in range(50)} <= {*tagger.tokenizer_.vocabulary}
    assert (report_of(tagger).sentences, report_of(tagger).dev_sentences) == (45, 5)


@pytest.mark.parametrize("dev", [None, ([], [])])
def test_without_dev_sentences_nothing_could_be_chosen(dev: Any) -> None:
    with pytest.raises(OptionError, match=r"refit learns again .* and there are none\. Give"):
        fit(refit=True, dev=dev)


def test_tags_of_dev_sentences_count_before_anything_is_learned() -> None:
    with pytest.raises(DataError, match=r"7 different tags, and at most 6 are allowed\."):
        fit(refit=True, max_tags=6)
    assert report_of(fit(max_tags=6)).refit_epochs == 0


def test_a_language_model_is_the_start_of_both() -> None:
    texts = [" ".join(tokens) for tokens in [*TOKENS, *DEV_TOKENS]]
    quick: dict[str, Any] = {"epochs": 1, "quiet": True, "threads": 1, "dev_share": 0.0}
    sizes: dict[str, Any] = {"embedding_size": 7, "hidden_size": 9, "min_count": 1}
    lm = LanguageModel(level="whitespace", **sizes).fit(texts, **quick)
    tagger = SequenceTagger(encoder=lm, character_size=4, character_units=3)
    training = TRAINING | {"learning_rate": 1e-12, "average": 0.0, "dev": DEV, "refit": True}
    tagger.fit(TOKENS, TAGS, **training)
    learned = lm.weights_["recurrent.weight_hh_l0"]
    found = tagger.weights_["recurrent.weight_hh_l0"]
    np.testing.assert_allclose(found, learned, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("call", [2, 6])
def test_who_interrupts_it_has_the_first_model(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], call: int
) -> None:
    """One batch an epoch: calls 1 to 4 are of the first network, 5 to 8 of the second."""
    training: dict[str, Any] = {"epochs": 4, "learning_rate": 0.01, "average": 0.0}
    training |= {"batch_size": 99, "patience": 9}
    wanted = fit(**training)
    loss, calls = TaggerNetwork.loss, 0

    def interrupted(self: TaggerNetwork, *arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            raise KeyboardInterrupt
        return loss(self, *arguments)

    monkeypatch.setattr(TaggerNetwork, "loss", interrupted)
    found = fit(refit=True, **training)
    report = report_of(found)
    assert report.refit_epochs == 0
    assert report.warnings[-1].startswith("The model did not learn again from all sentences, since")
    assert report.warnings[-1] in capfd.readouterr().err.replace("\n", " ")
    assert "should have learned again" in str(report)
    assert calls == call
    if call > 4:
        assert_equal(found, wanted)
