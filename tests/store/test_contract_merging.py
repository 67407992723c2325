"""What a store promises of merged incidents and of post-incident actions, real and in memory."""

import time
from datetime import timedelta

import pytest
from builders import NOW
from commits import commit_with, declared, plan_with, state
from msgspec.structs import replace

from incidents import events
from incidents.clock import to_ms
from incidents.post_incident_actions import ActionState, OpenAction
from incidents.timeline import Entry, EntryKind
from incidents.values import AlertStatus

MINUTE = timedelta(minutes=1)


def merged_pair(store) -> tuple[str, str]:
    """Two open incidents that share the alert `both`; `one` fires in the first, `two` was resolved in the second."""
    first, second = declared(1, "db"), declared(2, "web", now=NOW + MINUTE)
    store.apply(commit_with(first))
    time.sleep(0.002)  # what is written in the same millisecond has no order between two timelines
    store.apply(commit_with(second, now=NOW + MINUTE))
    time.sleep(0.002)
    firing = state(alertname="X")
    states = {"prom/both": firing, "prom/one": firing, "prom/two": replace(firing, status=AlertStatus.RESOLVED)}
    said = Entry(at=NOW + 2 * MINUTE, kind=EntryKind.ALERT_FIRED, text="X fired", fold="f@1")
    store.apply(
        commit_with(
            now=NOW + 2 * MINUTE,
            states=states,
            attached={first[0]: {"prom/both", "prom/one"}, second[0]: {"prom/both", "prom/two"}},
            counts={first[0]: {"firing": 2, "fold:f@1": 3}, second[0]: {"firing": 1, "resolved": 1, "fold:f@1": 1}},
            entries=[(first[0], said), (second[0], said)],
        )
    )
    return first[0], second[0]


def test_contract_merging_joins_timelines_counts_and_alerts(store):
    """The one that stays has the entries of both in order, what both have once, and each alert counted once."""
    first, second = merged_pair(store)
    before = {name: store.timeline(name) for name in (first, second)}
    store.merge(first, second, now=NOW + 3 * MINUTE)
    timeline = store.timeline(second)
    assert [entry.at for entry in timeline] == sorted(entry.at for entry in timeline)
    assert [entry.text for entry in timeline].count("X fired") == 1
    assert all(entry in timeline for entry in (*before[first], *before[second]))
    assert store.timeline(first) == before[first]
    tally = store.tally(second)
    assert (tally["firing"], tally["resolved"], tally["fold:f@1"]) == (2, 1, 3)
    assert store.attached(second) == {"prom/both", "prom/one", "prom/two"}
    assert store.timers()["clear|" + second] == to_ms(NOW + 3 * MINUTE)


def test_contract_merged_identity_leads_to_the_one_that_stays(store):
    """Both identities load the incident that goes on, also once it is closed; then both are free together."""
    first, second = merged_pair(store)
    commit = commit_with()
    assert commit.merged == {}
    store.merge(first, second, now=NOW)
    plan = plan_with(identities={"key-of-db": {}, "key-of-web": {}}, services={"db": None}, ids={first: {}})
    found = store.load(plan, NOW)
    assert {known.incident.id for known in found.identities.values()} == {second}
    assert (found.services["db"], found.ids[first].incident.merged_into) == ((second,), second)
    store.happen(second, events.Resolve(actor="bo", override="x"), now=NOW)
    assert store.lasts("identity", "key-of-db", NOW) == pytest.approx(30 * 60_000, abs=5_000)
    store.happen(second, events.Reopen(actor="bo"), now=NOW)
    assert store.lasts("identity", "key-of-db", NOW) is None
    store.happen(second, events.Dismiss(actor="bo", reason="x"), now=NOW)
    assert store.lasts("identity", "key-of-db", NOW) == store.lasts("identity", "key-of-web", NOW) == -2


def test_contract_merged_identity_that_a_later_incident_took_stays_with_it(store):
    """Whoever reopens the one that went on takes nothing from the incident that was declared since."""
    first, second = merged_pair(store)
    store.merge(first, second, now=NOW)
    store.happen(second, events.Dismiss(actor="bo", reason="x"), now=NOW)
    later = declared(3, "db")
    store.apply(commit_with(later))
    store.happen(second, events.Reopen(actor="bo"), now=NOW)
    store.happen(second, events.Resolve(actor="bo", override="x"), now=NOW)
    found = store.load(plan_with(identities={"key-of-db": {}, "key-of-web": {}}), NOW).identities
    assert [known.incident.id for known in found.values()] == [later[0], second]


def test_contract_open_actions_are_indexed(store):
    """The decider sees which post-incident actions are open, once it asks; done ones and those of merged are gone."""
    first, second = merged_pair(store)
    assert not store.load(plan_with(), NOW).has_actions
    wanted = events.PostIncidentActionWritten(actor="bo", text="alert on it", due=NOW.date())
    store.happen(first, wanted, now=NOW)
    found = store.load(plan_with(actions=True), NOW)
    assert found.has_actions
    assert found.actions == (OpenAction(incident=first, due=NOW.date()),)
    store.merge(first, second, now=NOW)
    assert [action.incident for action in store.load(plan_with(actions=True), NOW).actions] == [second]
    done = events.PostIncidentActionWritten(actor="bo", id="1", state=ActionState.DONE)
    store.happen(second, done, now=NOW)
    assert store.load(plan_with(actions=True), NOW).actions == ()
