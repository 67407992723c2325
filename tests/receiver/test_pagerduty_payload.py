"""What each type of PagerDuty's events means."""

import json

import pytest

from incidents.incoming import TouchKind
from incidents.values import AlertStatus
from receiver.payloads.pagerduty import fingerprint_of, parse

PERSON = {"id": "PUSER", "type": "user_reference", "summary": "Maeve Okafor"}
REFERENCE = {"id": "PINC1", "type": "incident_reference", "summary": "Disk full"}
INCIDENT = {
    "id": "PINC1",
    "type": "incident",
    "html_url": "https://acme.example/incidents/PINC1",
    "number": 12,
    "status": "triggered",
    "incident_key": "tocsin-page-7",
    "created_at": "2026-11-02T02:50:00Z",
    "title": "Disk full\non db-1",
    "service": {"id": "PSVC", "summary": "db"},
    "assignees": [{"summary": "Bo Li"}, {"summary": "Maeve Okafor"}],
    "escalation_policy": {"summary": "Storage"},
    "teams": [{"summary": "Storage team"}],
    "priority": {"summary": "P1"},
    "urgency": "high",
    "conference_bridge": None,
    "resolve_reason": None,
}


def event(kind, data=None, agent=PERSON, **fields):
    made = {
        "id": "01EVENT",
        "event_type": f"incident.{kind}",
        "occurred_at": "2026-11-02T03:00:01.250Z",
        "agent": agent,
        "client": None,
        "data": INCIDENT if data is None else data,
    }
    return parse(json.dumps({"event": made | fields}).encode(), "hook-1")


def about(kind, **fields):
    """The data of an event that only refers to its incident."""
    return {"type": kind, "id": "PTHING", "incident": REFERENCE, **fields}


def test_pagerduty_incident_is_an_alert():
    """Labels for rules, annotations for people, and its incident key beside it."""
    found = event("triggered", agent=None)
    assert (found.ids, found.incident_key, found.touch) == (("hook-1", "01EVENT"), "tocsin-page-7", None)
    alert = found.alert
    assert (alert.status, alert.fingerprint) == (AlertStatus.FIRING, fingerprint_of("PINC1"))
    assert alert.labels == {
        "alertname": "Disk full on db-1",
        "service": "db",
        "urgency": "high",
        "priority": "P1",
        "team": "Storage team",
        "pagerduty_incident": "PINC1",
    }
    assert alert.annotations["summary"] == "Disk full on db-1"
    assert alert.annotations["url"] == alert.generator_url == INCIDENT["html_url"]
    assert alert.annotations["assignees"] == "Bo Li, Maeve Okafor"
    assert alert.starts_at.isoformat() == "2026-11-02T02:50:00+00:00"


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("triggered", "triggered", AlertStatus.FIRING),
        ("acknowledged", "acknowledged", AlertStatus.FIRING),
        ("unacknowledged", "triggered", AlertStatus.FIRING),
        ("escalated", "triggered", AlertStatus.FIRING),
        ("reopened", "triggered", AlertStatus.FIRING),
        ("resolved", "resolved", AlertStatus.RESOLVED),
        ("priority_updated", "resolved", AlertStatus.RESOLVED),
        ("reassigned", "somehow", None),
    ],
)
def test_pagerduty_status_of_the_alert(kind, status, expected):
    """A change to an incident that is over never fires it again."""
    alert = event(kind, INCIDENT | {"status": status}).alert
    assert (alert.status if alert else None) == expected


def test_pagerduty_times_of_resolved_and_reopened():
    """A reopened incident began when it was reopened, else it would look like a late delivery."""
    over = event("resolved", INCIDENT | {"status": "resolved"}).alert
    assert over.ends_at.isoformat() == "2026-11-02T03:00:01.250000+00:00"
    assert event("reopened").alert.starts_at == over.ends_at
    again = event("acknowledged", INCIDENT | {"reopened_at": "2026-11-02T02:55:00Z"}).alert
    assert again.starts_at.minute == 55


TOUCHES = [
    ("acknowledged", INCIDENT, TouchKind.ACKNOWLEDGED, "Acknowledged in PagerDuty"),
    ("unacknowledged", INCIDENT, TouchKind.UNACKNOWLEDGED, "The acknowledgement in PagerDuty has ended"),
    ("escalated", INCIDENT, TouchKind.ESCALATED, "Escalated in PagerDuty to Bo Li, Maeve Okafor"),
    ("reassigned", INCIDENT, TouchKind.REASSIGNED, "Reassigned in PagerDuty to Bo Li, Maeve Okafor"),
    ("delegated", INCIDENT, TouchKind.DELEGATED, "Delegated in PagerDuty to Storage"),
    ("priority_updated", INCIDENT, TouchKind.PRIORITY, "Priority in PagerDuty is now P1"),
    ("priority_updated", INCIDENT | {"priority": None}, TouchKind.PRIORITY, "Priority in PagerDuty was removed"),
    ("annotated", about("incident_note", content="It is\n the log\x1b[31m", trimmed=True), TouchKind.NOTE,
     "Note in PagerDuty: It is the log [31m (cut)"),
    ("status_update_published", about("incident_status_update", message="A fix is coming"), TouchKind.STATUS_UPDATE,
     "Status update in PagerDuty: A fix is coming"),
    ("responder.added", about("incident_responder", user={"summary": "Bo"}, state="pending", message="Help"),
     TouchKind.RESPONDER, "Responder in PagerDuty: Bo (pending): Help"),
    ("responder.replied", about("incident_responder", user={"summary": "Bo"}, state="accepted"),
     TouchKind.RESPONDER, "Responder in PagerDuty: Bo (accepted)"),
    ("reopened", INCIDENT, TouchKind.OTHER, "Reopened in PagerDuty"),
    ("resolved", INCIDENT, TouchKind.OTHER, "Resolved in PagerDuty"),
    ("resolved", INCIDENT | {"resolve_reason": {"type": "merge_resolve_reason", "incident": {"summary": "Outage"}}},
     TouchKind.OTHER, "Resolved in PagerDuty: merged into Outage"),
    ("service_updated", INCIDENT, TouchKind.OTHER, "Service in PagerDuty is now db"),
    ("incident_type.changed", INCIDENT | {"incident_type": {"name": "major"}}, TouchKind.OTHER,
     "Incident type in PagerDuty is now major"),
    ("conference_bridge.updated", about("incident_conference_bridge", conference_url="https://meet.example/1"),
     TouchKind.OTHER, "Conference bridge in PagerDuty: https://meet.example/1"),
    ("custom_field_values.updated",
     about("incident_field_values", custom_fields=[{"name": "region", "value": "eu"}, {"name": "tier", "value": "1"}],
           changed_custom_fields=[{"name": "region", "value": "us"}]),
     TouchKind.OTHER, "Fields in PagerDuty: region = eu"),
    ("role.assigned",
     {"type": "incident_role_assignment", "incident_role_assignments": [
         {"incident": REFERENCE, "role": {"summary": "Scribe"}, "assignee": {"summary": "Bo"}}]},
     TouchKind.OTHER, "Roles in PagerDuty: Scribe: Bo"),
    ("task.created", about("incident_task", name="Call them", status="todo"), TouchKind.OTHER,
     "Task in PagerDuty: Call them (todo)"),
    ("task.completed", about("incident_task", name="Call them", status="done"), TouchKind.OTHER,
     "Task in PagerDuty: Call them (done)"),
    ("workflow.started", about("incident_workflow_instance", incident_workflow={"summary": "Major"}), TouchKind.OTHER,
     "Workflow in PagerDuty: Major"),
    ("action_invocation.created", about("incident_action_invocation", action={"summary": "Restart"}, state="created"),
     TouchKind.OTHER, "Automation in PagerDuty: Restart (created)"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "data", "expected", "text"), TOUCHES)
def test_pagerduty_touches_name_what_was_done_and_by_whom(kind, data, expected, text):
    """Each type of event becomes one line of the timeline, on the alert of the same incident."""
    touch = event(kind, data).touch
    assert (touch.kind, touch.text, touch.actor) == (expected, text, "Maeve Okafor")
    assert touch.fingerprint == fingerprint_of("PINC1")
    assert touch.at.isoformat() == "2026-11-02T03:00:01.250000+00:00"


def test_pagerduty_note_brings_no_alert():
    """It does not say whether the incident is over, so it must not fire it again."""
    assert event("annotated", about("incident_note", content="x")).alert is None


@pytest.mark.parametrize("agent", [None, {"type": "inbound_integration_reference", "summary": "Events API"}])
def test_pagerduty_automation_is_nobody(agent):
    """Only people start the clock of time spent."""
    assert event("acknowledged", agent=agent).touch.actor == ""


def test_pagerduty_odd_kinds_of_values_do_no_harm():
    """Numbers where text was documented, lists where objects were, and fields that are not there."""
    odd = {
        "id": "PINC1",
        "type": "incident",
        "title": None,
        "teams": {},
        "assignees": [None, 3],
        "service": [],
        "number": "x",
    }
    found = event("acknowledged", odd | {"status": "acknowledged", "priority": 7, "created_at": "yesterday"})
    assert found.alert.labels == {"alertname": "PagerDuty incident", "pagerduty_incident": "PINC1"}
    assert found.alert.starts_at == found.touch.at


def test_pagerduty_long_values_are_cut():
    """Nobody upstream bounds a title."""
    alert = event("triggered", INCIDENT | {"title": "x" * 100_000, "html_url": "https://a/" + "y" * 100_000}).alert
    assert len(alert.labels["alertname"]) == 256
    assert len(alert.generator_url) == 4096
    assert "tocsin_truncated" in alert.annotations
