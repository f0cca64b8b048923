"""What a unit follows, counted word by word in plain loops."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from explanation_cases import WORDS, made
from gatewise.lab import units as module
from gatewise.lab.states import States, states
from gatewise.lab.units import followed, ranked


def texts_and_labels(seed: int, count: int = 40) -> tuple[list[str], list[str]]:
    random = np.random.default_rng(seed)
    texts = [" ".join(random.choice(WORDS, random.integers(0, 9))) for _ in range(count)]
    return texts, random.choice(["a", "b", "c"], count).tolist()


def over(seed: int, direction: int) -> tuple[States, list[str], list[str]]:
    model = made(seed=seed)
    texts, labels = texts_and_labels(seed)
    return states(model, texts, direction), texts, labels


@pytest.mark.parametrize("direction", [0, 1])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_words_that_move_it_most(
    seed: int, direction: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WORDS", 4)
    found, texts, labels = over(seed, direction)
    told = followed(found, 2, texts, labels, range(3))
    steps: dict[str, list[float]] = defaultdict(list)
    column = found.steps(2).tolist()
    for text, start in zip(texts, found.offsets.tolist(), strict=False):
        for place, word in enumerate(text.split()):
            steps[word].append(column[start + place])
    means = {word: sum(some) / len(some) for word, some in steps.items() if len(some) >= 3}
    order = sorted(means, key=means.__getitem__)
    up = [word for word in order[::-1][:4] if means[word] > 0]
    down = [word for word in order[:4] if means[word] < 0]
    assert [one["word"] for one in told["words"]["up"]] == up
    assert [one["word"] for one in told["words"]["down"]] == down
    for one in told["words"]["up"] + told["words"]["down"]:
        assert one["step"] == pytest.approx(means[one["word"]], abs=6e-5)
        assert one["count"] == len(steps[one["word"]])


def test_texts_are_shown_word_by_word() -> None:
    found, texts, labels = over(3, 0)
    told = followed(found, 1, texts, labels, range(5, 8))
    assert [one["number"] for one in told["texts"]] == [5, 6, 7]
    for one in told["texts"]:
        assert one["text"] == texts[one["number"]]
        assert one["label"] == labels[one["number"]]
        assert [one["text"][a:b] for a, b in one["words"]] == one["text"].split()
        start, stop = found.offsets[one["number"] : one["number"] + 2]
        np.testing.assert_allclose(one["values"], found.values[start:stop, 1], atol=6e-4)
    column = sorted(abs(found.values[:, 1]).tolist())
    assert column[int(0.97 * len(column))] <= told["scale"] <= column[-1]
    assert followed(found, 1, texts, None, range(1))["texts"][0]["label"] is None
    assert followed(found, 1, texts, None, range(0))["labels"] == []


def test_states_at_the_end_are_told_label_by_label() -> None:
    found, texts, labels = over(4, 1)
    told = followed(found, 0, texts, labels, range(0))["labels"]
    for one in told:
        ends = [
            found.values[found.offsets[number], 0]
            for number, text in enumerate(texts)
            if labels[number] == one["label"] and text
        ]
        assert one["count"] == len(ends)
        assert one["mean"] == pytest.approx(float(np.mean(ends)), abs=6e-5)
    assert [one["label"] for one in told] == ["a", "b", "c"]


def test_units_are_ranked_by_how_far_they_tell_labels_apart() -> None:
    found, _, labels = over(5, 0)
    final, numbers = found.final()
    wanted = {}
    for unit in range(5):
        means = [
            final[[labels[number] == label for number in numbers.tolist()], unit].mean()
            for label in ("a", "b", "c")
        ]
        wanted[unit] = (max(means) - min(means)) / final[:, unit].std()
    told = ranked(found, labels)
    assert [one.unit for one in told] == sorted(wanted, key=lambda unit: -wanted[unit])
    for one in told:
        assert one.separation == pytest.approx(wanted[one.unit], rel=1e-4)
        assert one.spread == pytest.approx(found.values[:, one.unit].std(), rel=1e-4)


def test_without_labels_those_that_move_most_come_first() -> None:
    found, _, _ = over(6, 0)
    spreads = [one.spread for one in ranked(found, None)]
    assert spreads == sorted(spreads, reverse=True)
    assert len(spreads) == 5
