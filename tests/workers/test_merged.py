"""Merged incidents and the decider, over a real Valkey: alerts of either identity belong to the one that goes on."""

from datetime import timedelta

import pytest
from builders import ONCALL, alert, rule_set
from stage import Stage

from incidents import events
from incidents.incoming import Action, Incoming
from incidents.post_incident_actions import Overdue
from incidents.store.connection import Links
from incidents.store.incidents import Incidents

RULES = """
rules:
- id: critical
  match: 'severity="critical"'
  declare: SEV2
- id: graver
  match: 'severity="page"'
  declare: SEV1
- id: data
  criterion: data_issue
  match: 'severity="data"'
  declare: SEV1
"""
ONE, INTO = "INC-2026-0001", "INC-2026-0002"


@pytest.fixture
def stage(store_url: str, links: Links) -> Stage:
    return Stage(store_url, links, rule_set(RULES, ONCALL))


@pytest.fixture
def people(stage: Stage) -> Incidents:
    return Incidents(stage.links, lambda _: stage.rules.oncall)


@pytest.fixture
def merged(stage: Stage, people: Incidents) -> Stage:
    """An incident of db that was merged into one of web, each with an alert that fires."""
    for service in ("db", "web"):
        stage.post(alert(service=service))
        stage.decide()
    people.merge(ONE, INTO, actor="amira", now=stage.now)
    return stage


def tally(people: Incidents, name: str = INTO) -> tuple[int, int]:
    alerts = people.get(name)[1]
    return alerts.firing, alerts.resolved


def test_merged_findings_of_either_identity_join_the_one(merged: Stage, people: Incidents):
    """Another rule that holds for the identity of the merged one raises the severity of the one that goes on."""
    merged.post(alert("Down", service="db", severity="page"))
    merged.decide()
    assert [incident.id for incident in merged.incidents()] == [ONE, INTO]
    into = people.get(INTO)[0]
    assert (into.severity, {finding.rule for finding in into.findings}) == ("SEV1", {"critical", "graver"})
    assert tally(people) == (3, 0)


def test_merged_alerts_end_and_resolve_the_one(merged: Stage, people: Incidents):
    """It resolves once the alerts of both are clear; what fires again reopens it, by the other identity too."""
    before = tally(people)
    merged.now += timedelta(minutes=1)
    merged.post(*(alert(service=service, status="resolved", ends_at=merged.now) for service in ("db", "web")))
    merged.decide()
    assert (before, tally(people)) == ((2, 0), (0, 2))
    merged.now += timedelta(minutes=16)
    merged.decide()
    assert people.get(INTO)[0].status == "resolved"
    merged.now += timedelta(minutes=1)
    merged.post(alert(service="db", starts_at=merged.now))
    merged.decide()
    assert people.get(INTO)[0].status == "declared"
    assert (len(merged.incidents()), tally(people)) == (2, (1, 1))
    assert merged.balance()[0] == merged.balance()[1]


def test_merged_alerts_that_repeat_are_counted_once(merged: Stage, people: Incidents):
    """A repeat that new rules judge anew finds its incident under the id of the one that goes on."""
    merged.rules = rule_set(RULES.replace("SEV2", "SEV3"), ONCALL)
    merged.link.one("SET", "tocsin:rules:current", merged.rules.hash)
    merged.post(alert(service="db"))
    merged.decide()
    assert tally(people) == (2, 0)


def test_merged_services_get_the_actions_of_both(merged: Stage):
    """A corrective action of the merged one's service stands on the timeline of the one that goes on."""
    merged.take(Incoming(ids=("1",), action=Action(kind="rollback", service="db", actor="bo", at=merged.now)))
    merged.decide()
    assert merged.kinds(INTO)[-1] == "corrective_action"


def test_merged_pages_are_told_on_the_one(merged: Stage, people: Incidents):
    """What became of a page of the merged one is no secret of its own."""
    event = events.PageSuppressed(page_id=f"{ONE}.1.1.1.amira", person="amira", why="it is over")
    people.apply(ONE, event, now=merged.now)
    assert merged.kinds(INTO)[-1] == "page_suppressed"


def test_overdue_actions_are_told_on_the_next_incident_of_the_rule(stage: Stage, people: Incidents):
    """The next incident of the rule names them, on its timeline and in itself; that of another rule does not."""
    stage.post(alert(service="db"))
    stage.decide()
    due = stage.now.date()
    people.apply(ONE, events.PostIncidentActionWritten(actor="bo", text="Alert on it", due=due), now=stage.now)
    stage.now += timedelta(days=1)
    stage.post(alert(service="web"), alert("Down", service="cache", severity="page"))
    stage.decide()
    _, web, cache = stage.incidents()
    assert (web.overdue_actions, cache.overdue_actions) == ((Overdue(incident=ONE, count=1),), ())
    notes = [entry.text for entry in stage.timeline(web.id) if entry.kind == "note"]
    assert notes == ["1 post-incident action is overdue, of an earlier incident of the same rule"]


def test_data_issue_waits_for_the_data_to_be_verified(stage: Stage, people: Incidents):
    """The objective comes by itself; checking it resolves nothing, and lets a person resolve without a reason."""
    stage.post(alert(severity="data"))
    stage.decide()
    assert [each.id for each in people.get(ONE)[0].objectives] == ["alerts-clear", "data-verified"]
    stage.now += timedelta(minutes=1)
    stage.post(alert(severity="data", status="resolved", ends_at=stage.now))
    stage.decide()
    stage.now += timedelta(minutes=20)
    stage.decide()
    done = people.apply(ONE, events.ObjectiveChecked(actor="bo", id="data-verified", met=True), now=stage.now)
    assert (done.incident.status, done.reason) == ("declared", "objective met; all are met, and a person resolves it")
    assert people.apply(ONE, events.Resolve(actor="bo"), now=stage.now).incident.status == "resolved"


def test_change_of_a_person_and_of_an_alert_at_the_same_moment_both_count(stage: Stage, people: Incidents):
    """What a person does between the decider's look and its commit is not overwritten, and neither is the finding."""
    stage.post(alert(service="db"))
    stage.decide()
    decider = stage.decider()
    looked = decider._loaded

    def interrupted(*asked):
        snapshot = looked(*asked)
        if people.get(ONE)[0].acknowledged_at is None:
            people.apply(ONE, events.Acknowledge(actor="bo"), now=stage.now)
        return snapshot

    decider._loaded = interrupted
    stage.post(alert("Down", service="db", severity="page"))
    stage.decide(decider)
    incident = people.get(ONE)[0]
    assert (incident.acknowledged_by, incident.severity) == ("bo", "SEV1")
    assert {"acknowledged", "finding_added", "severity_changed"} <= {*stage.kinds(ONE)}
    assert stage.balance()[0] == stage.balance()[1]


def test_merging_in_the_midst_of_a_batch_counts_every_alert_once(stage: Stage, people: Incidents):
    """A person merges between the decider's look and its commit: it looks again, and finds the one that goes on."""
    for service in ("db", "web"):
        stage.post(alert(service=service))
        stage.decide()
    decider = stage.decider()
    looked = decider._loaded

    def interrupted(*asked):
        snapshot = looked(*asked)
        if not people.get(ONE)[0].merged_into:
            people.merge(ONE, INTO, actor="bo", now=stage.now)
        return snapshot

    decider._loaded = interrupted
    stage.post(alert("Other", service="db"), alert(service="db", status="resolved", ends_at=stage.now))
    stage.decide(decider)
    assert (tally(people), [each.status.value for each in stage.incidents()]) == ((2, 1), ["resolved", "declared"])
    assert stage.kinds(INTO)[-2:] == ["alert_fired", "alert_resolved"]
    assert stage.balance()[0] == stage.balance()[1]
