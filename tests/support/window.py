"""A real Chromium for tests, and windows of it in which somebody is signed in."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright
from werkzeug.serving import make_server

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
PATIENCE_MS = 60_000  # other tests run beside these
PHONE = {"width": 360, "height": 640}
DESKTOP = {"width": 1280, "height": 800}
PICTURES = os.environ.get("TOCSIN_SCREENSHOTS", "")  # a folder; empty: none are taken
LOAD_WHAT_IS_SEEN = """() => Promise.all([...document.images]
    .filter((one) => one.checkVisibility() && one.getBoundingClientRect().top < innerHeight)
    .map((one) => one.decode()))"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser; the test is left out where there is none, or none starts."""
    if not CHROMIUM:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        except Error as error:
            pytest.skip(f"Chromium does not start here: {error.message[:200]}")
        try:
            yield browser
        finally:
            browser.close()


class Windows:
    """Opens windows at an address; `wrong` gathers what they complain of. At `now` their clocks stand still."""

    def __init__(self, browser: Browser, address: str, now: datetime | None = None) -> None:
        self._now = now
        self._browser = browser
        self._address = address
        self._opened: list[BrowserContext] = []
        self.wrong: list[str] = []

    def open(self, token: str, path: str = "/incidents", **options: Any) -> Page:
        """Open a window in which the holder of a token is signed in; `options` are those of a browser context."""
        settings = {"viewport": DESKTOP, "color_scheme": "light", "timezone_id": "Europe/Berlin", **options}
        context = self._browser.new_context(**settings)
        context.set_default_timeout(PATIENCE_MS)
        if self._now is not None:
            context.clock.set_fixed_time(self._now)
        self._opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda said: self._hear(said.type, said.text))
        page.goto(f"{self._address}/sign-in?next={path}")
        page.fill("input[name=token]", token)
        page.click("main button.go")
        expect(page).to_have_url(f"{self._address}{path}", timeout=PATIENCE_MS)
        return page

    def _hear(self, kind: str, text: str) -> None:
        # A refusal with its page, and a stream that was cut, are answers: what is wrong is of scripts and policies.
        if kind == "error" and not text.startswith("Failed to load resource"):
            self.wrong.append(text)

    def close(self) -> None:
        """Close all windows."""
        while self._opened:
            self._opened.pop().close()


def picture(page: Page, name: str, *, is_whole: bool = False) -> None:
    """Take a picture for the documentation, of the window or of the whole page."""
    page.mouse.move(0, 0)
    page.evaluate(LOAD_WHAT_IS_SEEN)
    page.screenshot(path=Path(PICTURES, name), animations="disabled", full_page=is_whole)


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve an application for real; gives its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
