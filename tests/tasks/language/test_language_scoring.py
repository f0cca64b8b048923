from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

from gatewise.errors import DataError, NotFittedError, OptionError
from gatewise.tasks.language import reading
from gatewise.tasks.language.scoring import LanguageEvaluation, TextScore
from gatewise.tasks.language.task import LanguageModel
from language_cases import TEXTS, end, fixed, ids_of, made, plain_log_probabilities

KINDS: list[dict[str, Any]] = [
    {},
    {"cell": "gru", "num_layers": 2, "hidden_size": 7},
    {"level": "char", "tied": False},
    {"level": "bpe", "bidirectional": True},
    {"level": "whitespace"},
]
SOME = [*TEXTS, "", "A strange, strange cat."]


def plain_values(model: LanguageModel, texts: list[str], joined: bool) -> list[list[float]]:
    """Log-probabilities of the tokens of every text and its end, by plain equations."""
    found, read = [], [end(model)]
    for text in texts:
        targets = [*ids_of(model, text), end(model)]
        start = len(read) if joined else 1
        read = [*(read if joined else read[:1]), *targets]
        values = plain_log_probabilities(model, read[:-1])
        found.append([float(values[start - 1 + i, id]) for i, id in enumerate(targets)])
    return found


@pytest.mark.parametrize("given", KINDS)
def test_scores_are_what_the_equations_say_of_every_text_alone(given: dict[str, Any]) -> None:
    model = made(**given)
    names = [*model.tokenizer_.vocabulary, "<end>"]
    found = model.score(SOME)
    assert [one.text for one in found] == SOME
    for one, wanted in zip(found, plain_values(model, SOME, joined=False), strict=True):
        ids = [*ids_of(model, one.text), end(model)]
        assert [token for token, _ in one.tokens] == [names[id] for id in ids]
        np.testing.assert_allclose([value for _, value in one.tokens], wanted, atol=1e-4)
        assert one.log_probability == pytest.approx(sum(wanted), abs=1e-3)
        assert one.perplexity == pytest.approx(math.exp(-sum(wanted) / len(wanted)), rel=1e-4)


def test_all_texts_there_are_share_a_probability_of_one() -> None:
    model = made(level="char", texts=["ab"])
    model.weights_["output.bias"][end(model)] += 3
    whole = [["".join(chars) for chars in product("ab?", repeat=length)] for length in range(5)]
    ended = [one.log_probability for texts in whole[:4] for one in model.score(texts)]
    longer = [sum(value for _, value in one.tokens[:-1]) for one in model.score(whole[4])]
    assert math.fsum(map(math.exp, ended)) > 0.05
    assert math.fsum(map(math.exp, longer)) > 0.05
    assert math.fsum(map(math.exp, ended + longer)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("given", KINDS)
@pytest.mark.parametrize("documents", ["joined", "apart"])
def test_an_evaluation_counts_what_the_equations_say(given: dict[str, Any], documents: Any) -> None:
    model = made(**given)
    values = plain_values(model, SOME, documents == "joined")
    found = model.evaluate(iter(SOME), documents=documents)
    nats = -math.fsum(map(math.fsum, values))
    tokens = sum(map(len, values))
    assert found.nats == pytest.approx(nats, rel=1e-5)
    assert found.tokens == tokens
    assert found.words == sum(len(text.split()) + 1 for text in SOME)
    assert found.characters == sum(map(len, SOME)) + len(SOME)
    assert found.unknown == sum(ids_of(model, text).count(0) for text in SOME)
    assert found.loss == pytest.approx(nats / tokens, rel=1e-5)
    assert found.perplexity == pytest.approx(math.exp(nats / tokens), rel=1e-5)
    assert found.perplexity == pytest.approx(
        made(**given, documents=documents).perplexity(SOME), rel=1e-6
    )


def test_documents_joined_and_apart_differ() -> None:
    model = made()
    joined, apart = (model.evaluate(SOME, documents=how).nats for how in ("joined", "apart"))
    assert abs(joined - apart) > 0.1


def test_perplexity_per_word_and_bits_per_character_by_hand() -> None:
    model = made(level="bpe", texts=["unable cat", "un able"])
    values = plain_values(model, ["unable tac", "cat"], joined=False)
    assert sum(map(len, values)) > 5  # more tokens than the 3 words and 2 ends
    nats = -sum(map(sum, values))
    found = model.evaluate(["unable tac", "cat"], documents="apart")
    assert found.word_perplexity == pytest.approx(math.exp(nats / 5), rel=1e-5)
    assert found.bits_per_character == pytest.approx(nats / math.log(2) / 15, rel=1e-5)


def test_high_scores_do_not_overflow() -> None:
    model = fixed({"cat": 500, "dog": 499})
    cat, end_of_text = model.score(["cat"])[0].tokens
    assert cat[1] == pytest.approx(-math.log(1 + math.exp(-1)), rel=1e-5)
    assert end_of_text[1] == pytest.approx(-500.3133, rel=1e-5)


@pytest.mark.parametrize("documents", ["joined", "apart"])
@pytest.mark.parametrize("level", ["word", "char"])
@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_how_much_is_read_at_once_does_not_matter(
    documents: Any, level: Any, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made(level=level)
    wanted = model.evaluate(SOME, documents=documents)
    scores = model.score(SOME)
    monkeypatch.setattr(reading, "READ_AT_ONCE", size)
    found = model.evaluate(SOME, documents=documents)
    assert found.nats == pytest.approx(wanted.nats, rel=1e-6)
    assert (found.tokens, found.unknown) == (wanted.tokens, wanted.unknown)
    for one, other in zip(model.score(SOME), scores, strict=True):
        assert one.log_probability == pytest.approx(other.log_probability, rel=1e-5)


def test_texts_are_not_taken_before_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made()
    taken = 0

    def texts() -> Iterator[str]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield "the cat sat"

    monkeypatch.setattr(reading, "READ_AT_ONCE", 10)  # tokens: 40 characters
    blocks = reading.read(model.fitted(), texts(), joined=True, threads=1, precision="fp32")
    _, targets = next(blocks)
    assert len(targets) <= 10
    assert taken <= 5


def test_a_hopeless_perplexity_is_infinite() -> None:
    evaluation = LanguageEvaluation(tokens=2, words=1, characters=2, nats=1e6, unknown=0)
    assert evaluation.perplexity == math.inf
    assert "perplexity inf" in str(evaluation)
    assert TextScore("a", (("a", -1e6), ("<end>", -1.0))).perplexity == math.inf


def test_an_evaluation_is_one_line() -> None:
    evaluation = LanguageEvaluation(tokens=2000, words=1000, characters=5000, nats=4e3, unknown=5)
    assert str(evaluation) == (
        "perplexity 7.39 per token, 54.598 per word, 1.154 bits per character "
        "(2,000 tokens, 0.25% unknown)"
    )


def test_the_lines_of_joined_texts_are_texts_of_their_own() -> None:
    text, parts = "the cat\nsat on\n\nthe mat", ["the cat", "sat on", "", "the mat"]
    joined, apart = (made(level="char", documents=how) for how in ("joined", "apart"))
    assert joined.evaluate([text + "\n"]) == joined.evaluate(parts)
    [one] = joined.score([text])
    wanted = [value for line in plain_values(joined, parts, joined=True) for value in line]
    np.testing.assert_allclose([value for _, value in one.tokens], wanted, atol=1e-4)
    assert [token for token, _ in one.tokens].count("<end>") == 4
    assert len(joined.score([text, "a\nb", "c"])) == 3
    assert [token for token, _ in apart.score([text])[0].tokens].count("<unk>") == 3
    stream, other = joined.stream(), joined.stream()
    stream.feed("the cat\nsat")
    for part in ("the cat", "\n", "sat"):
        other.feed(part)
    ids = [end(joined), *ids_of(joined, "the cat"), end(joined), *ids_of(joined, "sat")]
    likeliest = plain_log_probabilities(joined, ids)[-1].max()
    assert stream.next(100) == other.next(100)
    assert stream.next(1)[0][1] == pytest.approx(math.exp(likeliest), rel=1e-4)


def test_one_str_is_no_list_of_texts() -> None:
    for verb in ("score", "evaluate"):
        with pytest.raises(DataError, match=r"^Texts must be a list of texts\. Got one text"):
            getattr(made(), verb)("the cat")


def test_every_text_must_be_one() -> None:
    texts: Any = ["the", None]
    for verb in ("score", "evaluate"):
        with pytest.raises(DataError, match=r"^Every text must be a str\. Text 1 is None\.$"):
            getattr(made(), verb)(texts)


def test_no_texts() -> None:
    assert made().score([]) == []
    with pytest.raises(DataError, match="no texts to evaluate"):
        made().evaluate([])


def test_a_model_that_has_learned_nothing_scores_nothing() -> None:
    for verb in ("score", "evaluate", "perplexity"):
        with pytest.raises(NotFittedError):
            getattr(LanguageModel(), verb)(["the"])


def test_documents_are_of_two_kinds() -> None:
    wrong: Any = "aprat"
    with pytest.raises(
        OptionError, match=r"^documents must be joined, apart or None\. Got 'aprat'"
    ):
        made().evaluate(SOME, documents=wrong)
