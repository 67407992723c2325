"""The API over a real store: a client for each role, a clock that the test moves, rules from text."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from builders import rule_set
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from incidents import keys
from incidents.events import DeclaredByHand
from incidents.incident import Incident, Objective
from incidents.store.codec import encode
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

TOKENS = {"amira": ApiRole.RESPONDER, "bo": ApiRole.RESPONDER, "val": ApiRole.VIEWER, "ada": ApiRole.ADMIN}


class Clock:
    """The time as the test says."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


class Api:
    """Calls the API as somebody."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def get(self, path: str, *, who: str = "val", **more: Any) -> TestResponse:
        return self.call("GET", path, who=who, **more)

    def post(self, path: str, body: Any = None, *, who: str = "amira", **more: Any) -> TestResponse:
        if body is not None:
            more |= {"data": body if isinstance(body, bytes) else json.dumps(body), "content_type": "application/json"}
        return self.call("POST", path, who=who, **more)

    def call(self, method: str, path: str, *, who: str = "val", **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer token-of-{who}"} | more.pop("headers", {})
        return self._client.open(f"/api/v1/{path}", method=method, headers=headers, **more)


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
def intake(links: Links) -> Intake:
    return Intake(links, lambda: None)


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
def deps(links: Links, incidents: Incidents, intake: Intake, rules: RuleSet, clock: Clock, woken: list[str]) -> Deps:
    RuleSets(links).publish(rules.hash, [("a.yml", "rules: []")], clock.now)
    return Deps(
        intake=intake,
        sources=(Source(name="prod", kind="alertmanager"), Source(name="mute", kind="alertmanager")),
        api_tokens=tuple(
            ApiToken(name=name, role=role, token_hashes=(hashlib.sha256(f"token-of-{name}".encode()).digest(),))
            for name, role in TOKENS.items()
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
            wake=lambda: woken.append("decider"),
            durability=list,
        ),
    )


@pytest.fixture
def make_app() -> Iterator[Callable[[Deps], Flask]]:
    made: list[Flask] = []
    yield lambda deps: made.append(create_app(deps)) or made[-1]
    for app in made:  # a thread of its own would write that into the store of the next test
        app.extensions[TRAIL].refusals.write()


@pytest.fixture
def app(deps: Deps, make_app: Callable[[Deps], Flask]) -> Flask:
    return make_app(deps)


@pytest.fixture
def make_api(deps: Deps, make_app: Callable[[Deps], Flask]) -> Callable[..., Api]:
    """Make an API of which single dependencies are replaced."""
    return lambda **replaced: Api(make_app(msgspec.structs.replace(deps, **replaced)).test_client())


@pytest.fixture
def api(app: Flask) -> Api:
    return Api(app.test_client())


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


@pytest.fixture
def held_incident(incidents: Incidents, links: Links, declare: Callable[..., Incident]) -> Incident:
    """An incident with an objective that only a person can meet, as a rule would have declared it."""
    incident = declare("ledger", severity="SEV1")
    verified = Objective(id="verified", text="The data was verified", kind="manual")
    held = msgspec.structs.replace(incident, objectives=(verified,))
    with links.borrow() as link:
        link.one("SET", keys.incident(incident.id), encode(held))
    return incidents.get(incident.id)[0]
