"""The pages over a real store: a browser for each person, a clock that the test moves, rules from text."""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from builders import rule_set
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from incidents.events import DeclaredByHand
from incidents.incident import Incident
from incidents.store.connection import Links
from incidents.store.incidents import Incidents
from incidents.store.intake import Intake
from incidents.store.rulesets import RuleSets
from incidents.values import Severity
from receiver.app import create_app
from receiver.audit import TRAIL
from receiver.auth import ApiRole, ApiToken, Source
from receiver.deps import ApiDeps, Deps, Reloaded
from rules.index import identity_key
from rules.model import RuleSet

BASE = "https://tocsin.example"
TOKENS = {"amira": ApiRole.RESPONDER, "bo": ApiRole.RESPONDER, "val": ApiRole.VIEWER, "ada": ApiRole.ADMIN}


def digest(text: str) -> tuple[bytes, ...]:
    return (hashlib.sha256(text.encode()).digest(),)


def field(page: str, name: str) -> str:
    """Return the value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, f"no field {name}"
    return found[1]


class Clock:
    """The time as the test says."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


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
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def rules() -> RuleSet:
    return rule_set()


@pytest.fixture
def incidents(links: Links, rules: RuleSet) -> Incidents:
    return Incidents(links, lambda _: rules.oncall)


@pytest.fixture
def deps(links: Links, incidents: Incidents, rules: RuleSet, clock: Clock) -> Deps:
    RuleSets(links).publish(rules.hash, [("a.yml", "rules: []")], clock.now)
    return Deps(
        intake=Intake(links, lambda: None),
        sources=(Source(name="prod", kind="alertmanager"),),
        api_tokens=tuple(
            ApiToken(name=name, role=role, token_hashes=digest(f"token-of-{name}")) for name, role in TOKENS.items()
        ),
        ready=list,
        metrics=lambda: b"",
        reload=lambda: Reloaded(hash=""),
        now=clock,
        record=None,
        build="0.1.0",
        api=ApiDeps(
            links=links,
            incidents=incidents,
            rule_set=lambda: rules,
            rule_set_of=lambda _: rules,
            wake=lambda: None,
            durability=list,
            external_url="https://tocsin.example",
            alertmanagers={"prod": "https://alertmanager.example"},
        ),
    )


@pytest.fixture
def app(deps: Deps) -> Iterator[Flask]:
    app = create_app(deps)
    yield app
    # Its own thread would write it into the store of the next test.
    app.extensions[TRAIL].refusals.write()


@pytest.fixture
def stranger(app: Flask) -> Browser:
    return Browser(app.test_client())


@pytest.fixture
def browser_of(app: Flask) -> Callable[[str], Browser]:
    """Makes a browser in which somebody is signed in."""

    def signed_in(name: str) -> Browser:
        browser = Browser(app.test_client())
        assert browser.sign_in(f"token-of-{name}").status_code == 303
        return browser

    return signed_in


@pytest.fixture
def amira(browser_of: Callable[[str], Browser]) -> Browser:
    return browser_of("amira")


@pytest.fixture
def declare(incidents: Incidents, clock: Clock) -> Callable[..., Incident]:
    """Declares an incident and lets a second pass."""

    def declared(service: str = "db", *, severity: str = "SEV2", title: str = "It is broken") -> Incident:
        identity = {"service": service}
        event = DeclaredByHand(
            actor="amira",
            title=title,
            severity=Severity(severity),
            identity=identity,
            identity_key=identity_key(identity),
        )
        done = incidents.declare(event, now=clock.now)
        clock.advance(seconds=1)
        return done.incident

    return declared
