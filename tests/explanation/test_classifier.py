"""What the words of a text are said to do to a classifier's answer is what they do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explanation_cases import TEXT, WORDS, made
from gatewise import DataError, OptionError, TextClassifier, explain
from gatewise.errors import NotFittedError

SPLIT = TEXT.split()
every_pooling = pytest.mark.parametrize("pooling", ["last", "mean", "max", "concat", "attention"])
kinds: list[dict[str, Any]] = [
    {},
    {"token_pairs": 0, "subwords": 0, "bidirectional": False, "cell": "gru"},
    {"labels": ("a", "b", "c"), "num_layers": 2},
    {"labels": (0, 1, 2), "multiple": True, "pooling": "attention"},
]
every_kind = pytest.mark.parametrize("kind", kinds, ids=str)


def log_odds(scores: Any, label: int, rival: int | None) -> Any:
    return scores[:, label] - (0 if rival is None else scores[:, rival])


@every_kind
def test_occlusion_is_the_answer_to_the_text_without_the_word(kind: dict[str, Any]) -> None:
    classifier = made(**kind)
    found = explain(classifier, TEXT)
    rest = [" ".join(SPLIT[:i] + SPLIT[i + 1 :]) for i in range(len(SPLIT))]
    scores = classifier.scores(rest)
    np.testing.assert_allclose(found.arrays["without"], scores, atol=1e-5)
    order = np.argsort(-found.arrays["scores"]).tolist()
    rival = None if kind.get("multiple") else order[1]
    whole = log_odds(classifier.scores([TEXT]), order[0], rival)
    wanted = whole - log_odds(scores, order[0], rival)
    assert np.abs(wanted).max() > 0.1
    np.testing.assert_allclose(found.measure("contribution"), wanted, atol=1e-5)


@every_kind
def test_the_running_score_is_the_answer_to_every_beginning(kind: dict[str, Any]) -> None:
    classifier = made(**kind)
    found = explain(classifier, TEXT)
    starts = [" ".join(SPLIT[:i]) for i in range(len(SPLIT) + 1)]
    np.testing.assert_allclose(found.arrays["running"], classifier.scores(starts), atol=1e-5)
    label = found.arrays["scores"].argmax()
    chances = classifier.predict_proba(starts)[1:, label]
    np.testing.assert_allclose(found.measure("so far"), chances, atol=1e-5)
    total = found.measure("step").sum()
    rival = None if kind.get("multiple") else int(np.argsort(-found.arrays["scores"])[1])
    ends = log_odds(classifier.scores([TEXT, ""]), int(label), rival)
    np.testing.assert_allclose(total, ends[0] - ends[1], atol=1e-5)


@every_pooling
@pytest.mark.parametrize("bidirectional", [True, False])
def test_parts_add_up_to_the_score(pooling: Any, bidirectional: bool) -> None:
    classifier = made(("a", "b", "c"), pooling=pooling, bidirectional=bidirectional, num_layers=2)
    found, weights = explain(classifier, TEXT).arrays, classifier.weights_
    linear = found["tokens"].sum(0) + found["pairs"].sum(0) + weights["pairs.bias"]
    np.testing.assert_allclose(linear, found["linear"], atol=1e-5)
    recurrent = found["pooled"].sum(0) + weights["head.bias"]
    np.testing.assert_allclose(recurrent, found["recurrent"], atol=1e-5)
    np.testing.assert_allclose(linear + recurrent, found["scores"], atol=1e-5)
    assert np.abs(found["linear"]).max() > 0.1


def test_words_share_what_pairs_add_and_repeated_tokens_what_their_bucket_adds() -> None:
    classifier = made(token_pairs=2**20)  # so many buckets that none is shared by chance
    found = explain(classifier, TEXT, label="positive")
    first, again = (i for i, word in enumerate(WORDS) if word == "not")
    tokens, pairs = found.arrays["tokens"], found.arrays["pairs"]
    assert tokens[first].any()
    np.testing.assert_array_equal(tokens[first], tokens[again])
    assert WORDS[2:4] == WORDS[10:12] == ("to", "love")
    np.testing.assert_array_equal(pairs[2], pairs[10])
    once = explain(classifier, "could not", label="positive").arrays
    # The same bucket in a shorter text: longer features, and all of it at one place.
    assert np.abs(once["tokens"][1]).sum() > 2 * np.abs(tokens[first]).sum()
    margin = tokens[:, 1] - tokens[:, 0]
    half = (pairs[:, 1] - pairs[:, 0]) / 2
    wanted = margin + np.append(half, 0) + np.append(0, half)
    np.testing.assert_allclose(found.measure("linear"), wanted, atol=1e-6)


@pytest.mark.parametrize("buckets", [1, 3, 64])
def test_texts_whose_features_collide_add_up_too(buckets: int) -> None:
    classifier = made(token_pairs=buckets)
    for text in (TEXT, "film", "film film film", "zyxel"):
        found = explain(classifier, text).arrays
        total = found["tokens"].sum(0) + found["pairs"].sum(0) + classifier.weights_["pairs.bias"]
        np.testing.assert_allclose(total, found["linear"], atol=1e-5)


@every_pooling
def test_pooling_says_where_its_vector_came_from(pooling: Any) -> None:
    classifier = made(pooling=pooling)
    found = explain(classifier, TEXT)
    hidden = np.concatenate([trace.hidden for trace in found.layers], axis=1)
    names = [measure.name for measure in found.measures]
    if pooling == "attention":
        weights = classifier.weights_
        projected = hidden @ weights["pooling.projection.weight"].T
        scores = np.tanh(projected + weights["pooling.projection.bias"]) @ weights["pooling.query"]
        powers = np.exp(scores.astype(np.float64))
        np.testing.assert_allclose(found.measure("attention"), powers / powers.sum(), atol=1e-5)
    if pooling in ("max", "concat"):
        greatest = hidden.max(axis=0)
        hits = [(row == greatest).mean() for row in hidden]
        np.testing.assert_allclose(found.measure("maxima"), hits, atol=1e-6)
        np.testing.assert_allclose(found.measure("maxima").sum(), 1, atol=1e-6)
    assert ("attention" in names) == (pooling == "attention")
    assert ("maxima" in names) == (pooling in ("max", "concat"))


def test_another_label_can_be_explained() -> None:
    classifier = made(("a", "b", "c"))
    order = [classifier.labels_[i] for i in np.argsort(-classifier.scores([TEXT])[0])]
    likeliest, rival = explain(classifier, TEXT), explain(classifier, TEXT, label=order[1])
    np.testing.assert_allclose(
        likeliest.measure("contribution"), -rival.measure("contribution"), atol=1e-6
    )
    assert f"'{order[0]}' over '{order[1]}'" in likeliest.remarks[-1]
    assert f"'{order[1]}' over '{order[0]}'" in rival.remarks[-1]
    with pytest.raises(OptionError, match=r"must be one the model gives: a, b, c\. Got 'd'"):
        explain(classifier, TEXT, label="d")


def test_only_what_is_read_of_a_long_text_is_explained() -> None:
    classifier = made(max_length=5)
    found = explain(classifier, TEXT)
    assert [word.text for word in found.words] == [*SPLIT[:3], *SPLIT[-2:]]
    assert "first and last of the 13 tokens are read: 5" in found.remarks[0]
    with pytest.warns(UserWarning, match="longer than 5 tokens"):
        scores = classifier.scores([TEXT])
    np.testing.assert_array_equal(found.arrays["scores"], scores[0])
    rest = " ".join([SPLIT[0], SPLIT[2], *SPLIT[-2:]])
    np.testing.assert_allclose(found.arrays["without"][1], classifier.scores([rest])[0], atol=1e-5)


@every_kind
@pytest.mark.parametrize("text", ["", " \n", "\u200b"])
def test_a_text_without_tokens_has_an_answer_and_no_words(kind: dict[str, Any], text: str) -> None:
    classifier = made(**kind)
    found = explain(classifier, text)
    np.testing.assert_array_equal(found.arrays["scores"], classifier.scores([text])[0])
    assert found.words == ()
    assert all(len(measure.values) == 0 for measure in found.measures)
    assert all(part.shape[0] == 0 for trace in found.layers for part in trace.parts.values())


def test_words_have_their_places_and_say_what_is_not_known() -> None:
    text = "Could  not (LOVE) zyxel ½"
    found = explain(made(), text)
    assert [text[word.start : word.stop] for word in found.words] == [w.text for w in found.words]
    known = {word.text: word.known for word in found.words}
    assert known["Could"]
    assert known["LOVE"]
    assert not known["zyxel"]
    assert "not known but by its pieces: (, ), zyxel, ½, ½, ½." in found.remarks[0]


def test_what_cannot_be_explained_is_told() -> None:
    with pytest.raises(NotFittedError):
        explain(TextClassifier(), TEXT)
    with pytest.raises(DataError, match=r"takes one text. Got \['a'\]"):
        explain(made(), ["a"])  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"at most 2,000 tokens\. Got 2,001"):
        explain(made(max_length=5000), "film " * 2001)
