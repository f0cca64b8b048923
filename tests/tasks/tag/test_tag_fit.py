"""Fitting a tagger: schemes, reports, what is kept, told and refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatewise import (
    DataError,
    LanguageModel,
    ModelFileError,
    OptionError,
    SequenceTagger,
    load,
)
from gatewise.store import read_folder
from gatewise.tasks.tag.baseline import most_frequent_tags
from gatewise.tasks.tag.defaults import Defaults
from gatewise.tasks.tag.report import Report
from gatewise.tasks.tag.rows import Sentences
from gatewise.text.spans import spans_of, write
from tagger_cases import OPTIONS, TAGS, TOKENS, TRAINING, made, write_vectors


def fit(tags: Any = TAGS, options: dict[str, Any] | None = None, **training: Any) -> SequenceTagger:
    return SequenceTagger(**OPTIONS | (options or {})).fit(TOKENS, tags, **TRAINING | training)


def in_scheme(scheme: Any) -> list[list[str]]:
    return [write(spans_of(tags), len(tags), scheme) for tags in TAGS]


def test_every_scheme_of_the_same_spans_gives_the_same_model() -> None:
    wanted = fit()
    assert wanted.chosen_.scheme == "bio"
    assert wanted.labels_ == ("B-LOC", "B-ORG", "B-PER", "I-LOC", "I-ORG", "I-PER", "O")
    for scheme in ("iob1", "bioes"):
        found = fit(in_scheme(scheme), {"scheme": "bio"})
        for name, weight in wanted.weights_.items():
            np.testing.assert_array_equal(found.weights_[name], weight)
    assert fit(in_scheme("iob1")).chosen_.scheme == "bio"
    assert fit(in_scheme("bioes")).chosen_.scheme == "bioes"
    assert len(fit(options={"scheme": "bioes"}).labels_) == 13
    # All are the same truth for an evaluation.
    figures = {str(wanted.evaluate(TOKENS, in_scheme(s))) for s in ("bio", "iob1", "bioes")}
    assert len(figures) == 1


def test_tags_of_spans_may_be_learned_as_plain_ones() -> None:
    tagger = fit(in_scheme("iob1"), {"scheme": "none"})
    assert tagger.labels_ == ("I-LOC", "I-ORG", "I-PER", "O")
    assert not tagger.chosen_.crf
    assert tagger.evaluate(TOKENS, TAGS).spans is None


def test_the_report_tells_what_was_done(tmp_path: Path) -> None:
    dev = (TOKENS[1:3], TAGS[1:3])
    tagger = fit(dev=dev, epochs=3)
    report = tagger.report_
    assert report is not None
    assert (report.sentences, report.tokens) == (5, 22)
    assert (report.dev_sentences, report.dev_tokens) == (2, 13)
    assert report.vocabulary_size == len(tagger.tokenizer_)
    assert report.weights == sum(weight.size for weight in tagger.weights_.values())
    assert [epoch.best for epoch in report.epochs].count(True) >= 1
    assert len(report.epochs) == 3
    assert report.evaluation == tagger.evaluate(*dev)
    guesses = most_frequent_tags(Sentences(TOKENS, TAGS), dev[0])
    assert guesses[0] == TAGS[1]
    assert guesses[1] == [*TAGS[2][:4], "I-PER", *TAGS[2][5:]]  # Lee is I-PER first
    assert report.baseline is not None
    assert report.baseline.score == 1.0
    told = str(report)
    assert "5 sentences of 22 tokens to learn from, 2 of 13 to choose the best epoch" in told
    assert "most frequent tag of every word  span F1 1.0000" in told
    tagger.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.report_ == report
    assert "Gives every token of a sentence one of 7 tags: `B-LOC`" in (
        tmp_path / "model" / "README.md"
    ).read_text("utf-8")
    loaded.report_ = replace(report, tag_column="upos")
    assert loaded.report_.tag_column == "upos"
    assert Report.from_json({"sentences": 3}) is None


def test_without_dev_sentences_nothing_is_told_of_them() -> None:
    report = fit().report_
    assert report is not None
    assert (report.dev_sentences, report.evaluation, report.baseline) == (0, None, None)
    assert "On the dev" not in str(report)


def test_a_tenth_is_held_out() -> None:
    tokens = [[f"w{row}", "and", f"v{row}"] for row in range(50)]
    tags = [["B-x", "O", "B-y"]] * 50
    report = SequenceTagger(**OPTIONS).fit(tokens, tags, **TRAINING | {"dev_share": 0.1}).report_
    assert report is not None
    assert (report.sentences, report.dev_sentences) == (45, 5)


def test_a_fit_forgets_the_one_before_and_leaves_its_arguments_alone() -> None:
    tokens, tags = json.loads(json.dumps(TOKENS)), json.loads(json.dumps(TAGS))
    tagger = SequenceTagger(**OPTIONS)
    assert tagger.fit(tokens[:2], tags[:2], **TRAINING) is tagger
    again = tagger.fit(tokens, tags, **TRAINING)
    assert (tokens, tags) == (TOKENS, TAGS)
    assert (tagger.crf, tagger.scheme) == (None, None)  # options stay as they were given
    for name, weight in fit().weights_.items():
        np.testing.assert_array_equal(again.weights_[name], weight)
    as_tuples = SequenceTagger(**OPTIONS).fit(
        tuple(map(tuple, TOKENS)), tuple(map(tuple, TAGS)), **TRAINING
    )
    assert as_tuples.labels_ == again.labels_


@pytest.mark.parametrize(
    ("tokens", "tags", "told"),
    [
        (TOKENS, TAGS[:4], r"There are 5 sentences, but tags of 4\."),
        ([["a", "b"]], [["O"]], r"Sentence 0 has 2 tokens, but 1 tags\."),
        ([], [], r"There are no tokens to learn from\."),
        ([[], []], [[], []], r"There are no tokens to learn from\."),
        (TOKENS, "O", r"Got str\."),
        ([["a"], ["b"]], [["N"], ["N"]], r"two or more different tags to learn\. Got \['N'\]\."),
        (
            [["a", "b"], ["c"]],
            [["O", "I-x"], ["B-x"]],
            r"^row 1, token 2: 'I-x' stands behind 'O'\. Mend the tags, or read them with repair",
        ),
        (
            [["a", "b", "c"], ["d"]],
            [["B-x", "E-x", "I-x"], ["E-x"]],
            r"^row 1, token 3: 'I-x' stands behind 'E-x' \(3 such places\)\.",
        ),
    ],
)
def test_what_cannot_be_learned_from(tokens: Any, tags: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        SequenceTagger(**OPTIONS).fit(tokens, tags, **TRAINING)


def test_too_many_tags_are_most_likely_another_column() -> None:
    tokens = [[f"w{row}"] for row in range(40)]
    with pytest.raises(DataError, match=r"40 different tags, and at most 30 are allowed\."):
        SequenceTagger(**OPTIONS).fit(tokens, tokens, max_tags=30, **TRAINING)


def test_dev_tags_that_train_has_not_are_told() -> None:
    report = fit(dev=([["a", "b"]], [["B-NEW", "O"]])).report_
    assert report is not None
    assert report.warnings[-1] == "Dev tags that are not in train only can be wrong: B-NEW."
    assert report.evaluation is not None
    assert {score.label for score in report.evaluation.spans or ()} >= {"NEW", "all"}


def test_vectors_that_hardly_fit_are_told(tmp_path: Path) -> None:
    write_vectors(tmp_path / "v.txt")
    (tmp_path / "other.txt").write_text("abc 1 2\ndef 3 4\n", "utf-8")
    for name, expected in (("v.txt", False), ("other.txt", True)):
        report = fit(options={"vectors": str(tmp_path / name)}).report_
        assert report is not None
        assert any("has vectors for" in warning for warning in report.warnings) == expected
    with pytest.raises(DataError, match=r"nowhere\.txt cannot be read"):
        fit(options={"vectors": str(tmp_path / "nowhere.txt")})


@pytest.mark.parametrize(("numbers", "kept"), [(50, 400_000), (300, 66_666), (20, 400_000)])
def test_as_many_vectors_are_kept_as_80_megabytes_hold(
    tmp_path: Path, numbers: int, kept: int
) -> None:
    (tmp_path / "v.txt").write_text(f"anna {' '.join(['1'] * numbers)}\n", "utf-8")
    tagger = fit(options={"vectors": str(tmp_path / "v.txt")})
    assert tagger.chosen_.max_vectors == kept
    assert fit().chosen_.max_vectors == 0


def test_a_tagger_starts_from_a_language_model(tmp_path: Path) -> None:
    texts = [" ".join(tokens) for tokens in TOKENS]
    sizes: dict[str, Any] = {"embedding_size": 7, "hidden_size": 9, "min_count": 1}
    quick: dict[str, Any] = {"epochs": 1, "quiet": True, "threads": 1, "dev_share": 0.0}
    lm = LanguageModel(level="whitespace", **sizes).fit(texts, **quick)
    lm.save(tmp_path / "lm")
    own: dict[str, Any] = {"character_size": 4, "character_units": 3}
    training = TRAINING | {"epochs": 1, "learning_rate": 1e-12, "average": 0.0}
    for encoder in (lm, str(tmp_path / "lm")):
        tagger = SequenceTagger(encoder=encoder, **own).fit(TOKENS, TAGS, **training)
        chosen = tagger.chosen_
        assert (chosen.embedding_size, chosen.hidden_size) == (7, 9)
        assert chosen.bidirectional == lm.chosen_.bidirectional
        learned = lm.weights_["recurrent.weight_hh_l0"]
        np.testing.assert_allclose(
            tagger.weights_["recurrent.weight_hh_l0"], learned, rtol=1e-6, atol=1e-6
        )
        width = lm.chosen_.embedding_size
        inputs = tagger.weights_["recurrent.weight_ih_l0"]
        assert width is not None
        np.testing.assert_allclose(
            inputs[:, :width], lm.weights_["recurrent.weight_ih_l0"], rtol=1e-6, atol=1e-6
        )
        assert np.abs(inputs[:, width:]).max() < 1e-6  # characters say nothing at first
    with pytest.raises(OptionError, match=r"'hidden_size' option of a SequenceTagger with an"):
        SequenceTagger(encoder=lm, hidden_size=8).fit(TOKENS, TAGS, **training)
    characters = LanguageModel(level="char", **sizes).fit(texts, **quick)
    with pytest.raises(OptionError, match="starts from a language model of words"):
        SequenceTagger(encoder=characters).fit(TOKENS, TAGS, **training)
    with pytest.raises(OptionError, match="give one"):
        SequenceTagger(encoder=lm, vectors="v.txt").fit(TOKENS, TAGS, **training)
    with pytest.raises(OptionError, match=r"must be a LanguageModel or the folder of one\."):
        SequenceTagger(encoder=made()).fit(TOKENS, TAGS, **training)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"tags": None}, "must hold the names and the scheme of the tags"),
        ({"tags": {"names": ["O", "O"], "scheme": "bio"}}, "two or more different tags"),
        ({"tags": {"names": ["O"], "scheme": "bio"}}, "two or more different tags"),
        ({"tags": {"names": ["O", 1], "scheme": None}}, "two or more different tags"),
        ({"tags": {"names": ["O", "B-x"], "scheme": "iob1"}}, "must be one of bio, bioes"),
        ({"words": []}, "must hold of the words: characters, learned, vector_size"),
        ({"words": {"learned": 0, "characters": "ab", "vector_size": 0}}, "'learned' must be from"),
        ({"words": {"learned": True, "characters": "", "vector_size": 0}}, "'learned' must be"),
        ({"words": {"learned": 2, "characters": "aa", "vector_size": 0}}, "different ones"),
        ({"words": {"learned": 2, "characters": "a", "vector_size": -1}}, "'vector_size' must be"),
        ({"words": {"learned": 2, "characters": "a", "vector_size": 5}}, "must have shape"),
    ],
)
def test_folders_whose_parts_do_not_fit(tmp_path: Path, change: Any, told: str) -> None:
    made().save(tmp_path / "model")
    folder = read_folder(tmp_path / "model")
    assert isinstance(folder.labels, dict)
    with pytest.raises(ModelFileError, match=told):
        SequenceTagger.from_folder(replace(folder, labels=folder.labels | change))


def test_filters_over_characters_learn(tmp_path: Path) -> None:
    training = TRAINING | {"epochs": 80, "learning_rate": 0.03, "average": 0.0}
    options = {"character_layer": "cnn", "character_units": 9, "subwords": 0, "dropout": 0.0}
    # One word alone is known: the others are told apart by their characters.
    tagger = SequenceTagger(**OPTIONS | options | {"max_vocabulary": 2}).fit(
        TOKENS, TAGS, **training
    )
    assert tagger.weights_["characters.convolution.weight"].shape == (9, 4, 3)
    found = tagger.evaluate(TOKENS, TAGS)
    assert found.accuracy > 0.9
    tagger.save(tmp_path / "model")
    assert load(tmp_path / "model").predict([*TOKENS, ["I"]]) == tagger.predict([*TOKENS, ["I"]])


@pytest.mark.parametrize(("sentences", "tokens"), [(0, 0), (1, 1), (10**9, 10**12)])
def test_any_size_has_defaults(sentences: int, tokens: int) -> None:
    found = Defaults.derive(sentences, tokens)
    assert 8 <= found.batch_size <= 32
    assert 8 <= found.epochs <= 30
    assert bool(found.shape_size) == found.near_vectors == (tokens < 100_000)


def test_batches_of_empty_sentences_teach_nothing() -> None:
    sized = {"batch_size": 2, "epochs": 1}
    empty: list[list[str]] = [[]] * 10
    for crf in (False, True):
        tagger = SequenceTagger(**OPTIONS, crf=crf)
        tagger.fit([*TOKENS, *empty], [*TAGS, *empty], **TRAINING | sized)
        assert tagger.report_ is not None
        assert 0 < tagger.report_.epochs[0].loss < 3


def test_a_tag_among_spans_that_is_of_none_is_refused() -> None:
    odd = [*TAGS[:3], ["O", "O-PER", "O"], TAGS[4]]
    with pytest.raises(DataError, match="token 2: the tag 'O-PER' is not of a span"):
        fit(odd)
    assert "O-PER" in fit(odd, {"scheme": "none"}).labels_
