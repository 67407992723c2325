"""Reconciling: what an Alertmanager knows against what we know, pure and over a real store with an HTTP look-alike."""

import http.server
import json
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from builders import NOW, ONCALL, alert, rule_set
from stage import Stage

from incidents import keys
from incidents.store.connection import Links, client_for
from incidents.store.intake import Intake
from incidents.store.wake import Waker
from workers.facts import Facts

RULES = """
rules:
- {id: critical, match: 'severity="critical"', declare: SEV2}
"""


class Alertmanager(http.server.ThreadingHTTPServer):
    """Answers the one question that is asked, with what the test says."""

    def __init__(self) -> None:
        self.alerts: list[dict] = []
        self.status = 200
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(server.alerts).encode()
                self.send_response(server.status if self.path == "/api/v2/alerts" else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def knows(self, one, *, state: str = "active", receiver: str = "tocsin", minutes: float = 10) -> None:
        """Let it know an alert."""
        self.alerts.append(
            {
                "fingerprint": one.fingerprint,
                "labels": one.labels,
                "annotations": {},
                "startsAt": (NOW - timedelta(minutes=minutes)).isoformat(),
                "endsAt": (NOW + timedelta(minutes=5)).isoformat(),
                "updatedAt": NOW.isoformat(),
                "generatorURL": "",
                "status": {"state": state, "silencedBy": [], "inhibitedBy": []},
                "receivers": [{"name": receiver}],
            }
        )


@pytest.fixture
def alertmanager() -> Iterator[Alertmanager]:
    server = Alertmanager()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def stage(store_url: str, links: Links) -> Stage:
    stage = Stage(store_url, links, rule_set(RULES, ONCALL))
    stage.link.one("SADD", keys.receivers_of("prom"), "tocsin")
    return stage


def reconcile(stage: Stage, alertmanager: Alertmanager) -> None:
    """One look at the Alertmanager, decided."""
    port = alertmanager.server_address[1]
    facts = Facts(
        links=stage.links,
        intake=Intake(stage.links, lambda: None),
        waker=Waker(client_for(stage.url)),
        owner="one",
        alertmanagers={"prom": f"http://127.0.0.1:{port}/"},
        now=lambda: stage.now,
    )
    facts.linger(timedelta(seconds=0.01))
    stage.decide()


def test_reconciling_adds_what_never_came(stage: Stage, alertmanager: Alertmanager):
    """An alert that is routed to us and never came is added, and the timeline says so."""
    alertmanager.knows(alert())
    reconcile(stage, alertmanager)
    (incident,) = stage.incidents()
    notes = [entry.text for entry in stage.timeline(incident.id) if entry.kind.value == "note"]
    assert notes == ["DiskFull was found firing in prom: its notification never came"]


@pytest.mark.parametrize("told", [{"state": "suppressed"}, {"receiver": "others"}, {"minutes": 1}])
def test_reconciling_leaves_out_what_is_not_ours(stage: Stage, alertmanager: Alertmanager, told: dict):
    """Silenced alerts, those of other receivers, and those that are just under way are not added."""
    alertmanager.knows(alert(), **told)
    reconcile(stage, alertmanager)
    assert stage.incidents() == []


def test_reconciling_ends_what_is_gone_at_the_second_look(stage: Stage, alertmanager: Alertmanager):
    """An alert that its Alertmanager does not know twice running counts as resolved, and is marked."""
    stage.post(alert())
    stage.decide()
    reconcile(stage, alertmanager)
    (incident,) = stage.incidents()
    assert "alert_resolved" not in stage.kinds(incident.id)
    reconcile(stage, alertmanager)
    assert {"alert_resolved", "alert_stale"} <= set(stage.kinds(incident.id))
    assert stage.link.one("HMGET", keys.tally(incident.id), "firing", "resolved") == [b"0", b"1"]


def test_reconciling_forgives_an_alertmanager_that_just_started(stage: Stage, alertmanager: Alertmanager):
    """What is back at the second look was never gone."""
    stage.post(alert())
    stage.decide()
    reconcile(stage, alertmanager)
    alertmanager.knows(alert())
    reconcile(stage, alertmanager)
    alertmanager.alerts.clear()
    reconcile(stage, alertmanager)
    (incident,) = stage.incidents()
    assert "alert_resolved" not in stage.kinds(incident.id)


def test_reconciling_changes_nothing_while_the_alertmanager_is_ill(stage: Stage, alertmanager: Alertmanager):
    """An error is no answer: nothing is added, and nothing is gone."""
    stage.post(alert())
    stage.decide()
    alertmanager.status = 500
    reconcile(stage, alertmanager)
    reconcile(stage, alertmanager)
    (incident,) = stage.incidents()
    assert "alert_resolved" not in stage.kinds(incident.id)


def test_truncated_notification_is_looked_up_at_once(stage: Stage, alertmanager: Alertmanager):
    """A sender that left alerts out is asked for them without waiting for the next round."""
    stage.intake.append_alerts(source="prom", alerts=[alert()], received_at=stage.now, truncated=1, receiver="tocsin")
    alertmanager.knows(alert())
    alertmanager.knows(alert(service="web"))
    reconcile(stage, alertmanager)
    assert {incident.identity["service"] for incident in stage.incidents()} == {"db", "web"}
    assert stage.counter("alerts_truncated_total|prom") == 1
    assert stage.link.one("SCARD", keys.truncated_sources()) == 0
