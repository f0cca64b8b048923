"""A headless Chromium for tests of pages, and what every page must keep to."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, sync_playwright

# Nothing of its own may reach for the network.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def program() -> str:
    """Where Chromium stands; without one the tests are skipped, or fail if it is required."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    if os.environ.get("GATEWISE_BROWSER") == "required":
        pytest.fail("GATEWISE_BROWSER is 'required', and there is no Chromium here.")
    pytest.skip(
        "The page is not tested: there is no Chromium here. Install one, on Debian with "
        "'apt-get install chromium'."
    )


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a new, empty profile."""
    where = program()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=where, args=FLAGS, env={**os.environ, "HOME": folder}
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser, address: str, *, expected: str | None = None, **how: Any
) -> Iterator[Page]:
    """A page that must ask nothing from elsewhere, complain of nothing and open no dialog.

    Args:
        browser: to open it in.
        address: of the page, with nothing behind its port.
        expected: what the console's complaints must be about where there are to be some.
        **how: what Playwright is told of the screen.
    """
    context = browser.new_context(**how)
    context.set_default_timeout(30_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(f"console: {message.text}"))
    page.on("pageerror", lambda problem: faults.append(f"error: {problem}"))

    def met_dialog(dialog: Dialog) -> None:
        faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def met_request(request: Request) -> None:
        if not request.url.startswith(address):
            faults.append(f"asked: {request.url}")

    page.on("dialog", met_dialog)
    page.on("request", met_request)
    page.goto(address)
    try:
        yield page
    finally:
        context.close()
    if expected is None:
        assert faults == []
    else:
        assert faults
        assert all(expected in fault for fault in faults), faults
