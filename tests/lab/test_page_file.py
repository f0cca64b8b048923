"""What the lab's page tells of a file: units, figures, mistakes, and two models side by side."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser import opened
from gatewise.explanation import explain
from gatewise.lab.diagnosis import diagnosed
from gatewise.lab.models import AT_ONCE
from gatewise.lab.states import states
from gatewise.lab.units import followed, ranked
from lab_page import (
    GRU,
    MINUS,
    MODEL,
    ROWS,
    SENTENCE,
    channels,
    expect_answer,
    number_of,
    panel,
    word,
)

pytest_plugins = ["lab_fixtures"]


def test_a_unit_is_followed_over_the_file(page: Page) -> None:
    page.locator("nav [data-view='units']").click()
    found = states(MODEL, ROWS.texts, 0)
    first = ranked(found, ROWS.labels)[0]
    expect(page.locator(".units-list [aria-pressed=true]")).to_have_text(
        f"{first.unit} · {first.separation:.2f}"
    )
    expect_unit(page, found, first.unit, 0)
    page.get_by_label("Unit", exact=True).fill("3")
    page.keyboard.press("Enter")
    expect_unit(page, found, 3, 0)
    page.get_by_role("button", name="Later texts").click()
    expect_unit(page, found, 3, AT_ONCE)
    page.locator("#view-units select").select_option("1")
    backward = states(MODEL, ROWS.texts, 1)
    expect_unit(page, backward, ranked(backward, ROWS.labels)[0].unit, 0)


def expect_unit(page: Page, found: Any, unit: int, start: int) -> None:
    """What is shown of a unit is what was counted."""
    view = page.locator("#view-units")
    expect(view.locator("h2").nth(1)).to_have_text(f"Unit {unit}, word by word")
    expect(view.locator(".pager")).to_contain_text(f"Texts {start + 1} to ")
    told = followed(found, unit, ROWS.texts, ROWS.labels, range(start, start + AT_ONCE))
    for caption, way in (("Words that raise it most", "up"), ("Words that lower it most", "down")):
        rows = view.locator("table", has_text=caption).locator("tbody tr")
        # It waits: the unit of another model may have had the same number.
        expect(rows).to_have_text(
            [
                one["word"] + f"{one['step']:+.3f}".replace("-", MINUS) + str(one["count"])
                for one in told["words"][way]
            ]
        )
    running = view.locator(".running")
    expect(running).to_have_count(AT_ONCE)
    for place in (1, 7):
        marks = running.nth(place).locator("mark")
        wanted = told["texts"][place]
        assert marks.all_inner_texts() == [wanted["text"][a:b] for a, b in wanted["words"]]
        assert marks.evaluate_all("all => all.map(one => one.title)") == [
            f"{value:+.3f}".replace("-", MINUS) for value in wanted["values"]
        ]
        for mark, value in zip(marks.all(), wanted["values"], strict=True):
            if abs(value) > 0.3 * told["scale"]:
                red, blue = channels(mark)
                assert (red > blue) == (value > 0)
    ends = view.locator("table", has_text="Its mean state").locator("tbody tr")
    assert ends.count() == 2


def test_the_model_is_measured_on_the_file(page: Page) -> None:
    page.locator("nav [data-view='model']").click()
    view = page.locator("#view-model")
    told = diagnosed(MODEL, ROWS)
    expect(view).to_contain_text(f"accuracy {told['evaluation']['accuracy']:.4f} on 51 rows")
    error = 100 * told["calibration"]["error"]
    expect(view).to_contain_text(f"{error:.1f} % off on average (expected calibration error)")
    cells = view.locator(".confusion td").all_inner_texts()
    assert cells == [str(count) for row in told["evaluation"]["confusion"] for count in row]
    met = [one for one in told["calibration"]["bins"] if one["count"]]
    expect(view.locator(".reliability .point")).to_have_count(len(met))
    view.locator("summary", has_text="The numbers").click()
    rows = view.locator("table", has_text="Answers by their probability").locator("tbody tr")
    expect(rows).to_have_count(len(met))
    expect(rows.first).to_contain_text(f"{100 * met[0]['came']:.1f} %")
    expect(view).to_contain_text("tells nothing of its training")


def test_the_worst_mistakes_are_read_in_the_lab(page: Page) -> None:
    page.locator("nav [data-view='mistakes']").click()
    told = diagnosed(MODEL, ROWS)
    items = page.locator("#view-mistakes li")
    expect(items).to_have_count(len(told["mistakes"]))
    for place in (0, 1, len(told["mistakes"]) - 1):
        one = told["mistakes"][place]
        expect(items.nth(place)).to_contain_text(f"{one['answer']} with {one['sure']:.3f}")
        expect(items.nth(place)).to_contain_text(f"the label is {one['truth']}")
    place = next(n for n, one in enumerate(told["mistakes"]) if one["number"])
    items.nth(place).get_by_role("button").click()
    expect(page.locator("#text")).to_have_value(told["mistakes"][place]["text"])
    expect_answer(page, told["mistakes"][place]["text"])
    assert page.url.endswith("#sentence")
    page.go_back()
    expect(page.locator("#view-mistakes")).to_be_visible()


def test_two_models_are_seen_side_by_side(browser: Browser, two: str) -> None:
    with opened(browser, two, viewport={"width": 1280, "height": 900}) as page:
        expect_answer(page, SENTENCE, MODEL, 0)
        expect_answer(page, SENTENCE, GRU, 1)
        one, other = panel(page, 0).bounding_box(), panel(page, 1).bounding_box()
        assert one is not None
        assert other is not None
        assert one["y"] == other["y"]
        assert one["x"] + one["width"] <= other["x"]
        expect(panel(page, 1).locator("h2")).to_contain_text("<i>gru</i>")
        # A gru has no cell: what it keeps is its hidden state.
        word(page, 3, 1).click()
        hidden = explain(GRU, SENTENCE).layers[0].hidden
        expect(panel(page, 1).locator(".heat-told")).to_have_text(
            f"Unit 0 at “love”: hidden {hidden[3, 0]:.3f}".replace("-", MINUS)
        )
        expect(word(page, 3, 0)).to_have_class(re.compile("here"))
        page.locator("#parts input[value='forget']").check()
        expect(panel(page, 1).locator(".heat-told")).to_have_text(
            "A gru has no part called “forget”."
        )
        update = float(explain(GRU, SENTENCE).layers[0].gates["update"][3, 0])
        shown = (
            panel(page, 1).locator(".tile", has_text=f"1 {MINUS} update").locator("b").inner_text()
        )
        assert number_of(shown) == pytest.approx(1 - update, abs=6e-4)
        page.locator("#layer").select_option("3")  # the gru has two
        expect_answer(page, SENTENCE, GRU, 1)
        for view in ("model", "mistakes", "units"):
            page.locator(f"nav [data-view='{view}']").click()
        page.locator("#view-units select").first.select_option("1")
        found = states(GRU, ROWS.texts, 0)
        expect_unit(page, found, ranked(found, ROWS.labels)[0].unit, 0)
