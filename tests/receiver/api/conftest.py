"""The API over a real store: a client for each role."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from receiver_over_store import Clock, app, clock, declare, incidents, intake, make_app, receiver_deps, rules, token_of
from werkzeug.test import TestResponse

from incidents import keys
from incidents.incident import Incident, Objective
from incidents.store.codec import encode
from incidents.store.connection import Links
from incidents.store.incidents import Incidents
from incidents.store.intake import Intake
from receiver.deps import Deps
from rules.model import RuleSet

__all__ = ["app", "clock", "declare", "incidents", "intake", "make_app", "rules"]  # fixtures


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
        headers = {"Authorization": f"Bearer {token_of(who)}"} | more.pop("headers", {})
        return self._client.open(f"/api/v1/{path}", method=method, headers=headers, **more)


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
def deps(links: Links, incidents: Incidents, intake: Intake, rules: RuleSet, clock: Clock, woken: list[str]) -> Deps:
    return receiver_deps(
        links,
        incidents,
        rules,
        clock,
        intake=intake,
        sources=("prod", "mute"),
        wake=lambda: woken.append("decider"),
    )


@pytest.fixture
def make_api(deps: Deps, make_app: Callable[[Deps], Flask]) -> Callable[..., Api]:
    """Make an API of which single dependencies are replaced."""
    return lambda **replaced: Api(make_app(msgspec.structs.replace(deps, **replaced)).test_client())


@pytest.fixture
def api(app: Flask) -> Api:
    return Api(app.test_client())


@pytest.fixture
def held_incident(incidents: Incidents, links: Links, declare: Callable[..., Incident]) -> Incident:
    """An incident with an objective that only a person can meet, as a rule would have declared it."""
    incident = declare("ledger", severity="SEV1")
    verified = Objective(id="verified", text="The data was verified", kind="manual")
    held = msgspec.structs.replace(incident, objectives=(verified,))
    with links.borrow() as link:
        link.one("SET", keys.incident(incident.id), encode(held))
    return incidents.get(incident.id)[0]
