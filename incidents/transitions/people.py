"""What people do to an incident, and what the clearing of its alerts does. Pure."""

from datetime import datetime

from msgspec.structs import replace

from incidents import events
from incidents.document.operating import BY_OUTSIDER, is_outside
from incidents.incident import Incident, Objective
from incidents.measures import Measures
from incidents.paging import steps
from incidents.paging.pages import over_pages
from incidents.timeline import SYSTEM, Entry, EntryKind
from incidents.transitions.brought import assign, roles_wanted, with_stakeholders
from incidents.transitions.findings import reopened, reseverity
from incidents.transitions.objectives import unmet_objectives, with_clear
from incidents.transitions.outcome import Context, Transition, UnmetObjectives, changed, said, unchanged
from incidents.transitions.roles import taken_over
from incidents.values import IncidentStatus, PageReason


def acknowledge(incident: Incident, event: events.Acknowledge, context: Context, now: datetime) -> Transition:
    """Stop the paging; whoever comes second changes nothing.

    Where the incident was acknowledged before and people were called since, it is only the page that is acknowledged.
    """
    del context
    waiting = incident.paging is not None and incident.paging.next_at is not None
    after, handed_over = taken_over(incident, event.actor, now)
    if incident.acknowledged_at is not None and not waiting:
        if handed_over:
            return changed(incident, on_it(after, event.actor, now), handed_over, reason="handed over")
        return unchanged(f"already acknowledged by {incident.acknowledged_by or 'somebody'}")
    entry = said(EntryKind.PAGE_ACKNOWLEDGED, event.actor, "The page was acknowledged", event.note, now)
    after = steps.stop(after)
    if incident.status is IncidentStatus.DECLARED:
        entry = said(EntryKind.ACKNOWLEDGED, event.actor, "Acknowledged", event.note, now)
        after = replace(after, status=IncidentStatus.ACKNOWLEDGED)
    return _with_acknowledgement(incident, after, (entry, *handed_over), event.actor, now, "acknowledged")


def _with_acknowledgement(
    before: Incident, after: Incident, entries: tuple[Entry, ...], actor: str, now: datetime, reason: str
) -> Transition:
    """Count the first acknowledgement, and only the first."""
    after = on_it(after, actor, now)
    first = before.acknowledged_at is None
    if first:
        after = replace(after, acknowledged_at=now, acknowledged_by=actor)
    done = changed(before, after, entries, reason=reason)
    if first:
        done.tally.observe(Measures.TO_ACKNOWLEDGE, (now - before.declared_at).total_seconds(), before.severity.value)
    return done


def mitigate(incident: Incident, event: events.Mitigate, context: Context, now: datetime) -> Transition:
    """Note that customers no longer feel it; it counts as an acknowledgement."""
    del context
    if incident.status is IncidentStatus.MITIGATED:
        return unchanged("already mitigated")
    entry = said(EntryKind.MITIGATED, event.actor, "Mitigated", event.note, now)
    after = replace(steps.stop(incident), status=IncidentStatus.MITIGATED, mitigated_at=now)
    done = _with_acknowledgement(incident, after, (entry,), event.actor, now, "mitigated")
    done.tally.observe(Measures.TO_MITIGATE, (now - incident.declared_at).total_seconds(), incident.severity.value)
    return done


def resolve(incident: Incident, event: events.Resolve, context: Context, now: datetime) -> Transition:
    """Resolve, if the objectives are met or a reason overrides them; it counts as an acknowledgement."""
    unmet = unmet_objectives(incident, context.alerts, now)
    if unmet and not event.override:
        raise UnmetObjectives(incident.status.value, unmet)
    data = {"override": event.override, "unmet": [objective.id for objective in unmet]} if unmet else {}
    note = " ".join(part for part in (event.note, event.override and f"(override: {event.override})") if part)
    entry = said(EntryKind.RESOLVED, event.actor, "Resolved", note, now, data)
    acknowledged = _with_acknowledgement(incident, incident, (), event.actor, now, "acknowledged")
    closed = _close(acknowledged.incident or incident, (entry,), now, "resolved")
    closed.tally.add(acknowledged.tally)
    return Transition(replace(closed.incident, version=incident.version + 1) if closed.incident else None, *closed[1:])


def _close(incident: Incident, entries: tuple[Entry, ...], now: datetime, reason: str) -> Transition:
    pages = over_pages(incident, now=now)
    after = replace(steps.stop(incident), status=IncidentStatus.RESOLVED, resolved_at=now)
    done = changed(incident, after, entries, pages, reason=reason)
    done.tally.count(Measures.CLOSED, incident.rule or "", "resolved")
    done.tally.observe(Measures.TO_RESOLVE, (now - incident.declared_at).total_seconds(), incident.severity.value)
    return done


def clear_due(incident: Incident, event: events.ClearDue, context: Context, now: datetime) -> Transition:
    """Resolve by itself what meets all its objectives, unless it is held for a person; note that alerts are clear."""
    del event
    objectives, clear = with_clear(incident, context.alerts, now)
    noted = tuple(_met(objective, now) for objective in clear)
    after = replace(incident, objectives=objectives) if clear else incident
    if incident.is_held or not incident.objectives or unmet_objectives(incident, context.alerts, now):
        why = "a person resolves it" if incident.is_held or not incident.objectives else "objectives unmet"
        return changed(incident, after, noted, reason="objective met") if clear else unchanged(why)
    entry = Entry(at=now, kind=EntryKind.RESOLVED, actor=SYSTEM, text="Resolved: all its objectives are met")
    return _close(after, (*noted, entry), now, "resolved")


def _met(objective: Objective, now: datetime) -> Entry:
    return Entry(at=now, kind=EntryKind.OBJECTIVE_MET, text=f"Met: {objective.text}", data={"id": objective.id})


def reopen(incident: Incident, event: events.Reopen, context: Context, now: datetime) -> Transition:
    """Reopen by hand."""
    text = f"Reopened by {event.actor}" + (f": {event.note}" if event.note else "")
    return reopened(incident, context, now, event.actor, text)


def dismiss(incident: Incident, event: events.Dismiss, context: Context, now: datetime) -> Transition:
    """Close as no incident: it counts against the rule that declared it."""
    del context
    entry = said(EntryKind.DISMISSED, event.actor, "Dismissed as no incident", event.reason, now)
    pages = over_pages(incident, now=now)
    after = replace(steps.stop(incident), status=IncidentStatus.DISMISSED, resolved_at=now)
    done = changed(incident, after, (entry,), pages, reason="dismissed")
    done.tally.count(Measures.CLOSED, incident.rule or "", "dismissed")
    return done


def escalate(incident: Incident, event: events.Escalate, context: Context, now: datetime) -> Transition:
    """Change the severity, or ask for more people."""
    policy = event.page or (incident.paging.policy if incident.paging else "default")
    if event.severity is not None and event.severity is not incident.severity:
        after = replace(incident, severity=event.severity)
        after, told = with_stakeholders(after, (), context, now)
        after, assigned = assign(after, roles_wanted(after), context.oncall, now)
        after, entries, pages = reseverity(after, incident, policy, now, context, now, actor=event.actor)
        return changed(incident, after, (*entries, *told, *assigned), pages, reason="severity changed")
    if event.severity is not None and not event.page:
        return unchanged(f"it is {event.severity} already")
    reason = PageReason.BACKUP if event.page == "backup" else PageReason.ESCALATED
    called = steps.begin(incident, context.oncall, policy=policy, reason=reason, received_at=now, now=now)
    text = f"{event.actor} asked for more people: policy {policy}"
    entry = Entry(at=now, kind=EntryKind.PAGE_ESCALATED, actor=event.actor, text=text, data={"policy": policy})
    return changed(incident, called.incident, (entry, *called.entries), called.pages, reason="escalated")


def note(incident: Incident, event: events.Note, context: Context, now: datetime) -> Transition:
    """Write something down."""
    del context
    data = {"corrects": event.corrects} if event.corrects else {}
    entry = Entry(at=now, kind=EntryKind.NOTE, actor=event.actor, text=event.text, data=data)
    return changed(incident, on_it(incident, event.actor, now), (entry,), reason="noted")


def action_taken(incident: Incident, event: events.ActionTaken, context: Context, now: datetime) -> Transition:
    """Write a corrective action down; also after the end, for what was done is often told later."""
    del context
    outside = is_outside(incident, event.actor)
    by = f"{event.actor} ({BY_OUTSIDER})" if outside else event.actor
    text = f"{by} did a {event.action}: {event.text}"
    data = {"kind": event.action} | ({"outside": True} if outside else {})
    entry = Entry(at=now, kind=EntryKind.CORRECTIVE_ACTION, actor=event.actor, text=text, data=data)
    return changed(incident, on_it(incident, event.actor, now), (entry,), reason="action noted")


def touched(incident: Incident, event: events.Touched, context: Context, now: datetime) -> Transition:
    """Let the time-spent clock run from the first touch."""
    del context
    after = on_it(incident, event.actor, now)
    return unchanged("touched before") if after is incident else changed(incident, after, (), reason="touched")


def unacknowledge(incident: Incident, event: events.Unacknowledge, context: Context, now: datetime) -> Transition:
    """Take an acknowledgement back: paging begins again from the first step."""
    if incident.acknowledged_at is None:
        return unchanged("not acknowledged")
    entry = said(EntryKind.UNACKNOWLEDGED, event.actor, "The acknowledgement was taken back", event.note, now)
    mitigated = incident.status is IncidentStatus.MITIGATED
    status = IncidentStatus.MITIGATED if mitigated else IncidentStatus.DECLARED
    after = replace(incident, status=status, acknowledged_at=None, acknowledged_by="")
    policy = incident.paging.policy if incident.paging else "default"
    called = steps.begin(
        after, context.oncall, policy=policy, reason=PageReason.UNACKNOWLEDGED, received_at=now, now=now
    )
    return changed(incident, called.incident, (entry, *called.entries), called.pages, reason="unacknowledged")


def on_it(incident: Incident, actor: str, now: datetime) -> Incident:
    """Return an open incident with the time-spent clock running: from the first time that somebody is on it."""
    if incident.touched_at is not None or not incident.is_open:
        return incident
    return replace(incident, touched_at=now, touched_by=actor)
