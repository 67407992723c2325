"""The simulator: a virtual clock over the production deciding, paging included."""

from datetime import timedelta

import pytest
from builders import NOW, ONCALL, rule_set

from incidents import events
from incidents.errors import TransitionNotAllowed
from incidents.incoming import Action, Touch, TouchKind
from incidents.values import AlertStatus, Severity
from rules.simulation.events import Beat, Silent, Told, Unreachable, action, arrival, touch
from rules.simulation.simulation import Simulation, UnknownName

MINUTE = timedelta(minutes=1)
WAITS = "rules: [{id: critical, match: 'severity=\"critical\"', when: {firing_for: 5m}, declare: SEV2}]"
BLIND = """
heartbeats: [{id: eu, match: ['alertname="Watchdog"', 'cluster="eu"'], expect_every: 1m}]
rules: [{id: blind, on: heartbeat, identity: [heartbeat], when: {absent_for: 5m}, declare: SEV2}]
"""
DISK = {"alertname": "DiskFull", "severity": "critical", "service": "db"}
NAME = "INC-2026-0001"


def simulation(rules: str = WAITS, **options) -> Simulation:
    return Simulation(rule_set(rules, ONCALL), NOW, **options)


def declared(**options) -> Simulation:
    made = simulation(**options)
    made.feed(arrival(DISK, NOW))
    made.advance_to(NOW + 5 * MINUTE)
    return made


def kinds(made: Simulation, name: str = NAME) -> list[str]:
    return [entry.kind.value for entry in made.store.timelines[name]]


def paged(made: Simulation) -> list[tuple]:
    return [((each.at - NOW) / MINUTE, each.page.person, each.page.reason.value, each.outcome) for each in made.sent]


def test_simulation_runs_timers_at_their_own_instant():
    """A leap of an hour declares at the fifth minute and pages every five minutes from there."""
    made = simulation()
    made.feed(arrival(DISK, NOW))
    made.advance_to(NOW + timedelta(hours=1))
    assert made.store.incidents[NAME].declared_at == NOW + 5 * MINUTE
    assert [minute for minute, *_ in paged(made)] == [5, 10, 15, 20, 25, 30]
    assert kinds(made)[-1] == "page_exhausted"
    assert made.now == NOW + timedelta(hours=1)


def test_simulation_stops_paging_when_somebody_acknowledges():
    """What a person does goes through the same transitions as through the API."""
    made = declared()
    made.advance_to(NOW + 7 * MINUTE)
    made.feed(Told(NAME, events.Acknowledge(actor="bo")))
    made.advance_to(NOW + timedelta(hours=1))
    assert paged(made) == [(5, "amira", "declared", "delivered")]
    with pytest.raises(TransitionNotAllowed):
        made.feed(Told(NAME, events.Reopen(actor="bo")))


def test_simulation_resolves_what_stays_clear_and_tells_who_was_paged():
    """Fifteen minutes after the last alert it is over, and a page says so."""
    made = declared()
    made.feed(Told(NAME, events.Acknowledge(actor="bo")))
    made.feed(arrival(DISK, NOW + 6 * MINUTE, status=AlertStatus.RESOLVED))
    made.advance_to(NOW + 21 * MINUTE)
    assert made.store.incidents[NAME].resolved_at == NOW + 21 * MINUTE
    assert made.sent[-1].page.over


def test_simulation_of_somebody_out_of_reach_hurries_to_the_next():
    """A page that is refused for good brings the next step forward."""
    made = simulation()
    made.feed(Unreachable("amira"))
    made.feed(arrival(DISK, NOW))
    made.advance_to(NOW + 5 * MINUTE)
    assert paged(made) == [(5, "amira", "declared", "failed"), (5, "bo", "unacknowledged", "delivered")]
    made.feed(Unreachable("amira", again=True))
    made.advance_to(NOW + 10 * MINUTE)
    assert paged(made)[-1] == (10, "amira", "unacknowledged", "delivered")


def test_simulation_declares_by_hand():
    """A person declares, and the commander is paged."""
    made = simulation()
    event = events.DeclaredByHand(
        actor="bo", title="Odd", severity=Severity.SEV3, identity={"service": "web"}, identity_key="k"
    )
    made.feed(Told("", event))
    assert made.store.incidents[NAME].title == "Odd"
    assert len(made.sent) == 1


def test_simulation_keeps_heartbeats_coming_until_they_are_silent():
    """With `beats_go_on`, nothing is missed until an event says so; a beat brings it back."""
    made = simulation(BLIND, beats_go_on=True)
    made.advance_to(NOW + timedelta(days=2))
    assert made.store.incidents == {}
    made.feed(Silent("eu"))
    made.advance_to(NOW + timedelta(days=2) + 5 * MINUTE)
    assert made.store.incidents[NAME].status == "declared"
    made.feed(Beat("eu"))
    made.advance_to(NOW + timedelta(days=3))
    assert made.store.incidents[NAME].status == "resolved"
    with pytest.raises(UnknownName, match="there is eu"):
        made.feed(Silent("us"))


def test_simulation_of_the_past_misses_heartbeats_that_do_not_come():
    """Without `beats_go_on` a listed heartbeat is missed even if it never came."""
    made = simulation(BLIND)
    made.advance_to(NOW + 5 * MINUTE)
    assert list(made.store.incidents) == [NAME]


def test_simulation_looks_without_touching_anything():
    """`look` says what rules say now, by how much they miss, and changes nothing."""
    made = simulation()
    made.feed(arrival(DISK, NOW))
    made.advance_to(NOW + 3 * MINUTE)
    key = next(iter(made.store.alerts))
    before = dict(made.store.counters)
    (looked,) = made.look(key)
    assert looked.verdict.due == NOW + 5 * MINUTE
    assert "firing_for 3m, wanted 5m" in looked.verdict.reason
    assert (dict(made.store.counters), made.store.incidents) == (before, {})


def test_simulation_tells_whoever_watches_each_verdict_once():
    """Deciding that has to ask for more begins anew; the verdicts before are not told."""
    heard = []
    rules = "rules: [{id: many, match: 'severity=\"critical\"', when: {count: {gte: 1, within: 5m}}, declare: SEV2}]"
    made = simulation(rules, watch=lambda hit, verdict, now: heard.append((hit.rule.id, verdict.outcome.value, now)))
    made.feed(arrival(DISK, NOW))
    assert heard == [("many", "holds", NOW)]


def test_simulation_takes_actions_and_touches():
    """A rollback is held against rules on actions, a touch is written on the timeline."""
    made = simulation(WAITS + "\n" + "defaults: {identity: [service]}")
    made.feed(arrival(DISK, NOW))
    made.advance_to(NOW + 5 * MINUTE)
    made.feed(action(Action(kind="rollback", service="db", actor="bo"), made.now))
    fingerprint = next(iter(made.store.alerts)).split("/")[1]
    made.feed(touch(Touch(fingerprint=fingerprint, kind=TouchKind.NOTE, actor="bo", text="looking"), made.now))
    assert kinds(made)[-2:] == ["corrective_action", "note"]


def test_simulation_ends_what_lacks_less_than_a_millisecond():
    """Timers have whole milliseconds; an alert that began between two of them fires for five minutes all the same."""
    made = simulation()
    started = NOW + timedelta(microseconds=777)
    made.feed(arrival(DISK, NOW + timedelta(milliseconds=1), starts_at=started))
    made.advance_to(NOW + timedelta(hours=1))
    late = made.store.incidents[NAME].declared_at - (started + 5 * MINUTE)
    assert timedelta() <= late <= timedelta(milliseconds=1)
