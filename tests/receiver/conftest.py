"""A receiver with everything around it faked, and payloads written from Alertmanager's documentation."""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from incidents.alert import Alert
from incidents.incoming import Incoming
from incidents.store.intake import Appended, Refused
from receiver.app import Deps, create_app
from receiver.auth import ApiRole, ApiToken, Source
from receiver.deps import Reloaded
from receiver.payloads.mapping import compile_mapping

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
ROUTING_KEY = "0123456789abcdef0123456789abcdef"
OTHER_ROUTING_KEY = "fedcba9876543210fedcba9876543210"
WHSEC = "whsec_" + base64.b64encode(b"a secret of twenty-four.").decode()
MAPPING = {
    "labels": {"alertname": "name", "service": "project"},
    "annotations": {"summary": "text"},
    "status": {"expr": "state", "firing": ["bad"], "resolved": ["good"], "ignore": ["same"]},
    "identity": "key",
    "starts_at": "since",
}


def digest(token: str) -> tuple[bytes, ...]:
    return (hashlib.sha256(token.encode()).digest(),)


class FakeIntake:
    """Remembers what it was given; raises `error` when that is set."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.incoming: list[Incoming] = []
        self.refused: list[Refused] = []
        self.sources: list[str] = []
        self.truncated = 0
        self.error: Exception | None = None

    def append_alerts(
        self,
        *,
        source: str,
        alerts: Sequence[Alert],
        refused: Sequence[Refused] = (),
        received_at: datetime,
        truncated: int = 0,
        receiver: str = "",
    ) -> Appended:
        if self.error is not None:
            raise self.error
        self.sources.append(source)
        self.alerts += alerts
        self.refused += refused
        self.truncated += truncated
        return Appended("1762052400000-0" if alerts else "", len(alerts), len(refused))

    def append_incoming(
        self, *, source: str, incoming: Sequence[Incoming], refused: Sequence[Refused] = (), received_at: datetime
    ) -> Appended:
        if self.error is not None:
            raise self.error
        self.sources.append(source)
        self.incoming += incoming
        self.refused += refused
        return Appended("1762052400000-0" if incoming else "", len(incoming), len(refused))


class FakeRecord:
    """Remembers what was observed."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []

    def observe(self, source: str, code: int, seconds: float) -> None:
        self.seen.append((source, code))


@pytest.fixture
def intake() -> FakeIntake:
    return FakeIntake()


@pytest.fixture
def record() -> FakeRecord:
    return FakeRecord()


@pytest.fixture
def make_client(intake: FakeIntake, record: FakeRecord) -> Callable[..., FlaskClient]:
    """A test client; keyword arguments replace single dependencies."""

    def make(**replaced: Any) -> FlaskClient:
        given: dict[str, Any] = {
            "intake": intake,
            "sources": (
                Source(name="prod", kind="alertmanager", token_hashes=digest("source-token") + digest("next-token")),
                Source(name="other", kind="alertmanager", token_hashes=digest("other-token")),
                Source(name="prom", kind="prometheus", token_hashes=digest("prometheus-token")),
                Source(name="pd", kind="pagerduty", signing_secrets=(b"pagerduty-secret", b"next-secret")),
                Source(name="pd-eu", kind="pagerduty", signing_secrets=(b"european-secret",)),
                Source(name="events", kind="pagerduty_events", routing_key_hashes=digest(ROUTING_KEY)),
                Source(name="more", kind="pagerduty_events", routing_key_hashes=digest(OTHER_ROUTING_KEY)),
                Source(
                    name="graf",
                    kind="grafana",
                    token_hashes=digest("grafana-token"),
                    signing_secrets=(b"grafana-secret",),
                ),
                Source(
                    name="ci",
                    kind="generic",
                    token_hashes=digest("generic-token"),
                    signing_secrets=(WHSEC.encode(),),
                    mapping=compile_mapping(MAPPING),
                ),
                Source(
                    name="sentry",
                    kind="generic",
                    token_hashes=digest("sentry-token"),
                    signing_secrets=(b"client-secret",),
                    mapping=compile_mapping("sentry"),
                ),
            ),
            "api_tokens": tuple(
                ApiToken(name=role.value, role=role, token_hashes=digest(f"{role}-token")) for role in ApiRole
            ),
            "ready": list,
            "metrics": lambda: b"# HELP tocsin_up x\n",
            "reload": lambda: Reloaded(hash="abc"),
            "now": lambda: NOW,
            "record": record,
            "build": "0",
        }
        return create_app(Deps(**(given | replaced))).test_client()

    return make


@pytest.fixture
def client(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_client()


def alert(**replaced: Any) -> dict[str, Any]:
    """One alert as Alertmanager writes it; a field replaced by `...` is left out."""
    fields: dict[str, Any] = {
        "status": "firing",
        "labels": {"alertname": "ErrorRateHigh", "service": "checkout", "severity": "page"},
        "annotations": {"summary": "Errors above 5 %"},
        "startsAt": "2026-11-02T02:58:11.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=x",
        "fingerprint": "c5a1f1d2e3b4a596",
    }
    return {name: value for name, value in (fields | replaced).items() if value is not ...}


def webhook(*alerts: Any, **replaced: Any) -> bytes:
    """The body of a webhook with these alerts."""
    fields: dict[str, Any] = {
        "receiver": "tocsin",
        "status": "firing",
        "alerts": list(alerts),
        "groupLabels": {"service": "checkout"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "version": "4",
        "groupKey": '{}:{service="checkout"}',
        "truncatedAlerts": 0,
    }
    return json.dumps({name: value for name, value in (fields | replaced).items() if value is not ...}).encode()


@pytest.fixture(name="alert")
def alert_builder() -> Callable[..., dict[str, Any]]:
    return alert


@pytest.fixture(name="webhook")
def webhook_builder() -> Callable[..., bytes]:
    return webhook
