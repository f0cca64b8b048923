from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest

from gatewise.errors import OptionError
from gatewise.options import Level
from gatewise.tasks.language.task import LanguageModel
from language_cases import end, fixed, ids_of, made, plain_scores

LEVELS: tuple[Level, ...] = ("word", "whitespace", "bpe", "char")


def greedy(model: LanguageModel, prompt: str, count: int, repetition: float) -> list[int]:
    """The ids that are written greedily, by plain equations from the start for every token."""
    ids = [end(model), *ids_of(model, prompt)]
    read = len(ids)
    stops = model.documents == "apart"
    while len(ids) < read + count and not (stops and len(ids) > read and ids[-1] == end(model)):
        scores = plain_scores(model, ids)[-1]
        for id in set(ids) - {end(model)}:
            scores[id] *= repetition if scores[id] < 0 else 1 / repetition
        scores[0] = -math.inf
        ids.append(int(scores.argmax()))
    return ids[read:]


def decoded(model: LanguageModel, ids: Sequence[int]) -> str:
    """The text of ids, with a line break for every end; where texts are apart, up to the end."""
    lines: list[list[int]] = [[]]
    for id in ids:
        if id == end(model):
            lines.append([])
        else:
            lines[-1].append(id)
    texts = [model.tokenizer_.decode(line) for line in lines]
    return "\n".join(texts) if model.documents == "joined" else texts[0]


@pytest.mark.parametrize("documents", ["joined", "apart"])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("repetition", [1.0, 1.3])
@pytest.mark.parametrize("seed", range(3))
def test_pieces_joined_are_the_text_of_the_equations(
    documents: Any, level: Level, repetition: float, seed: int
) -> None:
    model = made(seed=seed, level=level, documents=documents)
    model.weights_["output.bias"][end(model)] -= 3  # longer texts
    ids = greedy(model, "", 40, repetition)
    assert 0 not in ids
    stream = model.stream()
    choices: dict[str, Any] = {"temperature": 0, "max_tokens": 40, "repetition": repetition}
    pieces = list(stream.generate(**choices))
    assert "".join(pieces) == decoded(model, ids)


@pytest.mark.parametrize("documents", ["joined", "apart"])
@pytest.mark.parametrize("level", LEVELS)
def test_the_prompt_and_the_written_are_one_text(documents: Any, level: Level) -> None:
    model = made(seed=1, level=level, documents=documents)
    prompt = "the cat sat"
    text = model.generate(prompt, temperature=0, max_tokens=6)
    ids = [*ids_of(model, prompt), *greedy(model, prompt, 6, 1.0)]
    assert text == decoded(model, ids)
    if level != "char":  # there the space is a token, and the model goes on behind it
        spaced = model.generate(prompt + " ", temperature=0, max_tokens=6)
        assert spaced == prompt + " " + text.removeprefix(prompt).lstrip(" ")


def test_max_tokens_is_the_number_of_tokens() -> None:
    model = made(level="char")
    model.weights_["output.bias"][end(model)] = -100
    for count in (1, 2, 17):
        assert len(model.generate("", max_tokens=count, seed=0)) == count


def test_writing_stops_before_the_first_stop_text() -> None:
    model = made(level="char")
    model.weights_["output.bias"][end(model)] = -100
    choices: dict[str, Any] = {"max_tokens": 40, "seed": 0}
    whole = model.generate("", **choices)
    assert len(whole) == 40
    places = [(start, start + size) for start, size in product(range(0, 38, 3), (1, 2, 3))]
    for start, stop in places:
        text = whole[start:stop]
        others = (text, "never met", text + "!")
        for given in (text, others, list(others)):
            written = model.generate("", stop=given, **choices)
            assert written == whole[: whole.index(text)]
            stream = model.stream()
            pieces = list(stream.generate(stop=given, **choices))
            assert "".join(pieces) == written
            assert all(pieces)


def test_the_first_of_many_stop_texts_in_a_token_counts() -> None:
    model = fixed({"cat": 1})
    for stops, text in ((("t", "a"), "c"), (("a", "t"), "c"), (("t", "at", "ca"), ""), ("t", "ca")):
        assert model.generate("", temperature=0, stop=stops) == text


def test_a_space_behind_the_prompt_is_not_written_again() -> None:
    for level, text in (("word", "cat cat cat"), ("bpe", "cat cat cat"), ("char", "cat      ")):
        model = fixed({{"word": "cat", "bpe": "▁cat", "char": " "}[level]: 1}, level=level)
        count = 5 if level == "char" else 2
        assert model.generate("cat ", temperature=0, max_tokens=count) == text


def test_the_end_of_the_text_before_is_no_repetition() -> None:
    model = fixed({"<end>": 3, "cat": 2, "dog": 1}, documents="apart")
    assert model.generate("", temperature=0, repetition=10) == ""
    model = fixed({"cat": 3, "<end>": 2, "dog": 1}, documents="apart")
    assert model.generate("", temperature=0, repetition=10) == "cat"
    model = fixed({"cat": 3, "<end>": 2, "dog": 1}, documents="joined")
    assert model.generate("", temperature=0, repetition=10, max_tokens=4) == "cat\n\n\n"


def test_an_end_is_a_line_break_of_joined_texts_and_the_end_of_one_that_stands_apart() -> None:
    ending: dict[str, Any] = {"temperature": 0, "max_tokens": 3}
    joined, apart = (fixed({"<end>": 1}, documents=how) for how in ("joined", "apart"))
    assert joined.generate("the cat", **ending) == "the cat\n\n\n"
    assert apart.generate("the cat", **ending) == "the cat"
    assert list(joined.stream().generate(**ending)) == ["\n", "\n", "\n"]
    assert list(apart.stream().generate(**ending)) == []
    # A line break is a text like any other to stop before.
    assert joined.generate("the cat", stop="\n", **ending) == "the cat"


def test_a_line_of_joined_texts_starts_without_a_space() -> None:
    model = fixed({"cat": 1, "<end>": 0.9}, level="word", documents="joined")
    text = model.generate("", temperature=1.0, max_tokens=60, seed=3, top_k=2)
    assert {"cat", "cat cat"} < set(text.split("\n"))
    assert not any(line.startswith(" ") or line.endswith(" ") for line in text.split("\n"))


def test_a_stop_text_in_the_prompt_does_not_count() -> None:
    model = made()
    assert model.generate("the cat.", stop="cat", temperature=0).startswith("the cat.")


def test_what_could_become_a_stop_text_is_written_when_it_does_not() -> None:
    model = made(level="char")
    model.weights_["output.bias"][end(model)] = -100
    whole = model.generate("", max_tokens=20, seed=0)
    assert model.generate("", max_tokens=20, seed=0, stop=whole[-3:] + "!") == whole


def test_first_tokens_are_as_frequent_as_they_are_likely() -> None:
    model = made(texts=["a b c d"], embedding_size=5, documents="apart")
    scores = plain_scores(model, [end(model)])[-1]
    powers = np.exp(scores[1:] / 2.0)
    wanted = 4000 * powers / powers.sum()
    stream = model.stream()
    names = [*model.tokenizer_.vocabulary[1:], ""]
    counts = dict.fromkeys(names, 0)
    for seed in range(4000):
        one = stream.copy()
        counts["".join(one.generate(max_tokens=1, temperature=2.0, seed=seed))] += 1
    found = np.array(list(counts.values()))
    assert ((found - wanted) ** 2 / wanted).sum() < 23.51  # 4 degrees of freedom, p = 0.0001


def test_a_seed_writes_the_same_text_and_none_another() -> None:
    model = made()
    model.weights_["output.bias"][end(model)] = -100
    assert model.generate("the", seed=7) == model.generate("the", seed=7)
    assert model.generate("the", temperature=5.0) != model.generate("the", temperature=5.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_tokens": 0}, "must be a whole number of at least 1. Got 0."),
        ({"temperature": -1}, "must be a number of at least 0. Got -1."),
        ({"top_k": -1}, "must be a whole number of at least 0. Got -1."),
        ({"top_p": 0}, "must be a number of at most 1 and above 0. Got 0."),
        ({"repetition": 0.5}, "must be a number of at least 1. Got 0.5."),
        ({"stop": 3}, "must be a text or a list of texts or None. Got 3."),
        ({"seed": -1}, "must be a whole number of at least 0 or None. Got -1."),
        (
            {"stop": ("a", "")},
            "must hold no empty text, before which every text would stop. Got ('a', '').",
        ),
    ],
)
def test_a_wrong_choice_is_one_sentence(given: dict[str, Any], message: str) -> None:
    [name] = given
    with pytest.raises(OptionError) as problem:
        made().stream().generate(**given)
    assert str(problem.value) == f"The '{name}' option of Generation {message}"


def test_an_unknown_choice_is_named() -> None:
    with pytest.raises(OptionError, match="Did you mean 'temperature'"):
        made().generate("the", temprature=1)
