"""The live state document as plain values: the six parts, who owns each, and how old it is. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from incidents.document.review import is_overdue, update_every
from incidents.document.values import Edited, Part
from incidents.document.versions import report_version, summary_standing, summary_version
from incidents.incident import AlertTally, Incident
from incidents.oncall import OnCall
from incidents.presentation import entry_json, instant, overdue_json
from incidents.timeline import EntryKind, TimelineEntry
from incidents.transitions.objectives import unmet_objectives
from incidents.values import Role

# Who looks after a part; the commander does while nobody has that role. Nobody writes the timeline.
OWNERS: Mapping[Part, Role | None] = {
    Part.STAKEHOLDERS: Role.COMMUNICATIONS,
    Part.TIMELINE: None,
    Part.SUMMARY: Role.COMMUNICATIONS,
    Part.STATUS_REPORT: Role.ENGINEER_IN_CHARGE,
    Part.OBJECTIVES: Role.INCIDENT_COMMANDER,
    Part.POST_INCIDENT_ACTIONS: Role.INCIDENT_COMMANDER,
}
# The entries of the timeline that tell the history of what is not written as a whole.
HISTORIES: Mapping[Part, frozenset[EntryKind]] = {
    Part.STAKEHOLDERS: frozenset({EntryKind.STAKEHOLDER_ADDED, EntryKind.ROLE_ASSIGNED, EntryKind.HANDED_OVER}),
    Part.TIMELINE: frozenset(EntryKind),
    Part.OBJECTIVES: frozenset({EntryKind.OBJECTIVE_MET, EntryKind.OBJECTIVE_UNMET}),
    Part.POST_INCIDENT_ACTIONS: frozenset({EntryKind.POST_INCIDENT_ACTION}),
}


class State(NamedTuple):
    """Everything that a document is made of."""

    incident: Incident
    alerts: AlertTally
    status_report: str
    entries: int
    last: TimelineEntry | None
    oncall: OnCall
    now: datetime


def document_json(state: State) -> dict[str, Any]:
    """Return the document with the names of the API."""
    incident = state.incident
    return {
        "stakeholders": stakeholders_of(incident),
        "timeline": {"entries": state.entries, "last": entry_json(state.last) if state.last is not None else None},
        "summary": _summary(state),
        "status_report": _status_report(state),
        "objectives": objectives_of(state),
        "post_incident_actions": actions_of(incident, state.now),
        "overdue_actions": overdue_json(incident),
        "parts": [_part(part, state) for part in Part],
    }


def stakeholders_of(incident: Incident) -> list[dict[str, Any]]:
    """Return who has to know: first who has a role in the incident, then everybody else."""
    roles = incident.roles
    held = [
        (roles.incident_commander, Role.INCIDENT_COMMANDER, "other"),
        (roles.communications, Role.COMMUNICATIONS, "communications"),
        (roles.engineer_in_charge, Role.ENGINEER_IN_CHARGE, "engineer"),
        *((person, Role.ENGINEER, "engineer") for person in roles.engineers),
    ]
    found = [
        {"name": person, "kind": kind, "external": False, "role": role.value, "at": None, "by": ""}
        for person, role, kind in held
        if person
    ]
    found += [
        {
            "name": each.name,
            "kind": each.kind,
            "external": each.external,
            "role": None,
            "at": instant(each.at),
            "by": each.by,
        }
        for each in incident.stakeholders
    ]
    return found


def objectives_of(state: State) -> list[dict[str, Any]]:
    """Return the conditions for "resolved", and which are met."""
    unmet = {objective.id for objective in unmet_objectives(state.incident, state.alerts, state.now)}
    return [
        {
            "id": each.id,
            "text": each.text,
            "kind": each.kind,
            "met": each.id not in unmet,
            "met_at": instant(each.met_at),
            "met_by": each.met_by,
        }
        for each in state.incident.objectives
    ]


def actions_of(incident: Incident, now: datetime) -> list[dict[str, Any]]:
    """Return what is to be done after the incident."""
    return [
        {
            "id": each.id,
            "text": each.text,
            "owner": each.owner or None,
            "due": each.due.isoformat() if each.due is not None else None,
            "link": each.link or None,
            "state": each.state.value,
            "overdue": each.is_overdue(now),
            "at": instant(each.at),
            "by": each.by,
        }
        for each in incident.post_incident_actions
    ]


def tasks_of(incident: Incident) -> list[dict[str, Any]]:
    """Return what the commander gave people to do."""
    return [
        {
            "id": each.id,
            "text": each.text,
            "person": each.person or None,
            "by": each.by,
            "at": instant(each.at),
            "done": each.done_at is not None,
            "done_at": instant(each.done_at),
            "done_by": each.done_by,
        }
        for each in incident.tasks
    ]


def owner_of(part: Part, incident: Incident) -> tuple[Role | None, str | None]:
    """Return in which role a part is looked after, and by whom."""
    role = OWNERS[part]
    if role is None:
        return None, None
    person = incident.roles.holder(role)
    if person is None and incident.roles.incident_commander is not None:
        return Role.INCIDENT_COMMANDER, incident.roles.incident_commander
    return role, person


def changed_at(part: Part, state: State) -> datetime | None:
    """Return when a part changed last, None where it has nothing yet."""
    incident = state.incident
    if part is Part.TIMELINE:
        return state.last.at if state.last is not None else None
    if part is Part.SUMMARY:
        standing = summary_standing(incident)
        return standing.at if standing is not None else None
    if part is Part.STATUS_REPORT:
        changes = [incident.status_report.at] if incident.status_report is not None else []
        changes += [task.done_at or task.at for task in incident.tasks]
    elif part is Part.STAKEHOLDERS:
        changes = [each.at or incident.declared_at for each in incident.stakeholders]
    elif part is Part.OBJECTIVES:
        changes = [each.met_at or incident.declared_at for each in incident.objectives]
    else:
        changes = [each.changed_at or each.at for each in incident.post_incident_actions]
    return max(changes, default=None)


def _part(part: Part, state: State) -> dict[str, Any]:
    role, person = owner_of(part, state.incident)
    at = changed_at(part, state)
    return {
        "part": part.value,
        "owner": {"role": role.value if role is not None else None, "person": person},
        "changed_at": instant(at),
        "age_seconds": _age(at, state.now),
        "history": f"/api/v1/incidents/{state.incident.id}/document/history?part={part.value}",
    }


def _summary(state: State) -> dict[str, Any]:
    incident = state.incident
    return _written(incident.summary, summary_version(incident), summary_standing(incident), state.now)


def _status_report(state: State) -> dict[str, Any]:
    incident = state.incident
    every = update_every(incident, state.oncall)
    return {
        **_written(state.status_report, report_version(incident), incident.status_report, state.now),
        "update_every_seconds": int(every.total_seconds()) if every is not None else None,
        "review_due_at": instant(incident.review_due_at) if incident.is_open else None,
        "review_due": is_overdue(incident, state.oncall, state.now),
        "tasks": tasks_of(incident),
    }


def _written(text: str, version: int, edited: Edited | None, now: datetime) -> dict[str, Any]:
    at = edited.at if edited is not None else None
    by = edited.by if edited is not None else ""
    return {"text": text, "version": version, "at": instant(at), "by": by, "age_seconds": _age(at, now)}


def _age(at: datetime | None, now: datetime) -> int | None:
    return max(0, int((now - at).total_seconds())) if at is not None else None
