"""Roles in an incident: people give and take them, a commander hands over, and whom it concerns is told. Pure.

A commander who is relieved stays in charge until the successor acknowledges: only then `handed_over` is written.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from incidents import events
from incidents.delivery import channels_of
from incidents.document.review import standing
from incidents.errors import TransitionNotAllowed
from incidents.incident import Handover, Incident, Roles
from incidents.oncall import LIFECYCLE_KINDS, OnCall, SeveritySettings
from incidents.page import News, Page
from incidents.paging.pages import handover_page, news
from incidents.timeline import SYSTEM, Entry, EntryKind
from incidents.transitions.objectives import unmet_objectives
from incidents.transitions.outcome import Context, Transition, changed, unchanged
from incidents.values import Role

_TOLD = frozenset({EntryKind.ROLE_ASSIGNED, EntryKind.HANDED_OVER})


def role_given(incident: Incident, event: events.RoleGiven, context: Context, now: datetime) -> Transition:
    """Give a role to a person, take it away, or begin the handover of a commander."""
    holder = incident.roles.incident_commander
    if event.role is Role.INCIDENT_COMMANDER and incident.handover is not None and event.person == holder:
        return _cancelled(incident, event, now)
    if _has(incident.roles, event.role, event.person):
        if event.role is Role.INCIDENT_COMMANDER:
            hint = f"{event.person} commands it already: hand over to somebody else"
            raise TransitionNotAllowed(incident.status.value, "RoleGiven", hint)
        return unchanged(f"{event.person or 'nobody'} has the role already")
    if event.role is not Role.INCIDENT_COMMANDER or event.person is None or holder is None:
        return _given(incident, event, now)
    if event.at_once or event.actor == event.person:
        return changed(incident, *_handed_over(incident, event.person, event.actor, now), reason="handed over")
    return _asked(incident, event, event.person, context, now)


def _given(incident: Incident, event: events.RoleGiven, now: datetime) -> Transition:
    roles = incident.roles
    before = None if event.role is Role.ENGINEER else roles.holder(event.role)
    after = replace(incident, roles=_with(roles, event.role, event.person))
    if event.role is Role.INCIDENT_COMMANDER:
        after = replace(after, handover=None)
    gone = ", ".join(roles.engineers) if event.role is Role.ENGINEER else before
    was = f", who takes over from {before}" if before else ""
    standing = event.role.standing
    text = f"{event.person} is {standing}{was}" if event.person else f"{gone} is no longer {standing}"
    data = {"role": event.role.value, "person": event.person, "previous": before}
    entry = Entry(at=now, kind=EntryKind.ROLE_ASSIGNED, actor=event.actor, text=text, data=data)
    return changed(incident, after, (entry,), reason="role assigned")


def _has(roles: Roles, role: Role, person: str | None) -> bool:
    if role is Role.ENGINEER:
        return person in roles.engineers if person else not roles.engineers
    return roles.holder(role) == person


def _with(roles: Roles, role: Role, person: str | None) -> Roles:
    if role is Role.ENGINEER:
        return replace(roles, engineers=(*roles.engineers, person) if person else ())
    return replace(roles, **{role.value: person})


# -------------------------------------------------------------------------------------------------- handing over


def _asked(incident: Incident, event: events.RoleGiven, person: str, context: Context, now: datetime) -> Transition:
    """Page the successor with the brief; whoever was asked before need not answer any more."""
    before = incident.handover
    if before is not None and before.to == person:
        return unchanged(f"{person} was asked already, and has not acknowledged yet")
    holder = incident.roles.incident_commander
    after = replace(
        incident,
        handover=Handover(to=person, by=event.actor, at=now),
        paged=tuple(dict.fromkeys((*incident.paged, person))),
        version=incident.version + 1,
    )
    text = f"{event.actor} asked {person} to take over from {holder}, who commands until {person} acknowledges"
    if before is not None:
        text += f"; {before.to} is no longer asked"
    data = {"role": Role.INCIDENT_COMMANDER.value, "person": holder, "asked": person}
    entry = Entry(at=now, kind=EntryKind.NOTE, actor=event.actor, text=text, data=data)
    page = handover_page(after, person, text=brief(incident, event, person, context, now), now=now)
    return changed(incident, after, (entry,), (page,), reason="asked to take over")


def _cancelled(incident: Incident, event: events.RoleGiven, now: datetime) -> Transition:
    asked = incident.handover.to if incident.handover is not None else ""
    text = f"{event.actor} ended the handover to {asked}: {event.person} goes on as the incident commander"
    entry = Entry(at=now, kind=EntryKind.NOTE, actor=event.actor, text=text)
    return changed(incident, replace(incident, handover=None), (entry,), reason="handover ended")


def taken_over(incident: Incident, actor: str, now: datetime) -> tuple[Incident, tuple[Entry, ...]]:
    """Return the incident with its new commander, if it is the one who was asked that acknowledges."""
    if incident.handover is None or incident.handover.to != actor:
        return incident, ()
    return _handed_over(incident, actor, actor, now)


def _handed_over(incident: Incident, person: str, actor: str, now: datetime) -> tuple[Incident, tuple[Entry, ...]]:
    before = incident.roles.incident_commander
    text = f"{before} handed over to {person}, who is the incident commander now"
    data = {"role": Role.INCIDENT_COMMANDER.value, "person": person, "previous": before}
    entry = Entry(at=now, kind=EntryKind.HANDED_OVER, actor=actor, text=text, data=data)
    roles = replace(incident.roles, incident_commander=person)
    return replace(incident, roles=roles, handover=None), (entry,)


def brief(incident: Incident, event: events.RoleGiven, person: str, context: Context, now: datetime) -> str:
    """Return what the next commander has to know: how it stands, who does what, what is open, what was last."""
    roles, asked = incident.roles, context.oncall.severities.get(incident.severity, SeveritySettings())
    unmet = unmet_objectives(incident, context.alerts, now)
    minutes = int((now - incident.opened_at).total_seconds() // 60)
    lines = [
        f"{person}, please take over {incident.id} from {roles.incident_commander}: acknowledge, and you command it.",
        f"{incident.severity}, {incident.status.value}, open for {minutes} min: {incident.title}",
        incident.summary,
        f"Alerts: {context.alerts.firing} firing, {context.alerts.resolved} resolved.",
        f"Communications: {roles.communications or 'nobody'}.",
        f"Engineer in charge: {roles.engineer_in_charge or 'nobody'}.",
        f"Engineers: {', '.join(roles.engineers) or 'nobody'}.",
        f"Objectives unmet: {'; '.join(each.text or each.id for each in unmet) or 'none'}.",
    ]
    lines += standing(incident, now)
    if asked.update_every is not None:
        lines.append(f"An update is due every {int(asked.update_every.total_seconds() // 60)} min.")
    if event.lately:
        lines += ["Lately:", *event.lately]
    return "\n".join(line for line in lines if line)


# ------------------------------------------------------------------------------------------------------- telling


def role_news(incident: Incident, done: Transition, oncall: OnCall, now: datetime) -> list[Page]:
    """Tell people of a role that they have or lost, but for who is paged anyway, and who did it."""
    paged = {page.person for page in done.pages if not page.over}
    is_later = any(entry.kind is EntryKind.PAGE_SUPPRESSED for entry in done.entries)
    told: dict[str, list[str]] = {}
    for entry in done.entries:
        if entry.kind in _TOLD and not (is_later and _is_paged_later(entry)):
            for person in _concerned(entry):
                if person not in paged:
                    told.setdefault(person, []).append(entry.text)
    found = []
    for person, texts in told.items():
        channel = next((each for each in channels_of(oncall, person) if each.kind not in LIFECYCLE_KINDS), None)
        if channel is not None:
            text = f"{incident.id} ({incident.severity}) {incident.title}: {'; '.join(texts)}"
            found.append(news(incident, person, News.ROLE, channel=channel.name, now=now, text=text))
    return found


def _is_paged_later(entry: Entry) -> bool:
    """Whether it assigns the commander, whom the first step pages once paging is no longer held back."""
    return entry.actor == SYSTEM and entry.data.get("role") == Role.INCIDENT_COMMANDER.value


def _concerned(entry: Entry) -> Iterable[str]:
    people = (entry.data.get("person"), entry.data.get("previous"))
    return (person for person in dict.fromkeys(people) if person and person != entry.actor)
