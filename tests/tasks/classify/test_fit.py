from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gatewise import DataError, ModelFileError, OptionError, TextClassifier, TrainingError, kernels
from gatewise.options import PoolingName
from gatewise.store import read_folder
from gatewise.tasks.classify import fit as fit_module
from gatewise.tasks.classify.network import ClassifierNetwork

RANDOM = np.random.default_rng(0)
WORDS = [f"w{number}" for number in range(30)]


def texts(rows: int) -> list[str]:
    return [" ".join(RANDOM.choice(WORDS, RANDOM.integers(1, 12))) for _ in range(rows)]


def small(**options: Any) -> TextClassifier:
    sizes = {"embedding_size": 7, "hidden_size": 9, "subwords": 40, "token_pairs": 64}
    sizes["min_count"] = 1
    return TextClassifier(**(sizes | options))


QUIET: dict[str, Any] = {
    "epochs": 2,
    "batch_size": 8,
    "quiet": True,
    "baseline": False,
    "threads": 1,
}


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> list[ClassifierNetwork]:
    """The torch network of the last fit."""
    made: list[ClassifierNetwork] = []
    build = fit_module.network_of

    def keep(*arguments: Any) -> ClassifierNetwork:
        made.append(build(*arguments))
        return made[-1]

    monkeypatch.setattr(fit_module, "network_of", keep)
    return made


@pytest.mark.parametrize("pooling", ["concat", "last", "mean", "max", "attention"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cell": "gru", "num_layers": 2},
        {"cell": "rnn", "bidirectional": False, "subwords": 0, "token_pairs": 0},
    ],
)
def test_the_torch_network_and_the_answer_without_torch_agree(
    pooling: PoolingName, options: dict[str, Any], network: list[ClassifierNetwork]
) -> None:
    rows = texts(40)
    classifier = small(pooling=pooling, **options)
    classifier.fit(rows, ["a", "b"] * 20, **QUIET | {"dev_share": 0.0})
    assert classifier.report_ is not None
    classifier.precision = classifier.report_.training.precision
    trained = network[-1].eval()
    ids, words = classifier.fitted().encode(rows)
    assert not words
    with torch.no_grad():
        expected = trained(torch.from_numpy(ids.values), torch.from_numpy(ids.offsets)).numpy()
    found = classifier.scores(rows)
    assert np.abs(found - expected).max() < 1e-5 * max(1, np.abs(expected).max())
    assert found.std() > 1e-3


def test_precision_is_that_of_the_recurrent_products_alone() -> None:
    rows = texts(40)
    classifier = small(token_pairs=0).fit(rows, ["a", "b"] * 20, **QUIET | {"dev_share": 0.0})
    assert classifier.precision == "fp32"
    exact = classifier.scores(rows)
    found = {}
    for precision in kernels.precisions():
        classifier.precision = precision
        found[precision] = classifier.scores(rows)
        np.testing.assert_allclose(found[precision], exact, atol=0.02)
        assert (found[precision] == exact).all() == (precision == "fp32")
    classifier.precision = "auto"
    best = kernels.chosen_precision("auto")
    np.testing.assert_array_equal(classifier.scores(rows), found[best])
    classifier.precision = "fp8"  # type: ignore[assignment]
    with pytest.raises(OptionError, match=r"The precision must be one of .* Got 'fp8'"):
        classifier.predict(["w1"])


def test_unknown_words_are_read_by_their_pieces(network: list[ClassifierNetwork]) -> None:
    rows = [f"{text} wonderful{i}" for i, text in enumerate(texts(40))]
    classifier = small(min_count=2, token_pairs=0)
    classifier.fit(rows, ["a", "b"] * 20, **QUIET | {"dev_share": 0.0, "precision": "fp32"})
    ids, words = classifier.fitted().encode(rows)
    assert words[:2] == ["wonderful0", "wonderful1"]
    with torch.no_grad():
        expected = network[-1].eval()(torch.from_numpy(ids.values), torch.from_numpy(ids.offsets))
    np.testing.assert_allclose(classifier.scores(rows), expected.numpy(), rtol=1e-5, atol=1e-5)
    one, other, known = classifier.scores(["w1 wonderfully", "w1 xyzzy", "w1 w2"])
    assert np.abs(one - other).max() > 1e-4
    assert np.abs(one - known).max() > 1e-4


def test_many_labels_at_once_are_learned() -> None:
    random = np.random.default_rng(1)  # of its own: the same rows whatever runs before
    rows, labels = [], []
    for _ in range(150):
        chosen = [name for name in ("red", "blue", "green") if random.random() < 0.4]
        rows.append(" ".join(random.permutation([*chosen, "w1", "w2"])))
        labels.append(chosen)
    training = QUIET | {"epochs": 25, "learning_rate": 0.01}
    classifier = small().fit(rows, labels, **training)
    assert classifier.labels_ == ("blue", "green", "red")
    assert classifier.predict(["red w1 green", "w1 w2"]) == [["green", "red"], []]
    assert classifier.evaluate(rows, labels).macro_f1 > 0.97


def test_probabilities_teach_more_than_their_likeliest_label() -> None:
    taught = np.array([[0.7, 0.3], [0.3, 0.7]] * 30)
    rows = ["w1", "w2"] * 30
    training = QUIET | {"epochs": 60, "learning_rate": 0.02, "dev_share": 0.0}
    classifier = small(embedding_dropout=0.0, dropout=0.0, head_dropout=0.0, token_pairs=0)
    classifier.fit(rows, taught, label_names=["no", "yes"], **training)
    np.testing.assert_allclose(classifier.predict_proba(["w1", "w2"]), taught[:2], atol=0.05)


def test_weights_decide_between_contradictions() -> None:
    rows, labels = ["w1"] * 40, ["a", "b"] * 20
    training = QUIET | {"epochs": 80, "learning_rate": 0.02, "dev_share": 0.0}

    def probability_of_b(**given: Any) -> float:
        classifier = small(token_pairs=0, head_dropout=0.0).fit(rows, labels, **given, **training)
        return float(classifier.predict_proba(["w1"])[0, 1])

    assert probability_of_b(sample_weight=[1, 4] * 20) == pytest.approx(0.8, abs=0.06)
    assert probability_of_b(class_weight={"a": 4}) == pytest.approx(0.2, abs=0.06)
    assert probability_of_b() == pytest.approx(0.5, abs=0.06)


def test_balanced_weights_lift_a_rare_label() -> None:
    rows, labels = ["w1"] * 40, ["rare"] * 4 + ["usual"] * 36
    training = QUIET | {"epochs": 30, "learning_rate": 0.02, "dev_share": 0.0}
    classifier = small(token_pairs=0).fit(rows, labels, class_weight="balanced", **training)
    assert classifier.predict_proba(["w1"])[0, 0] == pytest.approx(0.5, abs=0.06)


def test_long_texts_keep_head_and_tail_and_say_so() -> None:
    rows = [f"{text} w1 w2 w3 w4 w5 w6 w7 w8" for text in texts(20)]
    classifier = small(max_length=6).fit(rows, ["a", "b"] * 10, **QUIET)
    assert classifier.report_ is not None
    assert classifier.report_.shortened == classifier.report_.rows
    long, short = "w1 w2 w3 w9 w9 w9 w4 w5 w6", "w1 w2 w3 w4 w5 w6"
    with pytest.warns(UserWarning, match="1 of 2 texts are longer than 6 tokens"):
        scores = classifier.scores([long, short])
    np.testing.assert_array_equal(scores[0], scores[1])


def test_pretrained_vectors_are_where_training_starts(tmp_path: Path) -> None:
    file = tmp_path / "vectors.txt"
    file.write_text("\n".join(f"w{i} {i} 1.5 -2" for i in range(10)), "utf-8")
    classifier = small(vectors=str(file), embedding_size=None, subwords=0)
    training = QUIET | {"epochs": 1, "learning_rate": 1e-9, "average": 0.0}
    classifier.fit(texts(40), ["a", "b"] * 20, **training)
    assert classifier.chosen_.embedding_size == 3
    row = classifier.tokenizer_.vocabulary.index("w7")
    np.testing.assert_allclose(classifier.weights_["embedding.weight"][row], [7, 1.5, -2], 1e-5)
    classifier.save(tmp_path / "model")
    assert "vectors" not in (tmp_path / "model" / "config.json").read_text("utf-8")


def test_a_learning_rate_of_one_is_stopped_and_explained() -> None:
    rows = texts(300)
    training = QUIET | {"epochs": 30, "learning_rate": 1.0, "dev_share": 0.0}
    with pytest.raises(TrainingError, match=r"The learning rate 1 is too large; 0\.002 is usual\."):
        small().fit(rows, ["a", "b", "c"] * 100, **training)


def test_fitting_leaves_the_process_as_it_was() -> None:
    torch.manual_seed(5)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    small().fit(texts(20), ["a", "b"] * 10, **QUIET)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_the_linear_model_stands_in_the_report() -> None:
    rows = [f"{text} {'good' if i % 2 else 'bad'}" for i, text in enumerate(texts(200))]
    labels = [i % 2 for i in range(200)]
    report = small().fit(rows, labels, **QUIET | {"baseline": True}).report_
    assert report is not None
    assert report.linear is not None
    assert report.linear.accuracy == 1
    assert report.evaluation is not None
    assert report.linear_seconds > 0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (("one text", ["a"]), "Expected a list of texts. Got one text: put it in a list."),
        ((["a", None], ["a", "b"]), "Texts must be strings, but row 2 is None, of type NoneType."),
        ((["a", "b"], ["a"]), "There are 2 texts, but 1 labels."),
        ((["a", "b"], ["x", "x"]), "A classifier needs at least two labels"),
    ],
)
def test_rows_that_cannot_be_learned_from(data: tuple[Any, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        small().fit(*data, **QUIET)


def test_texts_without_any_letter_are_answered() -> None:
    classifier = small().fit(texts(20), ["a", "b"] * 10, **QUIET)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        probabilities = classifier.predict_proba(["", " ", "!!!", "\ud800", "\0", "😀" * 50])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert classifier.predict([]) == []


@pytest.mark.parametrize("own", [None, "7"])
def test_torch_is_told_how_its_threads_wait_before_it_is_loaded(own: str | None) -> None:
    code = """
import os, sys

class Watch:
    def find_spec(self, name, *_):
        if name == "torch._C":
            print(os.environ.get("GOMP_SPINCOUNT"))

sys.meta_path.insert(0, Watch())
from gatewise import TextClassifier
TextClassifier(min_count=1).fit(["a b", "c d"] * 4, [0, 1] * 4, epochs=1, quiet=True)
"""
    environment = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY",)}
    environment.pop("GOMP_SPINCOUNT", None)
    environment |= {"GOMP_SPINCOUNT": own} if own else {}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.split()[0] == (own or "20000")


def test_a_first_step_already_counts() -> None:
    rows, labels = texts(16), ["a", "b"] * 8
    one_step = QUIET | {"epochs": 1, "batch_size": 16, "dev_share": 0.0}
    slow = small().fit(rows, labels, learning_rate=0.001, **one_step)
    quick = small().fit(rows, labels, learning_rate=0.1, **one_step)
    assert (slow.weights_["head.weight"] != quick.weights_["head.weight"]).any()


@pytest.mark.parametrize("weights", [{"a": -5}, {"a": float("nan")}, {"zzz": 1}, "even"])
def test_class_weights_that_make_no_sense_are_refused(weights: Any) -> None:
    with pytest.raises(DataError):
        small().fit(texts(8), ["a", "b"] * 4, class_weight=weights, **QUIET)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["a", "a"], None),
        (["a", "\ud800"], None),
        (np.ones((4, 1)), ["a"]),
        (["a", "b"], ["a", "a"]),
    ],
)
def test_labels_that_could_not_be_saved_are_refused_at_once(given: Any, names: Any) -> None:
    rows = texts(len(given))
    with pytest.raises(DataError):
        small().fit(rows, given, label_names=names, **QUIET)


def test_two_fits_at_once_are_as_each_alone() -> None:
    rows, labels = texts(60), ["a", "b"] * 30
    alone = [small().fit(rows, labels, seed=seed, **QUIET).weights_ for seed in (1, 2)]
    models = [small(), small()]
    threads = [
        threading.Thread(target=model.fit, args=(rows, labels), kwargs=QUIET | {"seed": seed})
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
    ("change", "message"),
    [
        ({"num_layers": 300_000}, "num_layers"),
        ({"hidden_size": 10**400}, "hidden_size"),
        ({"hidden_size": 10**8}, "weight_ih_l0"),
        ({"pooling": None}, "pooling"),
        ({"vectors": "/etc/passwd"}, "'vectors' is not known"),
        ({"cell": "gru"}, "weight_ih_l0"),
    ],
)
def test_a_folder_with_odd_options_is_refused(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    model = small().fit(texts(20), ["a", "b"] * 10, **QUIET)
    model.save(tmp_path / "model")
    folder = read_folder(tmp_path / "model")
    with pytest.raises(ModelFileError, match=message):
        TextClassifier.from_folder(replace(folder, options=folder.options | change))
    missing = {name: value for name, value in folder.options.items() if name != "max_length"}
    with pytest.raises(ModelFileError, match="'max_length' is missing"):
        TextClassifier.from_folder(replace(folder, options=missing))
