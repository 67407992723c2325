"""Events that are more than alerts, over a real Valkey: deliveries, touches, our own pages, actions, expiry."""

from datetime import timedelta

import pytest
from builders import ONCALL, alert, rule_set
from msgspec.structs import replace
from stage import Stage

from incidents import keys
from incidents.incoming import Action, Incoming, Touch, TouchKind
from incidents.store.codec import decode_state
from incidents.store.connection import Links

RULES = """
rules:
- id: critical
  match: 'severity="critical"'
  declare: SEV2
- id: rollbacks
  on: action
  criterion: corrective_action
  match: 'kind="rollback"'
  when: {count: {gte: 2, within: 1h}}
  declare: SEV3
- id: failover
  on: action
  criterion: corrective_action
  match: 'kind="failover"'
  declare: SEV2
"""


@pytest.fixture
def stage(store_url: str, links: Links) -> Stage:
    return Stage(store_url, links, rule_set(RULES, ONCALL))


def touch(kind: TouchKind, actor: str = "Bo", text: str = "Bo did something") -> Touch:
    """Something that was done to the alert of these tests."""
    return Touch(fingerprint=alert().fingerprint, kind=kind, actor=actor, text=text)


def test_delivery_takes_effect_once(stage: Stage):
    """A delivery that comes again, in the same batch or days later, is a duplicate."""
    once = Incoming(ids=("w1", "e1"), alert=alert())
    stage.take(once, once)
    stage.decide()
    stage.now += timedelta(hours=48)
    stage.take(replace(once, ids=("w2", "e1")))
    stage.decide()
    assert len(stage.incidents()) == 1
    assert stage.counter("events_total|duplicate") == 2
    assert stage.balance()[0] == stage.balance()[1]


def test_touch_reaches_the_timeline_and_starts_the_clock(stage: Stage):
    """An acknowledgement elsewhere is written on the incident that holds the alert, and somebody is on it from then."""
    stage.take(Incoming(ids=("1",), alert=alert()))
    stage.decide()
    stage.now += timedelta(minutes=2)
    stage.take(Incoming(ids=("2",), touch=touch(TouchKind.ACKNOWLEDGED, text="Bo acknowledged it in PagerDuty")))
    stage.take(Incoming(ids=("3",), touch=touch(TouchKind.REASSIGNED, text="Reassigned to Amira")))
    stage.decide()
    (incident,) = stage.incidents()
    said = [(entry.actor, entry.text) for entry in stage.timeline(incident.id) if entry.kind.value == "note"]
    assert said == [("Bo", "Bo acknowledged it in PagerDuty"), ("Bo", "Reassigned to Amira")]
    (state,) = stage.link.one("HVALS", keys.alerts())
    assert (decode_state(state).touched_at, decode_state(state).touched_by) == (stage.now, "Bo")


def test_our_own_page_is_known_by_what_its_provider_calls_it(stage: Stage):
    """Notes and responders name no dedup key: the provider's own id, heard once with our key, leads to the incident."""
    stage.post(alert())
    stage.decide()
    (incident,) = stage.incidents()
    back = alert("Page", service="pagerduty")
    touched = Touch(fingerprint=back.fingerprint, kind=TouchKind.NOTE, actor="Bo", text="Note in PagerDuty: on it")
    stage.take(Incoming(ids=("1",), incident_key=incident.dedup_key, alert=back), Incoming(ids=("2",), touch=touched))
    stage.decide()
    stage.take(Incoming(ids=("3",), touch=replace(touched, kind=TouchKind.RESPONDER, text="Responder: Amira")))
    stage.take(Incoming(ids=("4",), touch=touched), source="another")
    stage.decide()
    said = [(entry.actor, entry.text) for entry in stage.timeline(incident.id) if entry.kind.value == "note"]
    assert said == [("Bo", "Note in PagerDuty: on it"), ("Bo", "Responder: Amira")]
    assert len(stage.incidents()) == 1
    assert stage.balance()[0] == stage.balance()[1]


def test_our_own_test_page_that_comes_back_is_no_alert(stage: Stage):
    """A provider that tells of a test page declares nothing."""
    back = alert("SEV4 a test", severity="critical")
    stage.take(Incoming(ids=("1",), incident_key="TEST-0123456789abcdef-19a4c3b2f00", alert=back))
    stage.decide()
    assert stage.incidents() == []
    assert stage.balance()[0] == stage.balance()[1]


def test_our_own_page_acknowledges_and_opens_nothing(stage: Stage):
    """What comes back under the dedup key of an incident of ours acknowledges it, and is no new alert."""
    stage.post(alert())
    stage.decide()
    (incident,) = stage.incidents()
    back = alert("Page", service="pagerduty")
    stage.take(Incoming(ids=("1",), incident_key=incident.dedup_key, alert=back))
    stage.decide()
    assert stage.incidents()[0].status == "declared"
    stage.take(Incoming(ids=("2",), incident_key=incident.dedup_key, touch=touch(TouchKind.ACKNOWLEDGED)))
    stage.decide()
    (incident,) = stage.incidents()
    assert (incident.status, incident.acknowledged_by) == ("acknowledged", "Bo")
    assert stage.link.one("HLEN", keys.alerts()) == 1
    assert stage.link.one("ZCARD", keys.escalations()) == 0


def test_forged_dedup_key_is_an_alert_like_any_other(stage: Stage):
    """A key that only looks like ours acknowledges nothing."""
    stage.post(alert())
    stage.decide()
    stage.take(Incoming(ids=("1",), incident_key="INC-2026-0001-deadbeef", touch=touch(TouchKind.ACKNOWLEDGED)))
    stage.decide()
    assert stage.incidents()[0].status == "declared"


def test_action_declares_and_reaches_the_incidents_of_its_service(stage: Stage):
    """An action is held against its rules, and written on every open incident of its service and on no other."""
    stage.post(alert(service="db"), alert(service="web"))
    stage.decide()
    stage.take(Incoming(action=Action(kind="failover", service="db", text="to b", actor="bo")), source="api")
    stage.decide()
    by_service = {incident.identity["service"]: incident for incident in stage.incidents()}
    assert [finding.rule for finding in by_service["db"].findings] == ["critical", "failover"]
    assert "corrective_action" in stage.kinds(by_service["db"].id)
    assert "corrective_action" not in stage.kinds(by_service["web"].id)


def test_actions_are_counted_within_the_window(stage: Stage):
    """Two rollbacks within the hour declare; one does not, nor two that are further apart."""
    for minutes in (0, 61, 30):
        stage.now += timedelta(minutes=minutes)
        assert stage.incidents() == []
        stage.take(Incoming(action=Action(kind="rollback", service="db", actor="bo")), source="api")
        stage.decide()
    (incident,) = stage.incidents()
    assert (incident.rule, incident.criterion) == ("rollbacks", "corrective_action")
    assert stage.timeline(incident.id)[0].actor == "bo"
    assert stage.kinds(incident.id)[-1] == "corrective_action"


def test_alert_that_nobody_speaks_of_any_more_is_resolved(stage: Stage):
    """A sender that gives an end in the future has to say it again: when that passes, the alert is resolved."""
    stage.post(replace(alert(), expires_at=stage.now + timedelta(minutes=4)))
    stage.decide()
    stage.now += timedelta(minutes=3)
    stage.post(replace(alert(), expires_at=stage.now + timedelta(minutes=4)))
    stage.decide()
    stage.now += timedelta(minutes=3)
    stage.decide()
    (incident,) = stage.incidents()
    assert stage.link.one("HGET", keys.tally(incident.id), "firing") == b"1"
    stage.now += timedelta(minutes=1, seconds=1)
    stage.decide()
    assert stage.link.one("HMGET", keys.tally(incident.id), "firing", "resolved") == [b"0", b"1"]
    assert stage.balance()[0] == stage.balance()[1]


def test_resolve_without_labels_ends_what_is_known(stage: Stage):
    """A sender that resolves by key alone ends the alert with the labels that it fired with."""
    stage.take(Incoming(ids=("1",), alert=alert()))
    stage.decide()
    stage.take(Incoming(ids=("2",), alert=replace(alert(), status="resolved", labels={})))
    stage.decide()
    (incident,) = stage.incidents()
    assert "alert_resolved" in stage.kinds(incident.id)
    (state,) = stage.link.one("HVALS", keys.alerts())
    assert decode_state(state).labels["service"] == "db"


def test_alert_that_went_silent_is_shown_as_stale_once(stage: Stage):
    """An alert whose end never came is told of after a day, once for each time it goes silent, and stays firing."""
    decider = stage.decider()
    stage.post(alert())
    stage.decide(decider)
    for hours in (23, 2, 2):
        stage.now += timedelta(hours=hours)
        stage.decide()
    (incident,) = stage.incidents()
    assert stage.kinds(incident.id).count("alert_stale") == 1
    assert stage.link.one("HGET", keys.tally(incident.id), "firing") == b"1"
    stage.post(alert())
    stage.decide()
    stage.now += timedelta(hours=25)
    stage.decide()
    assert stage.kinds(incident.id).count("alert_stale") == 2
    assert stage.balance()[0] == stage.balance()[1]
