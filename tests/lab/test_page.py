"""The lab's page in a real browser: typed into, clicked, and what it then shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from browser import chromium, opened
from explanation_cases import WORDS, made
from gatewise.explanation import explain
from gatewise.lab.app import lab_app
from gatewise.lab.diagnosis import diagnosed
from gatewise.lab.models import AT_ONCE, Shown
from gatewise.lab.rows import Rows
from gatewise.lab.states import states
from gatewise.lab.units import followed, ranked
from lab_server import listening

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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with listening(lab_app([Shown("model", MODEL, ROWS)], ROWS)) as found:
        yield f"http://127.0.0.1:{found.port}/"


@pytest.fixture(scope="module")
def two() -> Iterator[str]:
    """The lab of two models, one with a hostile name."""
    shown = [Shown("model", MODEL, ROWS), Shown("<i>gru</i>", GRU, ROWS)]
    with listening(lab_app(shown, ROWS)) as found:
        yield f"http://127.0.0.1:{found.port}/"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with opened(browser, address) as found:
        expect(words(found).first).to_be_visible()
        yield found


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


def channels(node: Locator) -> tuple[int, int]:
    """Red and blue of the background."""
    colour = node.evaluate("one => getComputedStyle(one).backgroundColor")
    red, _, blue = map(int, re.findall(r"\d+", colour)[:3])
    return red, blue


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
