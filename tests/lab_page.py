"""The lab of small models that its page is tested with, and what stands where on the page."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from playwright.sync_api import Locator, Page, expect

from explanation_cases import WORDS, made
from gatewise.lab.rows import Rows

MODEL = made(seed=5, num_layers=2)
GRU = made(seed=6, cell="gru", hidden_size=3)
RANDOM = np.random.default_rng(0)
HOSTILE = "love <script>alert(1)</script> <img src=x onerror=alert(2)> \u202eevil\u202c not"
TEXTS = [" ".join(RANDOM.choice(WORDS, RANDOM.integers(1, 9))) for _ in range(50)]
ROWS = Rows(
    "<b>file</b>.csv", [HOSTILE, *TEXTS], RANDOM.choice(["negative", "positive"], 51).tolist()
)
MINUS = "\u2212"  # as the page writes it
SENTENCE = "I wanted to love this film and could not"


def panel(page: Page, number: int = 0) -> Locator:
    return page.locator(f"article[data-model='{number}']")


def words(page: Page, number: int = 0) -> Locator:
    return panel(page, number).locator(".word")


def word(page: Page, place: int, number: int = 0) -> Locator:
    return panel(page, number).locator(f".word[data-place='{place}']")


def write(page: Page, text: str) -> None:
    page.locator("#text").fill(text)
    expect_answer(page, text)


def expect_answer(page: Page, text: str, model: Any = MODEL, number: int = 0) -> None:
    """Every probability is the model's own, and the label in bold its answer."""
    wanted = [f"{share:.3f}" for share in model.predict_proba([text])[0].tolist()]
    numbers = panel(page, number).locator(".bars .number")
    for place, share in enumerate(wanted):
        expect(numbers.nth(place)).to_have_text(re.compile(f"^{re.escape(share)}( |$)"))
    expect(panel(page, number).locator(".bars .given")).to_have_text(model.predict([text]))


def shown_words(page: Page, number: int = 0) -> list[str]:
    found: list[str] = words(page, number).evaluate_all(
        "all => all.map(one => one.firstChild.data)"
    )
    return found


def number_of(text: str) -> float:
    return float(text.replace(MINUS, "-"))


def tiles(page: Page) -> dict[str, float]:
    """The numbers of the step that is shown, by their names."""
    return {
        one.locator("span").inner_text(): number_of(one.locator("b").inner_text())
        for one in panel(page).locator(".tile").all()
    }


def channels(node: Locator) -> tuple[int, int]:
    """Red and blue of the background."""
    colour = node.evaluate("one => getComputedStyle(one).backgroundColor")
    red, _, blue = map(int, re.findall(r"\d+", colour)[:3])
    return red, blue
