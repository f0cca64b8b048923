from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest

from gatewise.errors import DataError, NotFittedError, OptionError
from gatewise.tasks.language import stream as stream_module
from gatewise.tasks.language.task import LanguageModel
from language_cases import TEXTS, end, fixed, ids_of, made, plain_log_probabilities

KINDS: list[dict[str, Any]] = [
    {},
    {"cell": "gru", "num_layers": 2},
    {"hidden_size": 7, "tied": False},
    {"embedding_size": 60, "hidden_size": 5},
    {"embedding_size": 5, "hidden_size": 60},
    {"level": "char"},
    {"level": "bpe", "bidirectional": True},
    {"level": "whitespace", "cell": "rnn"},
]


@pytest.mark.parametrize("given", KINDS)
@pytest.mark.parametrize("text", ["", "the cat didn't", "A strange CAT."])
def test_next_is_what_the_equations_say(given: dict[str, Any], text: str) -> None:
    model = made(**given)
    wanted = np.exp(plain_log_probabilities(model, [end(model), *ids_of(model, text)])[-1])
    names = [*model.tokenizer_.vocabulary, "<end>"]
    best = sorted(range(1, len(names)), key=lambda id: -wanted[id])
    for k in (1, 4, 1000):
        found = model.next(text, k=k)
        assert [token for token, _ in found] == [names[id] for id in best[:k]]
        np.testing.assert_allclose([p for _, p in found], wanted[best[:k]], rtol=1e-4)


def test_next_lists_all_but_the_unknown_whose_probability_is_missing() -> None:
    model = made()
    found = dict(model.next("the cat", k=1000))
    assert len(found) == len(model.tokenizer_)
    assert "<end>" in found
    assert "<unk>" not in found
    unknown = np.exp(plain_log_probabilities(model, [end(model), *ids_of(model, "the cat")])[-1, 0])
    assert sum(found.values()) == pytest.approx(1 - unknown, rel=1e-5)


@pytest.mark.parametrize("given", KINDS)
def test_words_fed_one_by_one_are_as_the_text_at_once(given: dict[str, Any]) -> None:
    model = made(**given)
    parts = [" " * (place > 0) + word for place, word in enumerate(TEXTS[0].split())]
    if model.level == "char":
        parts = list(TEXTS[0])
    one, other = model.stream(), model.stream()
    one.feed(TEXTS[0])
    for part in parts:
        other.feed(part)
    assert one.next(100) == other.next(100)
    choices: dict[str, Any] = {"max_tokens": 20, "repetition": 1.5, "seed": 1}
    assert "".join(one.generate(**choices)) == "".join(other.generate(**choices))


def test_a_long_text_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made()
    wanted = model.next(TEXTS[0])
    monkeypatch.setattr(stream_module, "READ_AT_ONCE", 3)
    assert model.next(TEXTS[0]) == wanted


def test_a_copy_goes_its_own_way() -> None:
    model = made()
    one = model.stream()
    one.feed("the cat")
    other = one.copy()
    other.feed("sat on")
    assert one.next() == model.next("the cat")
    assert other.next() == model.next("the cat sat on")

    model = fixed({"cat": 3, "dog": 2})
    one = model.stream()
    other = one.copy()
    other.feed("cat")
    for stream, text in ((one, "cat"), (other, "dog")):
        written = "".join(stream.generate(temperature=0, max_tokens=1, repetition=2))
        assert written.strip() == text


def test_a_stream_writes_what_the_model_does() -> None:
    model = made()
    one = model.stream()
    one.feed("the cat")
    greedy: dict[str, Any] = {"temperature": 0, "max_tokens": 9, "repetition": 3.0}
    assert model.generate("the cat", **greedy) == "the cat" + "".join(one.generate(**greedy))


def test_reset_forgets_all() -> None:
    model = made()
    stream = model.stream()
    stream.feed("the cat ")
    list(stream.generate(max_tokens=5, seed=0))
    stream.reset()
    assert stream.next(100) == model.next("", k=100)
    choices: dict[str, Any] = {"max_tokens": 30, "repetition": 3.0, "seed": 2}
    assert "".join(stream.generate(**choices)) == model.generate(**choices)


def test_a_stream_has_read_what_it_wrote() -> None:
    model = made(level="char")
    model.weights_["output.bias"][end(model)] = -100
    stream = model.stream()
    stream.feed("the c")
    text = "".join(islice(stream.generate(seed=5), 8))
    assert len(text) == 8
    assert stream.next(100) == model.next("the c" + text, k=100)


@pytest.mark.parametrize(("documents", "written"), [("joined", ["\n", "\n"]), ("apart", [])])
def test_after_the_end_a_stream_goes_on_with_another_text(
    documents: Any, written: list[str]
) -> None:
    model = made(documents=documents)
    model.weights_["output.bias"][:] = -100
    model.weights_["output.bias"][end(model)] = 100  # it can but end
    stream = model.stream()
    stream.feed("the cat")
    assert list(stream.generate(max_tokens=2)) == written
    ends = [end(model)] * max(1, len(written))
    ids = [end(model), *ids_of(model, "the cat"), *ends]
    [(likeliest, p)] = stream.next(1)
    wanted = plain_log_probabilities(model, ids)[-1]
    assert likeliest == "<end>"
    assert p == pytest.approx(np.exp(wanted[end(model)]), rel=1e-5)


@pytest.mark.parametrize("k", [0, 1.0, True, "3"])
def test_next_refuses_what_is_no_number_of_tokens(k: Any) -> None:
    with pytest.raises(OptionError, match=r"^k must be a whole number of at least 1\. Got "):
        made().next("the", k=k)


def test_feed_refuses_what_is_no_text() -> None:
    with pytest.raises(DataError, match=r"^feed\(\) takes one text\. Got \['the'\]\.$"):
        made().next(["the"])  # type: ignore[arg-type]


def test_a_model_that_has_learned_nothing_has_no_stream() -> None:
    with pytest.raises(NotFittedError, match="Call fit"):
        LanguageModel().stream()
