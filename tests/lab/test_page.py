"""The lab's page in a real browser: typed into, clicked, and what it then shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from browser import opened
from gatewise.explanation import explain
from gatewise.lab.app import lab_app
from gatewise.lab.models import Shown
from lab_page import (
    HOSTILE,
    MINUS,
    MODEL,
    SENTENCE,
    channels,
    expect_answer,
    number_of,
    panel,
    shown_words,
    tiles,
    word,
    words,
    write,
)
from lab_server import listening

pytest_plugins = ["lab_fixtures"]


def test_the_answer_follows_every_letter(page: Page) -> None:
    expect_answer(page, SENTENCE)
    assert shown_words(page) == SENTENCE.split()
    page.locator("#text").fill("")
    expect(words(page)).to_have_count(0)
    expect(panel(page)).to_contain_text("No words yet.")
    typed = ""
    for piece in ("i", " love", " this", " film", " n", "o", "t"):
        page.locator("#text").press_sequentially(piece)
        typed += piece
        expect_answer(page, typed)
        expect(words(page)).to_have_count(len(typed.split()))
        # The word that is being typed is the one that is looked at.
        expect(word(page, len(typed.split()) - 1)).to_have_class(re.compile("here"))
    assert shown_words(page) == ["i", "love", "this", "film", "not"]


def test_words_are_coloured_by_what_was_chosen(page: Page) -> None:
    found = explain(MODEL, SENTENCE)
    for measure in found.measures:
        page.locator("#measure").select_option(measure.name)
        expect(panel(page)).to_contain_text(measure.about)
        for place, value in enumerate(measure.values.tolist()):
            text = f"{abs(value):.3f}"
            expect(word(page, place)).to_have_attribute("title", re.compile(re.escape(text)))
    page.locator("#measure").select_option("contribution")
    values = found.measure("contribution")
    most = int(abs(values).argmax())
    red, blue = channels(word(page, most))
    assert (red > blue) == (values[most] > 0)


def test_the_picture_of_units_is_walked_by_keys_and_clicks(page: Page) -> None:
    layers = explain(MODEL, SENTENCE).layers
    canvas = panel(page).locator("canvas")
    told = panel(page).locator(".heat-told")
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    cell = layers[0].cell
    assert cell is not None
    place, unit = 2, 2
    expect(told).to_have_text(f"Unit 2 at “to”: cell {cell[place, unit]:.3f}".replace("-", MINUS))
    found = tiles(page)
    gates = {name: float(layers[0].gates[name][place, unit]) for name in layers[0].gates}
    wanted = gates | {
        "cell": float(cell[place, unit]),
        "cell before": float(cell[place - 1, unit]),
        "hidden": float(layers[0].hidden[place, unit]),
        "tanh of cell": float(np.tanh(cell[place, unit])),
    }
    assert found == {name: pytest.approx(value, abs=6e-4) for name, value in wanted.items()}
    for x, y in ((110, 64), (216, 96), (320, 48)):
        canvas.click(position={"x": x, "y": y})
        match = re.match(r"Unit (\d+) at “(.+)”: cell (.+)", told.inner_text())
        assert match is not None
        at, value = int(match[1]), number_of(match[3])
        where = [n for n, one in enumerate(SENTENCE.split()) if one == match[2]]
        assert min(abs(cell[n, at] - value) for n in where) < 6e-4
        red, blue = canvas.evaluate(
            "(one, [x, y]) => { const copy = new OffscreenCanvas(1, 1).getContext('2d');"
            " copy.drawImage(one, x, y, 1, 1, 0, 0, 1, 1);"
            " const found = copy.getImageData(0, 0, 1, 1).data; return [found[0], found[2]]; }",
            [x, y],
        )
        if abs(value) > 0.1:
            assert (red > blue) == (value > 0)
    for _ in range(30):
        canvas.press("ArrowRight")
    expect(told).to_contain_text("at “not”")


def test_layers_parts_and_order(page: Page) -> None:
    layers = explain(MODEL, SENTENCE).layers
    for number, trace in enumerate(layers):
        page.locator("#layer").select_option(str(number))
        for part, values in trace.parts.items():
            page.locator(f"#parts input[value='{part}']").check()
            expect(panel(page).locator(".heat-told")).to_have_text(
                f"Unit 0 at “I”: {part} {values[0, 0]:.3f}".replace("-", MINUS)
            )
    # The last direction reads backwards: before the first word it has read the second one.
    cell = layers[3].cell
    assert cell is not None
    assert tiles(page)["cell before"] == pytest.approx(float(cell[1, 0]), abs=6e-4)
    page.locator("#order").select_option("movement")
    panel(page).locator("canvas").click(position={"x": 60, "y": 30})
    moved = abs(np.diff(layers[3].hidden, axis=0)).sum(axis=0)
    expect(panel(page).locator(".heat-told")).to_contain_text(f"Unit {int(moved.argmax())} at")


def test_a_word_is_removed_and_the_answers_compared(page: Page) -> None:
    word(page, 8).focus()
    page.keyboard.press("Delete")
    changed = "I wanted to love this film and could"
    expect(page.locator("#text")).to_have_value(changed)
    expect_answer(page, changed)
    expect(page.locator("#before")).to_have_text(SENTENCE)
    now, before = MODEL.predict_proba([changed, SENTENCE])[:, 0].tolist()
    delta = panel(page).locator(".delta").first
    expect(delta).to_have_text(f" {now - before:+.3f}".replace("-", MINUS))
    word(page, 1).click()
    word(page, 2).click()
    expect(page.locator("#chosen")).to_have_text("Chosen: “wanted” and “to”")
    page.locator("#remove").click()
    expect(page.locator("#text")).to_have_value("I love this film and could")
    page.locator("#back").click()
    expect(page.locator("#text")).to_have_value(SENTENCE)
    expect_answer(page, SENTENCE)
    expect(page.locator("#compared")).to_be_hidden()
    expect(panel(page).locator(".delta")).to_have_count(0)


def test_two_words_are_swapped(page: Page) -> None:
    write(page, "not love , i love")
    expect(page.locator("#swap")).to_be_disabled()
    word(page, 4).click()
    word(page, 0).click()
    word(page, 3).click()  # at most two: the first one chosen is let go
    expect(word(page, 4)).to_have_attribute("aria-pressed", "false")
    page.locator("#swap").click()
    expect(page.locator("#text")).to_have_value("i love , not love")
    expect_answer(page, "i love , not love")
    expect(page.locator("#before")).to_have_text("not love , i love")
    page.locator("#stop").click()
    expect(page.locator("#compared")).to_be_hidden()
    page.locator("#keep").click()
    page.locator("#text").press_sequentially(" film")
    expect_answer(page, "i love , not love film")
    expect(page.locator("#before")).to_have_text("i love , not love")


def test_places_count_characters_that_are_two_in_javascript(page: Page) -> None:
    write(page, "😀😀 love 🎬 not film")
    assert "not" in shown_words(page)
    word(page, shown_words(page).index("not")).click()
    word(page, shown_words(page).index("love")).click()
    page.locator("#swap").click()
    expect(page.locator("#text")).to_have_value("😀😀 not 🎬 love film")


def test_the_sentence_is_played_word_by_word(page: Page) -> None:
    write(page, "love this film")
    page.locator("#play").click()
    for place in range(3):
        expect(word(page, place)).to_have_class(re.compile("here"))
    expect(page.locator("#play")).to_have_text("Play word by word")


def test_it_works_from_the_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"text", "keep", "play", "measure", "layer", "order", "heat"} <= reached
    word(page, 0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(word(page, 2)).to_be_focused()
    page.keyboard.press("Enter")
    expect(word(page, 2)).to_have_attribute("aria-pressed", "true")
    expect(word(page, 2)).to_be_focused()
    page.locator("#parts input:checked").focus()
    page.keyboard.press("ArrowRight")
    expect(panel(page).locator(".heat-told")).to_contain_text(": hidden ")
    page.locator("nav a", has_text="Units").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#view-units")).to_be_visible()
    outline = page.locator("nav a", has_text="Model").evaluate(
        "one => { one.focus(); return getComputedStyle(one).outlineStyle; }"
    )
    assert outline == "solid"


def test_everything_that_can_be_used_has_a_name(page: Page) -> None:
    for view in ("sentence", "units", "model", "mistakes"):
        page.locator(f"nav [data-view='{view}']").click()
        expect(page.locator(f"nav [data-view='{view}']")).to_have_attribute("aria-current", "page")
        nameless = page.locator(
            "button, select, input, textarea, canvas, svg[role=img]"
        ).evaluate_all(
            "all => all.filter(one => one.checkVisibility() && !one.labels?.length "
            "&& !one.textContent.trim() && !one.ariaLabel).map(one => one.outerHTML)"
        )
        assert nameless == []


def test_texts_are_never_read_as_markup(page: Page) -> None:
    before = page.locator("script, img").count()
    write(page, HOSTILE)
    shown = "".join(shown_words(page))
    assert "<script>" in shown
    assert "\\u202e" in shown
    assert "\u202e" not in page.locator("#panels").inner_text()
    word(page, 0).focus()
    page.keyboard.press("Delete")
    expect(page.locator("#before")).to_contain_text("<script>alert(1)</script>")
    assert "\u202e" not in page.locator("#before").inner_text()
    page.locator("nav [data-view='units']").click()
    expect(page.locator("#view-units h2").first).to_contain_text("<b>file</b>.csv")
    expect(page.locator(".running").first).to_contain_text("<img src=x onerror=alert(2)>")
    assert "\u202e" not in page.locator("#view-units").inner_text()
    for view in ("model", "mistakes"):
        page.locator(f"nav [data-view='{view}']").click()
        expect(page.locator(f"#view-{view}")).to_contain_text("<b>file</b>.csv")
    assert page.locator("script, img").count() == before


@pytest.mark.parametrize(
    ("width", "scheme"), [(320, "light"), (390, "dark"), (768, "light"), (1600, "dark")]
)
def test_every_view_fits_and_can_be_read(
    browser: Browser, two: str, width: int, scheme: Any
) -> None:
    size = {"width": width, "height": 800}
    with opened(browser, two, color_scheme=scheme, viewport=size) as page:
        write(page, HOSTILE + " " + "x" * 300)
        for view in ("sentence", "units", "model", "mistakes"):
            page.locator(f"nav [data-view='{view}']").click()
            expect(page.locator(f"#view-{view} h2").first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, view
            assert page.evaluate(FAINT) == [], view
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (int(re.findall(r"\d+", ground)[0]) < 128) == (scheme == "dark")


# Texts whose contrast with what lies behind them is below 4.5 (WCAG 2.2, success criterion 1.4.3).
FAINT = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (channels) => {
    const [red, green, blue] = channels.map((one) => one / 255)
      .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const [red, green, blue, alpha = 1] = numbers(getComputedStyle(one).backgroundColor);
      if (alpha === 1) return [red, green, blue];
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (!own || !node.checkVisibility() || node.disabled || node.closest("svg")) continue;
    const [red, green, blue] = numbers(getComputedStyle(node).color);
    const [one, other] = [light([red, green, blue]), light(behind(node))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) faint.push([node.className, node.textContent.slice(0, 30), contrast]);
  }
  return faint;
}"""


def test_a_problem_is_told_and_forgotten(browser: Browser, address: str) -> None:
    with opened(browser, address, expected="status of 400") as page:
        expect_answer(page, SENTENCE)
        page.evaluate("document.querySelector('#text').value = 'a '.repeat(1500)")
        page.locator("#text").dispatch_event("input")
        expect(page.locator("#problem")).to_contain_text("length <= 2000")
        write(page, "love")
        expect(page.locator("#problem")).to_be_hidden()


def test_without_a_file_every_view_says_what_to_do(browser: Browser) -> None:
    with (
        listening(lab_app([Shown("model", MODEL, None)], None)) as found,
        opened(browser, f"http://127.0.0.1:{found.port}/") as page,
    ):
        for view in ("units", "model", "mistakes"):
            page.locator(f"nav [data-view='{view}']").click()
            expect(page.locator(f"#view-{view}")).to_contain_text("--test")


def test_the_pictures_of_the_docs_are_there() -> None:
    folder = Path(__file__).parent.parent.parent / "docs"
    for name in re.findall(r"\]\((images/[^)]+)\)", (folder / "lab.md").read_text("utf-8")):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
