"""Classifiers that start from a language model, and that go on from an earlier fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gatewise import DataError, NotFittedError, OptionError, TextClassifier, load
from gatewise.ragged import Ragged
from gatewise.tasks.classify import fit as fit_module
from gatewise.tasks.classify.network import ClassifierNetwork
from gatewise.tasks.classify.transfer import Beginning
from gatewise.tasks.language.task import LanguageModel
from gatewise.tasks.transfer import rates

GOOD, BAD = ["a good film", "good and funny", "i loved it"], ["a bad film", "dull", "i hated it"]
TEXTS = [f"{start} {text}" for start in ("well ,", "honestly") for text in [*GOOD, *BAD]]
LABELS = (["good"] * 3 + ["bad"] * 3) * 2
QUIET: dict[str, Any] = {
    "epochs": 2,
    "batch_size": 4,
    "quiet": True,
    "baseline": False,
    "dev_share": 0.0,
    "precision": "fp32",
    "threads": 1,
}
SMALL: dict[str, Any] = {"embedding_size": 6, "hidden_size": 7, "subwords": 30, "token_pairs": 64}


@pytest.fixture(scope="module", params=[False, True], ids=["forwards", "both-ways"])
def model(request: pytest.FixtureRequest) -> LanguageModel:
    options: Any = {"documents": "apart", "min_count": 1, "embedding_size": 6, "hidden_size": 7}
    language = LanguageModel(**options, lowercase=True, bidirectional=request.param)
    return language.fit(TEXTS, epochs=1, dev_share=0.0, quiet=True, precision="fp32", threads=1)


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, torch.Tensor]]:
    """The weights that the last fits began with."""
    seen: list[dict[str, torch.Tensor]] = []
    train: Any = vars(fit_module)["train"]

    def watched(network: ClassifierNetwork, *rest: Any) -> Any:
        seen.append({name: weight.clone() for name, weight in network.state_dict().items()})
        return train(network, *rest)

    monkeypatch.setattr(fit_module, "train", watched)
    return seen


def test_it_reads_as_the_language_model_did(
    model: LanguageModel, first: list[dict[str, torch.Tensor]]
) -> None:
    classifier = TextClassifier(encoder=model, subwords=30, token_pairs=64)
    classifier.fit(TEXTS, LABELS, **QUIET)
    assert classifier.tokenizer_.vocabulary == model.tokenizer_.vocabulary
    for name, weight in model.weights_.items():
        if not name.startswith(("projection", "output")):
            begun = first[0][f"encoder.{name}"].numpy()
            np.testing.assert_array_equal(begun, weight[: len(begun)])
    assert len(first[0]["encoder.embedding.weight"]) == len(model.tokenizer_)
    assert not first[0]["encoder.embedding.subwords"].any()  # nothing is added to the vectors
    assert classifier.chosen_.bidirectional == model.bidirectional
    assert classifier.chosen_.lowercase


def test_a_folder_will_do_and_the_answers_need_no_language_model(
    model: LanguageModel, tmp_path: Path
) -> None:
    model.save(tmp_path / "lm")
    by_folder = TextClassifier(encoder=str(tmp_path / "lm")).fit(TEXTS, LABELS, **QUIET)
    by_model = TextClassifier(encoder=model).fit(TEXTS, LABELS, **QUIET)
    np.testing.assert_array_equal(by_folder.scores(TEXTS), by_model.scores(TEXTS))
    by_folder.save(tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").scores(TEXTS), by_model.scores(TEXTS))


def test_what_is_no_language_model_is_refused() -> None:
    with pytest.raises(OptionError, match=r"must be a LanguageModel or the folder of one\. Got in"):
        TextClassifier(encoder=3).fit(TEXTS, LABELS, **QUIET)
    with pytest.raises(NotFittedError):
        TextClassifier(encoder=LanguageModel()).fit(TEXTS, LABELS, **QUIET)
    with pytest.raises(OptionError, match="give one"):
        TextClassifier(encoder=LanguageModel(), vectors="v.txt").fit(TEXTS, LABELS, **QUIET)


def test_options_that_the_language_model_decides_are_not_overridden_in_silence(
    model: LanguageModel,
) -> None:
    with pytest.raises(OptionError, match=r"The 'hidden_size' option .* is that of the language"):
        TextClassifier(encoder=model, hidden_size=999).fit(TEXTS, LABELS, **QUIET)
    TextClassifier(encoder=model, hidden_size=7).fit(TEXTS, LABELS, **QUIET)


def test_lower_layers_learn_slower_and_later() -> None:
    options: Any = SMALL | {"num_layers": 2, "min_count": 1}
    classifier = TextClassifier(**options).fit(TEXTS, LABELS, **QUIET)
    seen: list[ClassifierNetwork] = []
    beginning = Beginning(earlier=classifier.fitted())
    fill = Beginning.fill

    def keep(self: Beginning, network: ClassifierNetwork) -> None:
        fill(self, network)
        seen.append(network)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Beginning, "fill", keep)
        classifier.fine_tune(TEXTS, LABELS, **QUIET)
    assert beginning
    found = rates(seen[0], 2, 2.0, 100, epochs=10)
    assert found["head.weight"] == found["pairs.weight"] == (1.0, 0)
    assert found["encoder.recurrent.weight_hh_l1_reverse"] == (0.5, 10)
    assert found["encoder.recurrent.bias_ih_l0"] == (0.25, 20)
    assert found["encoder.embedding.weight"] == (0.125, 30)
    # An n-gram vector is a part of words that a language model never saw: it learns at once.
    assert found["encoder.embedding.subwords"] == (1.0, 0)
    together = rates(seen[0], 2, 2.0, 100)
    assert {rate.first for rate in together.values()} == {0}
    short = rates(seen[0], 2, 2.0, 100, epochs=2)
    assert max(rate.first for rate in short.values()) == 50


def test_fine_tuning_begins_with_the_same_answers() -> None:
    classifier = TextClassifier(**SMALL, min_count=1).fit(TEXTS, LABELS, **QUIET)
    before = classifier.scores(TEXTS)
    classifier.fine_tune(TEXTS, LABELS, **QUIET | {"learning_rate": 1e-12, "average": 0.0})
    np.testing.assert_allclose(classifier.scores(TEXTS), before, atol=1e-6)


def test_a_new_label_stands_behind_the_old_ones_and_is_learned() -> None:
    training = QUIET | {"epochs": 30, "learning_rate": 0.01}
    classifier = TextClassifier(**SMALL, min_count=1).fit(TEXTS, LABELS, **training)
    vocabulary, old = classifier.tokenizer_.vocabulary, classifier.scores(TEXTS)
    new = ["where is it", "what time is it", "who is it"] * 2
    texts, labels = [*TEXTS, *new], [*LABELS, *["ask"] * 6]
    classifier.fine_tune(texts, labels, **QUIET | {"learning_rate": 1e-12, "average": 0.0})
    assert classifier.labels_ == ("bad", "good", "ask")
    np.testing.assert_allclose(classifier.scores(TEXTS)[:, :2], old, atol=1e-5)
    np.testing.assert_allclose(classifier.scores(TEXTS)[:, 2], 0, atol=1e-5)
    classifier.fine_tune(texts, labels, **training)
    assert classifier.predict(texts) == labels
    assert classifier.tokenizer_.vocabulary == vocabulary


def test_many_labels_at_once_grow_too_and_kinds_do_not_mix() -> None:
    many = [["good", "warm"] if label == "good" else [] for label in LABELS]
    classifier = TextClassifier(**SMALL, min_count=1).fit(TEXTS, many, **QUIET)
    classifier.fine_tune(TEXTS, [["good", "new"] for _ in TEXTS], **QUIET)
    assert classifier.labels_ == ("good", "warm", "new")
    with pytest.raises(DataError, match="a list of labels"):
        classifier.fine_tune(TEXTS, LABELS, **QUIET)


def test_only_a_fitted_model_is_fine_tuned() -> None:
    with pytest.raises(NotFittedError):
        TextClassifier().fine_tune(TEXTS, LABELS)
    with pytest.raises(NotFittedError):
        LanguageModel().fine_tune(TEXTS)


def test_new_words_join_a_language_model_and_the_old_ones_keep_their_vectors(
    model: LanguageModel, tmp_path: Path
) -> None:
    model.save(tmp_path / "lm")
    grown: LanguageModel = load(tmp_path / "lm")
    before, words = dict(grown.weights_), grown.tokenizer_.vocabulary
    old = grown.fitted().encode(TEXTS)
    settings: Any = {"epochs": 1, "dev_share": 0.0, "quiet": True, "precision": "fp32"}
    grown.fine_tune([*TEXTS, "zebras graze"], learning_rate=1e-12, average=0.0, **settings)
    assert grown.tokenizer_.vocabulary == [*words, "graze", "zebras"]
    count, weight = len(words), grown.weights_["embedding.weight"]
    np.testing.assert_allclose(weight[:count], before["embedding.weight"][:count], atol=1e-6)
    np.testing.assert_allclose(weight[-1], before["embedding.weight"][-1], atol=1e-6)
    mean = before["embedding.weight"].mean(axis=0)
    np.testing.assert_allclose(weight[count], mean, atol=1e-6)
    ids = grown.fitted().encode(TEXTS)
    assert isinstance(ids, Ragged)
    assert (ids.values[ids.values < count] == old.values[old.values < count]).all()
    assert (ids.values[old.values == count] == grown.fitted().end).all()
