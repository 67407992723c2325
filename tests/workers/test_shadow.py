"""Rules in shadow mode over a real store: they record what they would have declared, and do nothing else."""

from datetime import timedelta

from builders import alert, rule_set
from stage import Stage

from incidents.store.connection import Links
from incidents.store.shadow import would_be

RULES = """
rules:
- id: watched
  match: 'severity="critical"'
  mode: shadow
  tiers:
  - {when: {count: {gte: 3, within: 10m}}, declare: SEV1}
  - {declare: SEV3}
"""


def test_shadow_makes_one_outage_one_would_be_incident(store_url: str, links: Links):
    """Alerts of one identity are one, however many they are; nothing is declared, and the next outage is another."""
    stage = Stage(store_url, links, rule_set(RULES))
    for instance in ("a", "b", "a", "c"):
        stage.post(alert(instance=instance))
        stage.decide()
    (one,) = would_be(links)
    assert (one.rule, one.severity, one.identity) == ("watched", "SEV1", {"service": "db"})
    assert (one.alerts, one.firing, one.first_at) == (3, 3, stage.now)
    for instance in ("a", "b", "c"):
        stage.post(alert(instance=instance, status="resolved", ends_at=stage.now))
    stage.decide()
    stage.now += timedelta(minutes=5)
    stage.post(alert(instance="a", starts_at=stage.now))
    stage.decide()
    (one,) = would_be(links)
    assert (one.alerts, one.firing) == (4, 1)
    stage.post(alert(instance="a", starts_at=stage.now, status="resolved", ends_at=stage.now))
    stage.decide()
    stage.now += timedelta(minutes=31)
    stage.post(alert(instance="a", starts_at=stage.now))
    stage.decide()
    assert [each.alerts for each in would_be(links)] == [1, 4]
    assert [each.alerts for each in would_be(links, since=stage.now)] == [1]
    assert stage.incidents() == []
    assert stage.counter("shadow_incidents_total|watched|SEV3") == 2


COUNTED = """
rules:
- {id: many, match: 'severity="critical"', mode: shadow, when: {count: {gte: 3, within: 10m}}, declare: SEV2}
- {id: long, match: 'severity="critical"', mode: shadow, when: {firing_for: 5m}, declare: SEV3}
"""


def test_shadow_counts_the_alerts_that_an_incident_would_hold(store_url: str, links: Links):
    """Those that were counted belong to what their number began, and those that wait for themselves to what goes on."""
    stage = Stage(store_url, links, rule_set(COUNTED))
    for instance in ("a", "b", "c"):
        stage.post(alert(instance=instance, starts_at=stage.now))
        stage.decide()
    (many,) = would_be(links)
    assert (many.rule, many.alerts, many.firing) == ("many", 3, 3)
    stage.now += timedelta(minutes=6)
    stage.decide()
    stage.post(alert(instance="d", starts_at=stage.now))
    stage.post(alert(instance="a", status="resolved", ends_at=stage.now))
    stage.decide()
    assert {each.rule: (each.alerts, each.firing) for each in would_be(links)} == {"many": (4, 3), "long": (4, 3)}
