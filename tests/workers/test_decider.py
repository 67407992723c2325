"""The decider over a real Valkey: what is appended takes effect once, whoever decides."""

import multiprocessing
import os
from datetime import timedelta

import pytest
from builders import CRITICAL, alert, rule_set
from stage import Stage

from incidents import keys
from incidents.store.connection import Links
from rules.deciding.deciding import Deciding


@pytest.fixture
def stage(store_url: str, links: Links) -> Stage:
    return Stage(store_url, links, rule_set())


def test_decider_declares_once_and_pages_the_commander(stage: Stage):
    """Two deliveries of one alert are one incident, one page, and one duplicate."""
    stage.post(alert())
    stage.post(alert())
    stage.decide()
    (incident,) = stage.incidents()
    assert (incident.id, incident.severity, incident.roles.incident_commander) == ("INC-2026-0001", "SEV2", "amira")
    assert stage.kinds(incident.id) == ["incident_declared", "role_assigned", "alert_fired"]
    assert stage.link.one("ZRANGE", keys.pages_due(), 0, -1) == [b"INC-2026-0001.1.1.1.amira"]
    assert (stage.counter("events_total|processed"), stage.counter("events_total|duplicate")) == (1, 1)
    assert stage.balance() == (2, 2)


def test_decider_folds_a_storm_into_one_line(stage: Stage):
    """A thousand like alerts are one incident and one line with a count."""
    for start in range(0, 1000, 50):
        stage.post(*(alert(instance=f"n{number}") for number in range(start, start + 50)))
    decider = stage.decider()
    while stage.balance()[1] < 1000:
        stage.decide(decider)
    (incident,) = stage.incidents()
    assert stage.kinds(incident.id).count("alert_fired") == 1
    tally = dict(zip(*[iter(stage.link.one("HGETALL", keys.tally(incident.id)))] * 2, strict=True))
    assert tally[b"firing"] == b"1000"
    assert [value for name, value in tally.items() if name.startswith(b"fold:")] == [b"1000"]


def test_decider_resolves_when_the_alerts_stay_clear(stage: Stage):
    """Fifteen minutes after the last alert cleared the incident resolves by itself."""
    stage.post(alert())
    stage.decide()
    stage.now += timedelta(minutes=1)
    stage.post(alert(status="resolved", ends_at=stage.now))
    stage.decide()
    assert stage.incidents()[0].status == "declared"
    stage.now += timedelta(minutes=15, seconds=1)
    stage.decide()
    (incident,) = stage.incidents()
    assert incident.status == "resolved"
    assert stage.kinds(incident.id)[-2:] == ["objective_met", "resolved"]
    assert stage.balance()[0] == stage.balance()[1]


def test_decider_reopens_what_fires_again_soon(stage: Stage):
    """A new firing within reopen_within reopens the same incident."""
    test_decider_resolves_when_the_alerts_stay_clear(stage)
    stage.now += timedelta(minutes=5)
    stage.post(alert(starts_at=stage.now))
    stage.decide()
    (incident,) = stage.incidents()
    assert incident.status == "declared"
    assert "reopened" in stage.kinds(incident.id)


def test_decider_that_was_overtaken_does_not_commit(stage: Stage):
    """A decider whose fence was passed by another one writes nothing."""
    first, second = stage.decider("one|1|a"), stage.decider("two|2|b")
    assert first._take_over()
    stage.link.one("DEL", keys.lease())
    assert second._take_over()
    stage.post(alert())
    with pytest.raises(Exception, match=r"lease|fence"):
        first._process(first._look()[0], ())
    assert stage.incidents() == []


def test_decider_quarantines_only_the_event_that_raises(stage: Stage):
    """One event that cannot be decided goes to quarantine; its neighbours go on, and people are told."""

    class Explosive(Deciding):
        def match(self, key, labels):
            if labels.get("instance") == "n3":
                raise RuntimeError("boom")
            return super().match(key, labels)

    stage.post(*(alert(instance=f"n{number}") for number in range(10)))
    decider = stage.decider(deciding=lambda _: Explosive(stage.rules))
    stage.decide(decider)
    assert stage.counter("events_total|quarantined") == 1
    assert stage.balance() == (10, 10)
    assert {incident.rule for incident in stage.incidents()} == {"critical", "tocsin-unjudged"}
    (kept,) = stage.link.one("HVALS", keys.quarantine())
    assert b"boom" in kept


def test_decider_forgets_alerts_that_ended_days_ago(stage: Stage):
    """What is remembered does not grow with history: ended alerts go, those that fire stay."""
    stage.post(alert(instance="old"), alert(instance="firing"))
    stage.post(alert(instance="old", status="resolved", ends_at=stage.now))
    stage.decide()
    stage.now += timedelta(days=4)
    stage.decide()
    names = stage.link.one("HKEYS", keys.alerts())
    assert names == [f"prom/{alert(instance='firing').fingerprint}".encode()]
    assert stage.link.one("ZCARD", keys.alerts_seen()) == 1


def test_decider_loads_thousands_of_folds_of_one_identity(stage: Stage):
    """A batch of thousands of differently named alerts of one service is one incident with a line each."""
    for start in range(0, 6000, 300):
        stage.post(*(alert(f"A{number}") for number in range(start, start + 300)))
    decider = stage.decider()
    while stage.balance()[1] < 6000:
        stage.decide(decider)
    (incident,) = stage.incidents()
    assert stage.kinds(incident.id).count("alert_fired") == 6000


def test_decider_on_whose_event_others_died_sets_only_that_aside(stage: Stage):
    """After two deaths on a batch deciders go event by event; after two more only that event is set aside."""

    class Deadly(Deciding):
        def decide(self, work, *others):
            if any(arrival.alert.labels.get("instance") == "n3" for arrival in work.arrivals):
                os._exit(9)
            return super().decide(work, *others)

    stage.post(*(alert(instance=f"n{number}") for number in range(5)))
    stage.post(alert(instance="after"))
    deaths = 0
    while stage.balance()[1] < 6:
        stage.link.one("DEL", keys.lease())
        child = multiprocessing.get_context("fork").Process(
            target=lambda: stage.decide(stage.decider("host|1|x", lambda _: Deadly(stage.rules)))
        )
        child.start()
        child.join(20)
        deaths += child.exitcode == 9
        assert deaths < 10
    assert deaths == 4
    assert stage.counter("events_total|quarantined") == 1
    assert stage.counter("events_total|processed") == 5


def test_decider_counts_different_alerts_within_the_window(store_url: str, links: Links):
    """Three nodes in ten minutes declare, however often each repeats, and all three belong to the incident."""
    rules = """
rules:
- id: nodes
  match: 'alertname="NodeDown"'
  identity: [cluster]
  when: {count: {gte: 3, within: 10m}}
  declare: SEV2
"""
    stage = Stage(store_url, links, rule_set(rules))
    for instance in ("a", "a", "b"):
        stage.post(alert("NodeDown", instance=instance, cluster="eu"))
        stage.decide()
    assert stage.incidents() == []
    stage.now += timedelta(minutes=9)
    stage.post(alert("NodeDown", instance="a", cluster="eu", status="resolved", ends_at=stage.now))
    stage.post(alert("NodeDown", instance="c", cluster="eu"))
    stage.decide()
    (incident,) = stage.incidents()
    assert stage.link.one("HGET", keys.tally(incident.id), "firing") == b"2"


def test_decider_declares_what_fires_long_enough(store_url: str, links: Links):
    """An alert that fires for five minutes declares by a timer; one that ends before does not."""
    rules = """
rules:
- id: critical
  match: 'severity="critical"'
  when: {firing_for: 5m}
  declare: SEV3
"""
    stage = Stage(store_url, links, rule_set(rules))
    stage.post(alert(service="db"), alert(service="web"))
    stage.decide()
    stage.now += timedelta(minutes=4)
    stage.post(alert(service="web", status="resolved", ends_at=stage.now))
    stage.decide()
    assert stage.incidents() == []
    stage.now += timedelta(minutes=1, seconds=1)
    stage.decide()
    assert [incident.identity for incident in stage.incidents()] == [{"service": "db"}]


def test_decider_uses_the_rules_that_a_reload_put_in_force(stage: Stage):
    """A decision after a reload is made by the new rules, also for an alert that fires already."""
    other = rule_set(CRITICAL.replace("SEV2", "SEV1").replace("critical\n", "renamed\n"))
    quiet = rule_set("rules: []")
    by_hash = {stage.rules.hash: stage.rules, other.hash: other, quiet.hash: quiet}
    decider = stage.decider(deciding=lambda ruleset: Deciding(by_hash[ruleset]))
    stage.link.one("SET", keys.rules_current(), quiet.hash)
    stage.post(alert())
    stage.decide(decider)
    assert stage.incidents() == []
    stage.link.one("SET", keys.rules_current(), other.hash)
    stage.post(alert())
    stage.decide(decider)
    assert [incident.severity for incident in stage.incidents()] == ["SEV1"]
