"""What the tests of the API and of the pages share: a receiver over a real store, and a clock that the test moves.

A conftest imports the fixtures, and makes its `deps` with `receiver_deps`.
"""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from builders import rule_set
from flask import Flask

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

CALLERS = {"amira": ApiRole.RESPONDER, "bo": ApiRole.RESPONDER, "val": ApiRole.VIEWER, "ada": ApiRole.ADMIN}


class Clock:
    """The time as the test says."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


def token_of(name: str) -> str:
    """Return the token of a caller."""
    return f"token-of-{name}"


def receiver_deps(
    links: Links,
    incidents: Incidents,
    rules: RuleSet,
    clock: Clock,
    *,
    intake: Intake,
    sources: tuple[str, ...] = ("prod",),
    wake: Callable[[], None] = lambda: None,
    **api: Any,
) -> Deps:
    """Publish the rules and return what a receiver over the store needs; `api` is more for its API."""
    RuleSets(links).publish(rules.hash, [("a.yml", "rules: []")], clock.now)
    return Deps(
        intake=intake,
        sources=tuple(Source(name=name, kind="alertmanager") for name in sources),
        api_tokens=tuple(
            ApiToken(name=name, role=role, token_hashes=(hashlib.sha256(token_of(name).encode()).digest(),))
            for name, role in CALLERS.items()
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
            wake=wake,
            durability=list,
            **api,
        ),
    )


@pytest.fixture
def clock(now: datetime) -> Clock:
    """A clock that stands at the instant of all tests."""
    return Clock(now)


@pytest.fixture
def rules() -> RuleSet:
    """The rules in force: none."""
    return rule_set()


@pytest.fixture
def incidents(links: Links, rules: RuleSet) -> Incidents:
    """The incidents of the store."""
    return Incidents(links, lambda _: rules.oncall)


@pytest.fixture
def intake(links: Links) -> Intake:
    """The way into the store, behind which nobody decides."""
    return Intake(links, lambda: None)


@pytest.fixture
def make_app() -> Iterator[Callable[[Deps], Flask]]:
    """Makes receivers; what they still have to write is written before the store is another test's."""
    made: list[Flask] = []
    yield lambda deps: made.append(create_app(deps)) or made[-1]
    for app in made:
        app.extensions[TRAIL].refusals.write()


@pytest.fixture
def app(deps: Deps, make_app: Callable[[Deps], Flask]) -> Flask:
    """The receiver."""
    return make_app(deps)


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
