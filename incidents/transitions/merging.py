"""Merging: one incident becomes part of another, which takes over what it was about. Pure.

The one that is merged ends without a word of its own: all that is to be told is told by the one that goes on.
"""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from incidents import events
from incidents.document.values import Task
from incidents.document.versions import summary_standing
from incidents.errors import TransitionNotAllowed
from incidents.incident import Finding, Incident, Merged, Objective, Roles
from incidents.measures import Measures
from incidents.page import Page
from incidents.paging import steps
from incidents.paging.pages import over_pages
from incidents.post_incident_actions import PostIncidentAction
from incidents.timeline import Entry, EntryKind
from incidents.transitions.findings import reseverity
from incidents.transitions.objectives import CLEAR, DEFAULT_OBJECTIVE
from incidents.transitions.outcome import Context, Transition, changed
from incidents.transitions.people import on_it
from incidents.values import IncidentStatus, Role, gravest

_SINGLE = (Role.INCIDENT_COMMANDER, Role.COMMUNICATIONS, Role.ENGINEER_IN_CHARGE)


def merged_into(incident: Incident, event: events.MergedInto, context: Context, now: datetime) -> Transition:
    """End an incident that is part of another from now on; whoever was paged for it hears that it is over.

    It counts as resolved, but not in the time to resolve: the other one is still open.
    """
    del context
    if event.into == incident.id:
        raise TransitionNotAllowed(incident.status.value, "MergedInto", "an incident is not merged into itself")
    if incident.absorbs_until is not None and incident.absorbs_until > now:
        hint = f"it takes the findings of a storm in; merge {event.into} into it instead"
        raise TransitionNotAllowed(incident.status.value, "MergedInto", hint)
    after = replace(
        steps.stop(incident),
        status=IncidentStatus.RESOLVED,
        resolved_at=now,
        merged_into=event.into,
        merged=(),
        slos=(),
        handover=None,
        absorbs_until=None,
    )
    done = changed(incident, after, (), over_pages(incident, now=now), reason=f"merged into {event.into}")
    done.tally.count(Measures.CLOSED, incident.rule or "", "resolved")
    return done


def taken_in(incident: Incident, event: events.TakenIn, context: Context, now: datetime) -> Transition:
    """Take over the findings, roles, objectives, stakeholders and actions of another; a graver one pages again."""
    other = event.other
    here = Merged(id=other.id, identity=other.identity, identity_key=other.identity_key, at=now)
    roles, assigned = _roles(incident, other, now)
    after = replace(
        on_it(incident, event.actor, now),
        findings=_findings(incident, other),
        severity=gravest(incident.severity, other.severity),
        roles=roles,
        merged=(*incident.merged, here, *other.merged),
        slos=tuple(dict.fromkeys((*incident.slos, *other.slos))),
        objectives=_objectives(incident, other),
        runbook=incident.runbook or other.runbook,
        restricted=incident.restricted or other.restricted,
        marks=tuple(dict.fromkeys((*incident.marks, *other.marks))),
        post_incident_actions=_actions(incident, other),
        tasks=_tasks(incident, other),
    )
    taken = summary_standing(other)
    if taken is not None and not incident.summary and incident.summary_edit is None:
        after = replace(after, summary=other.summary, summary_given=replace(taken, version=1))
    known = {stakeholder.name for stakeholder in incident.stakeholders}
    more = tuple(each for each in other.stakeholders if each.name not in known)
    after = replace(after, stakeholders=(*incident.stakeholders, *more))
    said = _said(incident, event, now)
    pages: tuple[Page, ...] = ()
    raised: tuple[Entry, ...] = ()
    if after.severity is not incident.severity:
        after, raised, pages = _raised(after, incident, event, context, now)
    return changed(incident, after, (said, *raised, *assigned), pages, reason=f"{other.id} merged into it")


def _raised(
    after: Incident, before: Incident, event: events.TakenIn, context: Context, now: datetime
) -> tuple[Incident, tuple[Entry, ...], tuple[Page, ...]]:
    policy = before.paging.policy if before.paging else "default"
    return reseverity(after, before, policy, now, context, now, actor=event.actor)


def _said(incident: Incident, event: events.TakenIn, now: datetime) -> Entry:
    other = event.other
    text = f"{event.actor} merged {other.id} ({other.severity}, {other.status}) into it: {other.title}"
    data: dict[str, Any] = {
        "incident": other.id,
        "title": other.title,
        "severity": other.severity.value,
        "status": other.status.value,
        "identity": other.identity,
        "declared_at": other.declared_at,
        "incident_commander": other.roles.incident_commander,
        "summary": other.summary if other.summary != incident.summary else "",
    }
    present = {name: value for name, value in data.items() if value}
    text += f" ({event.note})" if event.note else ""
    return Entry(at=now, kind=EntryKind.MERGED, actor=event.actor, text=text, data=present)


def _findings(incident: Incident, other: Incident) -> tuple[Finding, ...]:
    """Return the findings of both, one for each rule: the graver where both have it."""
    found = {finding.rule: finding for finding in incident.findings}
    for finding in other.findings:
        known = found.get(finding.rule)
        if known is None or finding.severity.rank < known.severity.rank:
            found[finding.rule] = finding
    return tuple(found.values())


def _roles(incident: Incident, other: Incident, now: datetime) -> tuple[Roles, tuple[Entry, ...]]:
    """Return the roles: those that nobody holds are taken over, and nobody who was on the other one is lost."""
    roles, entries = incident.roles, []
    for role in _SINGLE:
        person = other.roles.holder(role)
        if person is not None and roles.holder(role) is None:
            roles = replace(roles, **{role.value: person})
            entries.append(_assigned(person, role, other, now))
    for person in other.roles.holders:
        if person not in roles.holders:
            roles = replace(roles, engineers=(*roles.engineers, person))
            entries.append(_assigned(person, Role.ENGINEER, other, now))
    return roles, tuple(entries)


def _assigned(person: str, role: Role, other: Incident, now: datetime) -> Entry:
    data = {"role": role.value, "person": person}
    return Entry(at=now, kind=EntryKind.ROLE_ASSIGNED, text=f"{person}, of {other.id}, is {role.standing}", data=data)


def _objectives(incident: Incident, other: Incident) -> tuple[Objective, ...]:
    """Return the objectives of both, but for the usual one of the other; whether alerts are clear is noted anew."""
    known = {each.id for each in incident.objectives} | {DEFAULT_OBJECTIVE.id}
    both = (*incident.objectives, *(each for each in other.objectives if each.id not in known))
    return tuple(replace(each, met_at=None, met_by="") if each.kind == CLEAR else each for each in both)


def _tasks(incident: Incident, other: Incident) -> tuple[Task, ...]:
    """Return the tasks of both; those of the other are counted on."""
    moved = enumerate(other.tasks, start=len(incident.tasks) + 1)
    return (*incident.tasks, *(replace(each, id=f"task-{number}") for number, each in moved))


def _actions(incident: Incident, other: Incident) -> tuple[PostIncidentAction, ...]:
    """Return the post-incident actions of both; those of the other are counted on."""
    mine = incident.post_incident_actions
    last = max((int(each.id) for each in mine), default=0)
    moved = (replace(each, id=str(number)) for number, each in enumerate(other.post_incident_actions, start=last + 1))
    return (*mine, *moved)
