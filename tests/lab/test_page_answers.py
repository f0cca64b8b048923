"""What the lab's page shows beside an answer: how it came about, and what belongs to what."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, expect

import seq2seq_cases
from browser import opened
from explanation_cases import made
from gatewise.explanation import explain
from gatewise.lab.app import lab_app
from gatewise.lab.models import Shown
from lab_page import MINUS
from lab_server import listening

pytest_plugins = ["lab_fixtures"]


def heights(line: Locator, chart: Locator) -> NDArray[np.float64]:
    """The values of a line, by the axes of its chart, which stand for 0, a half and 1."""
    axes = [float(one.get_attribute("y1") or "") for one in chart.locator(".axis").all()]
    points = re.findall(r"[\d.]+,([\d.]+)", line.get_attribute("points") or "")
    return (np.array(points, float) - axes[0]) / (axes[2] - axes[0])


def test_the_line_before_a_change_is_of_the_same_label_when_the_answer_flips(
    browser: Browser,
) -> None:
    model = made(seed=5, num_layers=2)
    before, now = "and film could", "love this film not not"
    assert model.predict([before]) != model.predict([now])
    with (
        listening(lab_app([Shown("model", model, None)], None)) as found,
        opened(browser, f"http://127.0.0.1:{found.port}/") as page,
    ):
        page.locator("#text").fill(before)
        expect(page.locator(".word")).to_have_count(3)
        page.locator("#keep").click()
        page.locator("#text").fill(now)
        expect(page.locator(".word")).to_have_count(5)
        chart = page.get_by_label("Probability of the answer after every word")
        label = model.labels_.index(model.predict([now])[0])
        for line, text in (
            (chart.locator("polyline").nth(0), now),
            (chart.locator(".dashed"), before),
        ):
            words = text.split()
            beginnings = [" ".join(words[:count]) for count in range(1, len(words) + 1)]
            wanted = model.predict_proba(beginnings)[:, label]
            np.testing.assert_allclose(heights(line, chart), wanted, atol=2e-3)


@pytest.mark.parametrize("width", [320, 1200])
def test_text_to_text_shows_its_answer_and_the_alignment(browser: Browser, width: int) -> None:
    model = seq2seq_cases.made()
    text = "the cat sat on the mat"
    found = explain(model, text)
    with (
        listening(lab_app([Shown("mt", model, None)], None)) as server,
        opened(
            browser, f"http://127.0.0.1:{server.port}/", viewport={"width": width, "height": 800}
        ) as page,
    ):
        page.locator("#text").fill(text)
        expect(page.locator("article .reads")).to_contain_text(found.answer)
        expect(page.locator(".word")).to_have_count(len(found.words))
        for table in found.tables:
            shown = page.get_by_role("group", name=table.name, exact=True)
            expect(shown.locator("tbody tr")).to_have_count(len(table.rows))
            cells = [
                [
                    float(text.replace(MINUS, "-") or "nan")
                    for text in row.locator("td").all_inner_texts()
                ]
                for row in shown.locator("tbody tr").all()
            ]
            np.testing.assert_allclose(cells, table.values, atol=0.0051)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
