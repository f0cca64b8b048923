"""A browser and pages of the lab."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from browser import chromium, opened
from gatewise.lab.app import lab_app
from gatewise.lab.models import Shown
from lab_page import GRU, MODEL, ROWS, words
from lab_server import listening

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


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
