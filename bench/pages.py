"""How long the server takes for the list of 10,000 incidents, and for an incident with 50,000 alerts.

Run by hand: `PYTHONPATH=tests/support .venv/bin/python bench/pages.py [INCIDENTS] [ALERTS]`. All incidents are open,
which is the worst case; the pages are asked for as a browser does, on one thread, over a real store.
"""

import gzip
import re
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from statistics import median

from builders import rule_set
from flask import Flask
from flask.testing import FlaskClient
from systems import Store, started

from incidents import keys
from incidents.alert import Alert, fingerprint_of
from incidents.events import DeclaredByHand
from incidents.store.connection import Link, Links, client_for
from incidents.store.incidents import Incidents
from incidents.store.intake import Intake
from incidents.store.rulesets import Reloaded, RuleSets
from incidents.store.scripts import ALL
from incidents.store.wake import Waker
from incidents.values import AlertStatus, Severity
from receiver.app import create_app
from receiver.auth import ApiRole, ApiToken
from receiver.deps import ApiDeps, Deps
from rules.deciding.deciding import Deciding
from rules.index import identity_key
from rules.model import RuleSet
from workers.decider import Decider

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TOKEN = "token-of-the-bench"
RULES = """
defaults: {identity: [service]}
rules:
- {id: storm, match: 'severity="critical"', declare: SEV1}
"""
POSTED = 1000  # alerts at once
TIMES = 40


def declare(links: Links, rules: RuleSet, count: int) -> None:
    """Declare so many incidents, a minute apart."""
    incidents = Incidents(links, lambda _: rules.oncall)
    for number in range(count):
        identity = {"service": f"service-{number}"}
        event = DeclaredByHand(
            actor="amira", title=f"Service {number} answers slowly", severity=Severity.SEV3, identity=identity,
            identity_key=identity_key(identity), summary="Some customers wait for ten seconds",
        )  # fmt: skip
        incidents.declare(event, now=NOW + timedelta(minutes=number))


def storm(url: str, links: Links, rules: RuleSet, count: int, now: datetime) -> str:
    """Let so many alerts of one service fire, and return their incident."""
    intake = Intake(links, lambda: None)
    for first in range(0, count, POSTED):
        alerts = [_alert(number, now) for number in range(first, min(first + POSTED, count))]
        intake.append_alerts(source="prod", alerts=alerts, received_at=now)
    link = Link(url, scripts=ALL)
    decider = Decider(
        url=url,
        owner="one|1|a",
        waker=Waker(client_for(url)),
        deciding_for=lambda _: Deciding(rules),
        now=lambda: now,
    )
    while True:
        decider.linger(timedelta(seconds=1))
        if int(link.one("HGET", keys.counters(), "events_total|processed") or 0) >= count:
            break
    return str(link.one("GET", keys.identity(identity_key({"service": "checkout"}))).decode().rpartition(":")[0])


def _alert(number: int, now: datetime) -> Alert:
    labels = {"alertname": "NodeDown", "severity": "critical", "service": "checkout", "instance": f"node-{number}"}
    return Alert(
        fingerprint=fingerprint_of(labels),
        status=AlertStatus.FIRING,
        labels=labels,
        annotations={"summary": f"node-{number} does not answer"},
        starts_at=now,
        generator_url="https://prometheus.example.com/graph",
    )


def application(links: Links, rules: RuleSet, now: datetime) -> Flask:
    """Return the receiver over the store."""
    api = ApiDeps(
        links=links, incidents=Incidents(links, lambda _: rules.oncall), rule_set=lambda: rules,
        rule_set_of=lambda _: rules, wake=lambda: None, durability=list, external_url="http://127.0.0.1",
    )  # fmt: skip
    token = ApiToken(name="amira", role=ApiRole.ADMIN, token_hashes=(sha256(TOKEN.encode()).digest(),))
    return create_app(
        Deps(
            intake=Intake(links, lambda: None), sources=(), api_tokens=(token,), ready=list, metrics=lambda: b"",
            reload=lambda: Reloaded(hash=""), now=lambda: now, record=Nobody(), build="bench", api=api,
        )
    )  # fmt: skip


class Nobody:
    """Counts nothing."""

    def observe(self, source: str, code: int, seconds: float) -> None:
        """Do nothing."""


def signed_in(app: Flask) -> FlaskClient:
    client = app.test_client()
    found = re.search(r'name="knock" value="([^"]*)"', client.get("/sign-in").text)
    assert found is not None
    assert client.post("/sign-in", data={"token": TOKEN, "knock": found[1]}).status_code == 303
    return client


def timed(ask: Callable[[], object]) -> tuple[float, float]:
    """Return the median and the longest of some times, in milliseconds."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    return median(took), max(took)


def main(incidents: int, alerts: int) -> None:
    rules = rule_set(RULES)
    with tempfile.TemporaryDirectory() as folder, started(Path(folder) / "pages") as programs:
        store = Store(programs)
        with Links(store.url, scripts=ALL) as links:
            RuleSets(links).publish(rules.hash, [("a.yml", "rules: []")], NOW)
            declare(links, rules, incidents)
            now = NOW + timedelta(minutes=incidents)
            name = storm(store.url, links, rules, alerts, now)
            client = signed_in(application(links, rules, now))
            paths = ["/incidents", "/incidents?status=all", "/incidents?q=service-17", f"/incidents/{name}"]
            paths += [f"/incidents/{name}/alerts", f"/events?incident={name}", "/events"]
            for path in paths:
                body = client.get(path, headers={"Accept-Encoding": "gzip"}).data
                size = len(gzip.decompress(body)) if body[:2] == b"\x1f\x8b" else len(body)
                middle, longest = timed(lambda path=path: client.get(path))  # type: ignore[misc]
                print(
                    f"{path:40} median {middle:6.1f} ms, longest {longest:6.1f}; {size} bytes, {len(body)} on the wire"
                )


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:3]]
    main(*given, *(10_000, 50_000)[len(given) :])
