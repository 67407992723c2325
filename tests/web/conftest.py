"""The pages over a real store: a browser for each person."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from receiver_over_store import Clock, app, clock, declare, incidents, intake, make_app, receiver_deps, rules, token_of
from showcase import SOURCES, Showcase
from werkzeug.test import TestResponse
from window import PICTURES

from incidents.store.connection import Links
from incidents.store.incidents import Incidents
from incidents.store.intake import Intake
from receiver.deps import Deps
from rules.model import RuleSet

__all__ = ["app", "clock", "declare", "incidents", "intake", "make_app", "rules"]  # fixtures

BASE = "https://tocsin.example"
collect_ignore = [] if PICTURES else ["test_pictures.py"]  # which are taken on demand


def field(page: str, name: str) -> str:
    """Return the value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, f"no field {name}"
    return found[1]


class Browser:
    """Somebody's browser: cookies are kept, forms are sent with what their page hides in them."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **more: object) -> TestResponse:
        return self.client.get(path, base_url=BASE, **more)

    def post(self, path: str, shown_at: str = "/incidents", /, **fields: str) -> TestResponse:
        """Send a form with the token of forms that a page of ours shows."""
        return self.client.post(path, base_url=BASE, data={"csrf": field(self.get(shown_at).text, "csrf"), **fields})

    def sign_in(self, token: str, there: str = "/incidents") -> TestResponse:
        shown = self.client.get("/sign-in", base_url=BASE)
        return self.client.post(
            "/sign-in", base_url=BASE, data={"token": token, "knock": field(shown.text, "knock"), "next": there}
        )


@pytest.fixture
def deps(links: Links, incidents: Incidents, intake: Intake, rules: RuleSet, clock: Clock) -> Deps:
    return receiver_deps(
        links,
        incidents,
        rules,
        clock,
        intake=intake,
        external_url=BASE,
        alertmanagers={"prod": "https://alertmanager.example"},
    )


@pytest.fixture
def deps_of_show(show: Showcase) -> Deps:
    """A receiver over the night that a test shows; without https, for the cookies of a real browser."""
    return receiver_deps(
        show.links,
        show.incidents,
        show.rules,
        show.clock,
        intake=show.intake,
        sources=SOURCES,
        alertmanagers={"prod-eu": "https://alertmanager.example"},
        external_url="http://127.0.0.1",
    )


@pytest.fixture
def stranger(app: Flask) -> Browser:
    return Browser(app.test_client())


@pytest.fixture
def browser_of(app: Flask) -> Callable[[str], Browser]:
    """Makes a browser in which somebody is signed in."""

    def signed_in(name: str) -> Browser:
        browser = Browser(app.test_client())
        assert browser.sign_in(token_of(name)).status_code == 303
        return browser

    return signed_in


@pytest.fixture
def amira(browser_of: Callable[[str], Browser]) -> Browser:
    return browser_of("amira")
