"""What a tagger answers, against the same network written in torch and all taggings counted."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gatewise import DataError, OptionError, SequenceTagger, load
from gatewise.text.spans import faults, spans_of
from gatewise.text.subwords import subword_buckets
from gatewise.text.word_shapes import SHAPES, word_shape
from tagger_cases import NEW, OPTIONS, TAGS, TOKENS, TRAINING, made, write_vectors

KINDS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}


def by_torch(tagger: SequenceTagger, prefix: str, values: torch.Tensor) -> tuple[Any, Any]:
    """What a recurrent stack of the tagger's weights makes of one sequence, in float64."""
    own = {
        name.removeprefix(f"{prefix}recurrent."): torch.from_numpy(weight).double()
        for name, weight in tagger.weights_.items()
        if name.startswith(f"{prefix}recurrent.")
    }
    layers = sum("weight_ih" in name and "reverse" not in name for name in own)
    stack = KINDS[tagger.cell](
        values.shape[1],
        own["weight_hh_l0"].shape[1],
        layers,
        bidirectional="weight_hh_l0_reverse" in own,
    ).double()
    stack.load_state_dict(own)
    hidden, final = stack(values)
    final = final[0] if tagger.cell == "lstm" else final
    return hidden, final[-2:].flatten() if stack.bidirectional else final[-1]


def filtered(tagger: SequenceTagger, prefix: str, values: torch.Tensor) -> tuple[Any, Any]:
    """What a convolution of the tagger's weights makes of one token, in float64."""
    weight, bias = (
        torch.from_numpy(tagger.weights_[f"{prefix}convolution.{name}"]).double()
        for name in ("weight", "bias")
    )
    gap = tagger.character_width - 1
    padded = torch.nn.functional.pad(values.T[None], (gap, gap))
    windows = torch.nn.functional.conv1d(padded, weight, bias)[0]
    return windows, windows.amax(1)


def reference(
    tagger: SequenceTagger, tokens: list[str], vectors: dict[str, Any]
) -> NDArray[np.float64]:
    """Scores of a sentence: every token read by the definition, one after another."""
    weights = tagger.weights_
    learned = sorted({token.lower() for sentence in TOKENS for token in sentence})
    rows = []
    for token in tokens:
        number = (
            tagger.tokenizer_.vocabulary.index(token.lower()) if token.lower() in learned else 0
        )
        parts = [weights["embedding.weight"][number].astype(np.float64)]
        if number == 0 and tagger.subwords:
            (grams,) = subword_buckets([token.lower()], tagger.subwords or 0)
            if len(grams):
                parts[0] = parts[0] + weights["subwords.weight"][grams].mean(axis=0)
        if vectors:
            parts.append(vectors.get(token.lower(), vectors.get(token, np.zeros(3))))
        if size := tagger.chosen_.shape_size:
            assert weights["shapes.weight"].shape == (SHAPES, size)
            parts.append(weights["shapes.weight"][word_shape(token)])
        if tagger.characters:
            letters = tagger.fitted().lexicon.characters
            ids = [letters.index(c) + 1 if c in letters else 0 for c in token[:40]]
            table = torch.from_numpy(weights["characters.embedding.weight"]).double()
            read = filtered if tagger.character_layer == "cnn" else by_torch
            parts.append(read(tagger, "characters.", table[ids])[1].detach().numpy())
        rows.append(np.concatenate(parts))
    hidden, _ = by_torch(tagger, "", torch.from_numpy(np.array(rows)))
    head = torch.from_numpy(weights["head.weight"]).double()
    found = hidden @ head.T + torch.from_numpy(weights["head.bias"]).double()
    return np.asarray(found.detach().numpy())


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"cell": "gru", "num_layers": 2, "subwords": 0},
        {"cell": "rnn", "bidirectional": False, "crf": False},
        {"characters": False, "subwords": 0, "num_layers": 3, "shape_size": 0},
        {"lowercase": True, "vectors": "v.txt"},
        {"character_layer": "cnn"},
        {"character_layer": "cnn", "character_width": 7, "vectors": "v.txt"},
    ],
)
def test_scores_are_those_of_the_same_network_in_torch(
    given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    vectors = write_vectors(Path("v.txt")) if "vectors" in given else {}
    tagger = made(**given)
    if vectors:  # these are no weights that training made
        table = tagger.weights_["vectors.weight"]
        for number, word in enumerate(tagger.tokenizer_.vocabulary):
            table[number] = vectors.get(word, vectors.get(word.capitalize(), np.zeros(3)))
    tagger.save("model")
    for model in (tagger, load("model")):
        for tokens, scores in zip([*TOKENS, *NEW], model.scores([*TOKENS, *NEW]), strict=True):
            assert scores.shape == (len(tokens), len(tagger.labels_))
            if tokens:
                wanted = reference(tagger, tokens, vectors)
                np.testing.assert_allclose(scores, wanted, atol=2e-5, rtol=2e-5)


def test_pretrained_vectors_are_kept_as_the_file_has_them(tmp_path: Path) -> None:
    vectors = write_vectors(tmp_path / "v.txt")
    options = OPTIONS | {"characters": False, "subwords": 0, "vectors": str(tmp_path / "v.txt")}
    tagger = SequenceTagger(**options).fit(TOKENS, TAGS, **TRAINING)
    table = dict(zip(tagger.tokenizer_.vocabulary, tagger.weights_["vectors.weight"], strict=True))
    for word, vector in vectors.items():
        np.testing.assert_allclose(table[word.lower()], vector, rtol=1e-6)
    assert not table["rains"].any()
    few = SequenceTagger(**options, max_vectors=2).fit(TOKENS, TAGS, **TRAINING)
    (tmp_path / "v.txt").unlink()  # the folder has what it needs
    tagger.save(tmp_path / "model")
    one, other, another = load(tmp_path / "model").scores([["zoë"], ["yyy"], ["qqq"]])
    assert np.abs(one - other).max() > 1e-4
    np.testing.assert_array_equal(other, another)  # neither has anything of its own
    known = {*tagger.tokenizer_.vocabulary} - {*few.tokenizer_.vocabulary}
    assert known == {"york", "zoë"}  # words of the sentences are known in any case


def test_words_without_a_vector_have_that_of_a_near_spelling(tmp_path: Path) -> None:
    """In training as in answers: ids and vectors of the one are those of the other."""
    vectors = write_vectors(tmp_path / "v.txt")
    options = OPTIONS | {"characters": False, "subwords": 0, "shape_size": 0}
    options |= {"vectors": str(tmp_path / "v.txt")}
    tokens = [*TOKENS, ["#Oslo", "metttt"], ["rainsss"]]
    tags = [*TAGS, ["B-LOC", "O"], ["O"]]
    dev = ([["'Anna'", "YORK's", "rains", "zzz"]], [["O"] * 4])
    near = SequenceTagger(**options).fit(tokens, tags, dev=dev, **TRAINING)
    plain = SequenceTagger(**options, near_vectors=False).fit(tokens, tags, dev=dev, **TRAINING)
    numbers = {word: n for n, word in enumerate(near.tokenizer_.vocabulary)}
    for model, expected in ((near, vectors), (plain, {})):
        table = model.weights_["vectors.weight"]
        for word, other in (("#oslo", "Oslo"), ("metttt", "met")):
            wanted = expected.get(other, np.zeros(3))
            np.testing.assert_allclose(table[numbers[word]], wanted, rtol=1e-6)
        assert not table[numbers["rains"]].any()
        assert not table[numbers["rainsss"]].any()  # "rains" has none either
        read = model.fitted().words(["'Anna'", "YORK's", "(metttt", "zzz", "Oslo"], 1)[:, -3:]
        three = [expected.get(word, np.zeros(3)) for word in ("anna", "york", "met")]
        np.testing.assert_allclose(read[:3], three, rtol=1e-6)
        np.testing.assert_allclose(read[3:], [np.zeros(3), vectors["Oslo"]], rtol=1e-6)
    # Answers of the trained network are those of the loaded one: dev figures tell.
    near.save(tmp_path / "model")
    assert near.report_ is not None
    assert load(tmp_path / "model").evaluate(*dev) == near.report_.evaluation


@pytest.mark.parametrize("given", [{}, {"crf": False}, {"scheme": "bioes"}])
def test_lists_of_taggings_are_all_that_there_are(given: dict[str, Any]) -> None:
    tagger = made(**given)
    chain, names = tagger.fitted().chain, tagger.labels_
    for tokens in (["Anna"], ["Oslo", "zzz"], ["a", "b", "c"]):
        (scores,) = tagger.scores([tokens])
        totals = {}
        for path in itertools.product(range(len(names)), repeat=len(tokens)):
            total = chain.start[path[0]] + chain.end[path[-1]]
            total += sum(float(scores[t, tag]) for t, tag in enumerate(path))
            total += sum(chain.transitions[a, b] for a, b in itertools.pairwise(path))
            if total > -np.inf:
                totals[tuple(names[tag] for tag in path)] = total
        top = max(totals.values())
        log_total = top + np.log(sum(np.exp(total - top) for total in totals.values()))
        (found,) = tagger.n_best([tokens], 10_000)
        assert len(found) == len(totals)
        assert found[0][0] == tagger.predict([tokens])[0]
        logarithms = [logarithm for _, logarithm in found]
        assert logarithms == sorted(logarithms, reverse=True)
        (marginals,) = tagger.marginals([tokens])
        chances = np.zeros_like(marginals)
        for tags, logarithm in found:
            assert logarithm == pytest.approx(totals[tuple(tags)] - log_total, abs=1e-6)
            chances[range(len(tags)), [names.index(tag) for tag in tags]] += np.exp(logarithm)
        np.testing.assert_allclose(marginals, chances, atol=1e-9)
        assert tagger.n_best([tokens], 3) == [found[:3]]
    assert tagger.n_best([[]], 4) == [[([], 0.0)]]


@pytest.mark.parametrize("crf", [True, False])
@pytest.mark.parametrize("scheme", ["bio", "bioes"])
def test_answers_are_whole_spans_whatever_the_weights_say(crf: bool, scheme: Any) -> None:
    sentences = [*TOKENS, *NEW, ["a"] * 50]
    for seed in range(20):
        tagger = made(seed, crf=crf, scheme=scheme)
        for tokens, tags in zip(sentences, tagger.predict(sentences), strict=True):
            assert len(tags) == len(tokens)
            assert not list(faults(tags, scheme))
        for each in tagger.n_best(sentences, 3):
            assert not any(list(faults(tags, scheme)) for tags, _ in each)


def test_an_answer_is_tags_their_chances_and_spans() -> None:
    tagger = made()
    sentences = [*TOKENS, *NEW]
    tags, marginals = tagger.predict(sentences), tagger.marginals(sentences)
    assert tagger.spans(sentences) == [spans_of(each) for each in tags]
    assert any(tagger.spans(sentences))
    for answer, tokens, named, chances in zip(
        tagger.answer(sentences), sentences, tags, marginals, strict=True
    ):
        assert (answer.tokens, answer.tags, answer.spans) == (tokens, named, spans_of(named))
        places = [tagger.labels_.index(tag) for tag in named]
        assert answer.probabilities == chances[range(len(named)), places].tolist()
        found = answer.as_json()
        assert found["probabilities"] == pytest.approx(answer.probabilities, abs=1e-6)
        for span in found["spans"]:
            assert span["tokens"] == tokens[span["start"] : span["stop"]]


def test_tags_that_are_of_no_spans_have_none() -> None:
    tags = [["N" if token[0].isupper() else "X" for token in tokens] for tokens in TOKENS]
    tagger = SequenceTagger(**OPTIONS).fit(TOKENS, tags, **TRAINING)
    assert not tagger.chosen_.crf
    assert tagger.answer(TOKENS[:1])[0].spans is None
    assert "spans" not in tagger.answer(TOKENS[:1])[0].as_json()
    with pytest.raises(DataError, match=r"are not of spans: they are N, X\. Use predict\."):
        tagger.spans(TOKENS)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("Anna", r"must be a list of lists of tokens, such as .* Got str\."),
        (["Anna lives"], r"Sentence 0 is 'Anna lives'\."),
        ([["a"], ["b", 1]], r"Tokens must be texts, not empty\. Sentence 1 has 1\."),
        ([["a", ""]], r"Sentence 0 has ''\."),
        ([None], r"Sentence 0 is None\."),
        (7, r"Got int\."),
    ],
)
def test_what_are_no_sentences(given: Any, told: str) -> None:
    tagger = made()
    for ask in (tagger.predict, tagger.marginals, tagger.n_best, tagger.scores, tagger.answer):
        with pytest.raises(DataError, match=told):
            ask(given)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("precision", ["fp32", "auto"])
def test_settings_of_answers_do_not_change_them(threads: int, precision: Any) -> None:
    tagger = made()
    wanted, scores = tagger.predict(TOKENS), tagger.scores(TOKENS)
    tagger.threads, tagger.precision = threads, precision
    assert tagger.predict(TOKENS) == wanted
    for a, b in zip(tagger.scores(TOKENS), scores, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6 if precision == "fp32" else 0.1)


def test_surrogates_and_controls_are_tokens_like_others() -> None:
    tagger = made()
    tokens = ["\ud800", "\x1b[2J", "\0", "a\u2028b", "\u202e"]
    (tags,), (alone,) = tagger.predict([tokens]), tagger.predict([tokens[:1]])
    assert (len(tags), len(alone)) == (5, 1)


@pytest.mark.parametrize("count", [0, 2.5, True])
def test_a_list_of_taggings_has_a_whole_number_of_them(count: Any) -> None:
    with pytest.raises(OptionError, match="count must be a whole number of at least 1"):
        made().n_best([["Anna"]], count)


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        (["NN", "VB"], "token 1: the tag 'NN' is not of a span"),
        (["O", "I-PER"], "I-PER"),
    ],
)
def test_a_tagger_of_spans_is_not_tested_on_other_tags(tags: list[str], told: str) -> None:
    tagger = made()
    tokens = [["Anna", "met"], ["Anna", "Lee"]]
    assert tagger.evaluate(tokens, [["B-PER", "O"], ["O", "O"]]).tokens == 4
    with pytest.raises(DataError, match=told):
        tagger.evaluate(tokens, [["B-PER", "B-PER"], tags])


def test_a_tagger_is_not_tested_on_tags_of_another_column() -> None:
    tagger = made(scheme="none", crf=False)
    with pytest.raises(DataError, match="No true tag is one that the model knows, such as B-LOC, "):
        tagger.evaluate([["Anna", "met"]], [["NNP", "VBD"]])
