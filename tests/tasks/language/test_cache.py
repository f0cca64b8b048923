from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatewise.errors import ModelFileError, OptionError
from gatewise.store import read_folder
from gatewise.tasks.language import cache as cache_module
from gatewise.tasks.language import reading
from gatewise.tasks.language.cache import FLATNESSES, SHARES, Recent, mixed, tuned
from gatewise.tasks.language.fitted import Cache
from gatewise.tasks.language.task import LanguageModel
from language_cases import TEXTS, end, ids_of, made, plain_log_probabilities, plain_outputs

RANDOM = np.random.default_rng(0)
OUTPUTS = RANDOM.normal(size=(60, 6)).astype(np.float32)
TARGETS = RANDOM.integers(0, 5, 60).astype(np.int32)


def plain(outputs: Any, targets: Sequence[int], size: int, flatness: float) -> list[float]:
    """p_cache of every target, as the formula says, in one loop; NaN for the first."""
    found = []
    for t, target in enumerate(targets):
        powers = [
            (targets[i], math.exp(flatness * float(np.dot(outputs[t], outputs[i]))))
            for i in range(max(0, t - size), t)
        ]
        whole = math.fsum(power for _, power in powers)
        part = math.fsum(power for token, power in powers if token == target)
        found.append(part / whole if powers else math.nan)
    return found


def plain_nats(model: LanguageModel, texts: list[str], size: int, joined: bool) -> float:
    """What an evaluation with the model's cache must count, by plain equations."""
    targets: list[int] = []
    outputs, values = [], []
    read = [end(model)]
    for text in texts:
        new = [*ids_of(model, text), end(model)]
        read = [*read, *new] if joined else [end(model), *new]
        outputs.append(plain_outputs(model, read[:-1])[-len(new) :])
        rows = plain_log_probabilities(model, read[:-1])[-len(new) :]
        values += [float(row[id]) for row, id in zip(rows, new, strict=True)]
        targets += new
    flatness, share = model.fitted().cache
    cached = plain(np.concatenate(outputs), targets, size, flatness)
    pairs = zip(values, cached, strict=True)
    mixtures = [math.log((1 - share) * math.exp(v) + share * c) for v, c in pairs]
    return -(values[0] + math.fsum(mixtures[1:]))


@pytest.mark.parametrize("size", [1, 7, 59, 60, 1000])
@pytest.mark.parametrize("cuts", [[], [1], [20, 21, 44]])
@pytest.mark.parametrize("compared", [1, 2**12, 2**22])
def test_a_window_is_what_the_formula_says(
    size: int, cuts: list[int], compared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "COMPARED_AT_ONCE", compared)
    window = Recent(size, (0.1, 0.8))
    parts = zip(np.split(OUTPUTS, cuts), np.split(TARGETS, cuts), strict=True)
    found = np.concatenate([window.probabilities(*part) for part in parts], axis=1)
    for row, flatness in zip(found, (0.1, 0.8), strict=True):
        wanted = plain(OUTPUTS.astype(np.float64), TARGETS.tolist(), size, flatness)
        np.testing.assert_allclose(row, wanted, rtol=2e-5)
    assert np.isnan(found[:, 0]).all()
    assert not np.isnan(found[:, 1:]).any()


def test_long_outputs_do_not_overflow() -> None:
    outputs = OUTPUTS * 1e6
    found = Recent(60, (1.0,)).probabilities(outputs, TARGETS)[0]
    for t in range(1, 60):  # all that counts is the likest
        likest = int(np.argmax(outputs[:t].astype(np.float64) @ outputs[t].astype(np.float64)))
        assert found[t] == (TARGETS[likest] == TARGETS[t])


def test_a_mixture_is_what_the_formula_says() -> None:
    model = np.log([0.5, 0.2, 0.3, 0.1])
    cached = np.array([0.1, 0.0, 1.0, math.nan])
    wanted = [0.75 * 0.5 + 0.25 * 0.1, 0.75 * 0.2, 0.75 * 0.3 + 0.25, 0.1]
    np.testing.assert_allclose(np.exp(mixed(model, cached, 0.25)), wanted)
    np.testing.assert_allclose(
        mixed(np.array([-5000.0]), np.array([0.0]), 0.5), -5000 - math.log(2)
    )
    np.testing.assert_allclose(mixed(model, cached, 0.0), model)
    np.testing.assert_allclose(mixed(model, cached, 1.0)[:3], [math.log(0.1), -math.inf, 0])


@pytest.mark.parametrize("documents", ["joined", "apart"])
@pytest.mark.parametrize("size", [3, 2000])
@pytest.mark.parametrize("at_once", [4, 16_384])
def test_an_evaluation_with_the_cache_counts_what_the_formula_says(
    documents: Any, size: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "READ_AT_ONCE", at_once)
    model = made()
    found = model.evaluate(TEXTS, cache=size, documents=documents)
    assert found.nats == pytest.approx(
        plain_nats(model, TEXTS, size, documents == "joined"), rel=1e-5
    )
    without = model.evaluate(TEXTS, documents=documents)
    assert found.tokens == without.tokens
    assert abs(found.nats - without.nats) > 0.1


@pytest.mark.parametrize("documents", ["joined", "apart"])
def test_the_tuned_cache_is_the_best_of_the_grid(documents: Any) -> None:
    model = made(documents=documents)
    texts = ["the cat sat on the cat", "the mat the mat", "a dog not a dog"] * 2
    found = tuned(model.fitted(), model.fitted().encode(texts).values, size=9)
    best, without = found.cache, model.evaluate(texts)
    nats = {}
    for flatness in FLATNESSES:
        for share in SHARES:
            model.take(replace(model.fitted(), cache=Cache(flatness, share)))
            nats[flatness, share] = model.evaluate(texts, cache=9).nats
    assert tuple(best) in nats
    assert nats[best.flatness, best.share] == pytest.approx(min(nats.values()), abs=1e-6)
    assert max(nats.values()) > min(nats.values()) + 0.5
    assert found.without == pytest.approx(without.perplexity)
    assert found.perplexity == pytest.approx(math.exp(min(nats.values()) / without.tokens))


def test_only_the_first_tokens_are_tuned_on(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made()
    monkeypatch.setattr(cache_module, "TUNED_ON", 8)
    # 5 tokens with the end, and 3 of the next text.
    ids = model.fitted().encode(["the cat sat on", "the cat sat", *TEXTS * 3]).values
    first = tuned(model.fitted(), ids[:9], size=9)
    with_more = tuned(model.fitted(), ids, size=9)
    assert first == with_more


@pytest.mark.parametrize("numbers", [(-0.1, 0.5), (0.3, 1.5), (0.3, -0.1)])
def test_a_folder_with_a_senseless_cache_is_refused(
    numbers: tuple[float, float], tmp_path: Path
) -> None:
    model = made()
    model.save(tmp_path / "right")
    assert LanguageModel.from_folder(read_folder(tmp_path / "right")).fitted().cache == (0.3, 0.2)
    model.take(replace(model.fitted(), cache=Cache(*numbers)))
    model.save(tmp_path / "wrong")
    with pytest.raises(ModelFileError, match="does not hold the cache of a language"):
        LanguageModel.from_folder(read_folder(tmp_path / "wrong"))


@pytest.mark.parametrize("cache", [-1, 1.5, True, None])
def test_a_cache_is_a_number_of_tokens(cache: Any) -> None:
    with pytest.raises(OptionError, match=r"^cache must be a whole number of at least 0\. Got "):
        made().evaluate(TEXTS, cache=cache)
