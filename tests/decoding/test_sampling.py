from __future__ import annotations

import math

import numpy as np
import pytest

from gatewise.decoding.sampling import choose, likeliest, penalised

SCORES = np.array([0.3, -1.2, 2.0, 1.1, -math.inf, 0.9, 1.7], np.float32)
DRAWS = 20_000
# The value that chi-square exceeds in one of 10,000 runs, by degrees of freedom.
CRITICAL = {1: 15.14, 2: 18.42, 3: 21.11, 4: 23.51, 5: 25.74}


def softmax(scores: dict[int, float]) -> dict[int, float]:
    total = math.fsum(map(math.exp, scores.values()))
    return {token: math.exp(score) / total for token, score in scores.items()}


def exact(temperature: float, top_k: int, top_p: float) -> dict[int, float]:
    """The probability of every token that can be drawn, as the definitions say."""
    ranked = sorted(range(len(SCORES)), key=lambda token: -SCORES[token])
    ranked = ranked[: top_k or len(ranked)]
    found = softmax({token: float(SCORES[token]) / temperature for token in ranked})
    kept: dict[int, float] = {}
    for token in ranked:
        if sum(kept.values()) < top_p:
            kept[token] = found[token]
    return {t: p / sum(kept.values()) for t, p in kept.items() if p > 0}


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p", "tokens"),
    [
        (1.0, 0, 1.0, 6),
        (0.5, 0, 1.0, 6),
        (2.5, 0, 1.0, 6),
        (1.0, 3, 1.0, 3),
        (1.0, 100, 1.0, 6),
        (1.0, 0, 0.8, 4),
        (1.0, 0, 0.38, 2),
        (1.5, 5, 0.7, 3),
    ],
)
def test_tokens_are_as_frequent_as_they_are_likely(
    temperature: float, top_k: int, top_p: float, tokens: int
) -> None:
    wanted = exact(temperature, top_k, top_p)
    assert len(wanted) == tokens
    generator = np.random.default_rng(0)
    drawn = [
        choose(SCORES, temperature=temperature, top_k=top_k, top_p=top_p, generator=generator)
        for _ in range(DRAWS)
    ]
    counts = np.bincount(drawn, minlength=len(SCORES))
    assert set(np.flatnonzero(counts)) == set(wanted)
    square = sum((counts[t] - DRAWS * p) ** 2 / (DRAWS * p) for t, p in wanted.items())
    assert square < CRITICAL[tokens - 1]


@pytest.mark.parametrize(
    "how",
    [
        {"temperature": 0.0},
        {"temperature": 1e-30},
        {"temperature": 5e-324},
        {"top_k": 1},
        {"top_p": 1e-9},
    ],
)
def test_the_likeliest_alone_is_left(how: dict[str, float]) -> None:
    options = {"temperature": 1.0, "top_k": 0, "top_p": 1.0} | how
    for seed in range(20):
        generator = np.random.default_rng(seed)
        assert choose(SCORES, generator=generator, **options) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize("top_p", [1.0, 0.999])
def test_excluded_tokens_at_either_end_are_never_drawn(top_p: float) -> None:
    scores = np.array([-math.inf, 0.1, 0.2, -math.inf], np.float32)
    generator = np.random.default_rng(0)
    how = {"temperature": 50.0, "top_p": top_p, "generator": generator}
    drawn = {choose(scores, top_k=0, **how) for _ in range(1000)}  # type: ignore[arg-type]
    assert drawn == {1, 2}


def test_the_same_seed_draws_the_same_tokens() -> None:
    def drawn(seed: int) -> list[int]:
        generator = np.random.default_rng(seed)
        how = {"temperature": 1.0, "top_p": 0.9, "generator": generator}
        return [choose(SCORES, top_k=4, **how) for _ in range(30)]  # type: ignore[arg-type]

    assert drawn(3) == drawn(3) != drawn(4)


def test_the_likeliest_come_in_their_order() -> None:
    scores = np.random.default_rng(0).normal(size=300).astype(np.float32)
    wanted = sorted(range(300), key=lambda token: -scores[token])
    for count in (1, 2, 7, 299, 300, 1000):
        assert likeliest(scores, count).tolist() == wanted[:count]


def test_repeated_tokens_score_worse_on_both_sides_of_zero() -> None:
    found = penalised(SCORES, np.array([1, 2, 4]), 2.0)
    np.testing.assert_allclose(found, [0.3, -2.4, 1.0, 1.1, -math.inf, 0.9, 1.7], rtol=1e-6)
    assert SCORES[2] == 2.0  # those given are left as they were
