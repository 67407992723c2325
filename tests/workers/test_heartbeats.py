"""Heartbeats over a real Valkey: silence declares, a signal that comes back resolves, and nobody else is bothered."""

from datetime import timedelta

import pytest
from builders import ONCALL, alert, rule_set
from stage import Stage

from incidents import keys
from incidents.store.connection import Links

RULES = """
heartbeats:
- {id: watchdog-eu, match: ['alertname="Watchdog"', 'cluster="eu"'], expect_every: 1m}
rules:
- id: silence
  on: heartbeat
  criterion: signal_lost
  identity: [heartbeat]
  tiers:
  - {when: {absent_for: 15m}, declare: SEV1}
  - {when: {absent_for: 5m}, declare: SEV2}
"""
UNLISTED = RULES.replace(RULES[: RULES.index("rules:")], "")


@pytest.fixture
def stage(store_url: str, links: Links) -> Stage:
    return Stage(store_url, links, rule_set(RULES, ONCALL))


def watchdog(cluster: str = "eu"):
    """The alert that always fires."""
    return alert("Watchdog", severity="none", cluster=cluster, service="")


def test_heartbeat_that_stops_is_an_incident_and_its_return_resolves(stage: Stage):
    """Silence past the deadline declares, more of it escalates, and fifteen minutes after the return it is over."""
    stage.post(watchdog())
    stage.decide()
    stage.now += timedelta(minutes=4)
    stage.post(watchdog())
    stage.decide()
    stage.now += timedelta(minutes=4)
    stage.decide()
    assert stage.incidents() == []
    stage.now += timedelta(minutes=1, seconds=1)
    stage.decide()
    (incident,) = stage.incidents()
    assert (incident.severity, incident.criterion, incident.identity) == (
        "SEV2",
        "signal_lost",
        {"heartbeat": "watchdog-eu"},
    )
    assert "No signal" in incident.title
    stage.now += timedelta(minutes=10)
    stage.decide()
    assert stage.incidents()[0].severity == "SEV1"
    stage.post(watchdog())
    stage.decide()
    assert stage.link.one("HMGET", keys.tally(incident.id), "firing", "resolved") == [b"0", b"1"]
    for _ in range(4):
        stage.now += timedelta(minutes=4)
        stage.post(watchdog())
        stage.decide()
    assert stage.incidents()[0].status == "resolved"
    assert stage.balance()[0] == stage.balance()[1]


def test_listed_heartbeat_that_never_came_is_missed(stage: Stage):
    """What is listed is expected from the first moment on."""
    stage.decide()
    stage.now += timedelta(minutes=5, seconds=1)
    stage.decide()
    (incident,) = stage.incidents()
    assert "never came" in incident.title


def test_unlisted_watchdog_is_a_heartbeat_once_heard(store_url: str, links: Links):
    """An installation without any Watchdog is left in peace; one that had it is not."""
    stage = Stage(store_url, links, rule_set(UNLISTED, ONCALL))
    stage.decide()
    stage.now += timedelta(hours=1)
    stage.decide()
    assert stage.incidents() == []
    stage.post(watchdog("us"))
    stage.decide()
    assert stage.link.one("HKEYS", keys.heartbeats()) == [b"watchdog-us"]
    stage.now += timedelta(minutes=6)
    stage.decide()
    assert [incident.identity for incident in stage.incidents()] == [{"heartbeat": "watchdog-us"}]


def test_heartbeat_that_is_no_longer_listed_is_forgotten(stage: Stage):
    """A reload that takes a heartbeat out of the list ends the expectation."""
    stage.decide()
    stage.rules = rule_set(UNLISTED, ONCALL)
    stage.link.one("SET", keys.rules_current(), stage.rules.hash)
    stage.decide()
    stage.now += timedelta(hours=1)
    stage.decide()
    assert stage.incidents() == []
    assert stage.link.one("HLEN", keys.heartbeats()) == 0


def test_watchdog_and_info_inhibitor_never_page(stage: Stage):
    """They are signals, not incidents, whatever rules would match them."""
    stage.post(watchdog(), alert("InfoInhibitor"))
    stage.decide()
    assert stage.incidents() == []
