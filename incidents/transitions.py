"""The transition table: what each event does to an incident of each status. Pure.

Every change of an incident, from every side, goes through `transition`. A pair of status and event that is not in the
table is an error with a name; a wanted "nothing happens" is a row of its own.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from incidents import events, paging
from incidents.errors import TransitionNotAllowed
from incidents.incident import AlertTally, Finding, Incident, Objective, Roles
from incidents.measures import Measures, Tally
from incidents.oncall import OnCall
from incidents.page import Page
from incidents.timeline import SYSTEM, Entry, EntryKind
from incidents.values import OPEN_STATUSES, Criterion, IncidentStatus, PageReason, Role, gravest


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a transition may look at beside the incident and the event."""

    oncall: OnCall
    ruleset: str
    alerts: AlertTally = AlertTally()
    new_id: str = ""  # the id of the incident that would be declared


class Transition(NamedTuple):
    """What an event did; `incident` is None where nothing changed, and `reason` says why in a word."""

    incident: Incident | None
    entries: tuple[Entry, ...]
    pages: tuple[Page, ...]
    tally: Tally
    reason: str


class UnmetObjectives(TransitionNotAllowed):
    """Somebody resolves while objectives are unmet, and gives no reason why that does not matter."""

    def __init__(self, status: str, unmet: tuple[Objective, ...]) -> None:
        self.unmet = unmet
        names = "; ".join(f"{objective.id} ({objective.text})" for objective in unmet)
        super().__init__(status, "Resolve", f"these objectives are unmet: {names}; give an override with the reason")


DEFAULT_OBJECTIVE = Objective(
    id="alerts-clear", text="No alert of it fires for 15 minutes", kind="alerts_clear_for", seconds=900.0
)

Handler = Callable[[Incident, Any, Context, datetime], Transition]


def transition(incident: Incident | None, event: events.Event, *, context: Context, now: datetime) -> Transition:
    """Return what an event does to an incident (None: there is none yet for its identity).

    Raises `TransitionNotAllowed` for a pair that is not in the table.
    """
    if incident is None:
        if isinstance(event, events.FindingHeld):
            return _declare(event, context, now)
        if isinstance(event, events.DeclaredByHand):
            return _declare_by_hand(event, context, now)
        raise TransitionNotAllowed("not declared", type(event).__name__)
    handler = TABLE.get((incident.status, type(event)))
    if handler is None:
        raise TransitionNotAllowed(incident.status.value, type(event).__name__)
    return handler(incident, event, context, now)


def unmet_objectives(incident: Incident, alerts: AlertTally, now: datetime) -> tuple[Objective, ...]:
    """Return the objectives that do not hold at an instant; what this version cannot measure is unmet."""
    return tuple(objective for objective in incident.objectives if not _is_met(objective, alerts, now))


def clear_for(incident: Incident) -> timedelta | None:
    """Return how long no alert may fire before the incident can resolve by itself, None where it never does."""
    waits = [objective.seconds for objective in incident.objectives if objective.kind == "alerts_clear_for"]
    return None if incident.is_held or not waits else timedelta(seconds=max(waits))


def _is_met(objective: Objective, alerts: AlertTally, now: datetime) -> bool:
    if objective.kind == "alerts_clear_for":
        since = alerts.clear_since
        return alerts.firing == 0 and since is not None and now - since >= timedelta(seconds=objective.seconds)
    return objective.met_at is not None


def _changed(
    before: Incident, after: Incident, entries: tuple[Entry, ...], pages: tuple[Page, ...] = (), reason: str = "changed"
) -> Transition:
    return Transition(replace(after, version=before.version + 1), entries, pages, Tally(), reason)


def _unchanged(reason: str) -> Transition:
    return Transition(None, (), (), Tally(), reason)


# Declaring


def _declare(event: events.FindingHeld, context: Context, now: datetime) -> Transition:
    finding = Finding(rule=event.rule, criterion=event.criterion, severity=event.severity, at=now)
    incident = Incident(
        id=context.new_id,
        title=event.title,
        status=IncidentStatus.DECLARED,
        severity=event.severity,
        criterion=event.criterion,
        rule=event.rule,
        findings=(finding,),
        identity=event.identity,
        identity_key=event.identity_key,
        declared_at=now,
        objectives=event.objectives or (DEFAULT_OBJECTIVE,),
        summary=event.summary,
        runbook=event.runbook,
        ruleset=context.ruleset,
        reopen_seconds=event.reopen_seconds,
    )
    data = {
        "rule": event.rule,
        "criterion": event.criterion.value,
        "severity": event.severity.value,
        "identity": event.identity,
        "ruleset": event.ruleset,
        "reason": event.reason,
    }
    text = f"{event.severity} declared by rule {event.rule}: {event.title}"
    declared = Entry(at=now, kind=EntryKind.INCIDENT_DECLARED, actor=event.actor, text=text, data=data)
    return _declared(incident, declared, event.policy, event.assign, event.received_at, context, now)


def _declare_by_hand(event: events.DeclaredByHand, context: Context, now: datetime) -> Transition:
    incident = Incident(
        id=context.new_id,
        title=event.title,
        status=IncidentStatus.DECLARED,
        severity=event.severity,
        criterion=Criterion.OTHER,
        rule=None,
        identity=event.identity,
        identity_key=event.identity_key,
        declared_at=now,
        summary=event.summary,
        ruleset=context.ruleset,
    )
    data = {"severity": event.severity.value, "identity": event.identity, "ruleset": context.ruleset}
    text = f"{event.severity} declared by {event.actor}: {event.title}"
    declared = Entry(at=now, kind=EntryKind.INCIDENT_DECLARED, actor=event.actor, text=text, data=data)
    return _declared(incident, declared, "default", (), now, context, now)


def _declared(
    incident: Incident,
    declared: Entry,
    policy: str,
    assign: tuple[Role, ...],
    received_at: datetime,
    context: Context,
    now: datetime,
) -> Transition:
    """Assign the roles by rotation and page at once."""
    incident, assigned = _assign(incident, (Role.INCIDENT_COMMANDER, *assign), context.oncall, now)
    called = paging.begin(
        incident, context.oncall, policy=policy, reason=PageReason.DECLARED, received_at=received_at, now=now
    )
    tally = Tally()
    tally.count(Measures.DECLARED, incident.rule or "", incident.criterion.value, incident.severity.value)
    return Transition(called.incident, (declared, *assigned, *called.entries), called.pages, tally, "declared")


def _assign(
    incident: Incident, roles: tuple[Role, ...], oncall: OnCall, now: datetime
) -> tuple[Incident, tuple[Entry, ...]]:
    entries = []
    held: Roles = incident.roles
    for role in dict.fromkeys(roles):
        person = paging.commander_on_duty(oncall, role, now)
        if person is None:
            continue
        held = replace(held, engineers=(person,)) if role is Role.ENGINEER else replace(held, **{role.value: person})
        entries.append(
            Entry(
                at=now,
                kind=EntryKind.ROLE_ASSIGNED,
                text=f"{person} is the {role.value.replace('_', ' ')}",
                data={"role": role.value, "person": person},
            )
        )
    return replace(incident, roles=held), tuple(entries)


# Findings on what is declared already


def _finding(incident: Incident, event: events.FindingHeld, context: Context, now: datetime) -> Transition:
    """Add a finding or make one graver; a graver incident pages again."""
    known = next((finding for finding in incident.findings if finding.rule == event.rule), None)
    if known is not None and known.severity.rank <= event.severity.rank:
        return _unchanged("finding known")
    finding = Finding(rule=event.rule, criterion=event.criterion, severity=event.severity, at=now)
    others = tuple(finding for finding in incident.findings if finding.rule != event.rule)
    after = replace(incident, findings=(*others, finding))
    if known is not None:
        after = replace(incident, findings=tuple(finding if f.rule == event.rule else f for f in incident.findings))
    text = f"Rule {event.rule} holds too ({event.severity}): {event.title}"
    data = {
        "rule": event.rule,
        "criterion": event.criterion.value,
        "severity": event.severity.value,
        "reason": event.reason,
    }
    entry = Entry(at=now, kind=EntryKind.FINDING_ADDED, actor=event.actor, text=text, data=data)
    severity = gravest(incident.severity, event.severity)
    if severity is incident.severity:
        return _changed(incident, after, (entry,), reason="finding added")
    raised, changed, pages = _reseverity(
        replace(after, severity=severity), incident, event.policy, event.received_at, context, now, actor=event.actor
    )
    return _changed(incident, raised, (entry, *changed), pages, reason="severity raised")


def _reseverity(
    after: Incident,
    before: Incident,
    policy: str,
    received_at: datetime,
    context: Context,
    now: datetime,
    *,
    actor: str,
) -> tuple[Incident, tuple[Entry, ...], tuple[Page, ...]]:
    """Write a change of severity down; a graver one pages again."""
    entry = Entry(
        at=now,
        kind=EntryKind.SEVERITY_CHANGED,
        actor=actor,
        text=f"Severity {before.severity} became {after.severity}",
        data={"from": before.severity.value, "to": after.severity.value},
    )
    if after.severity.rank >= before.severity.rank:
        return after, (entry,), ()
    called = paging.begin(
        after, context.oncall, policy=policy, reason=PageReason.ESCALATED, received_at=received_at, now=now
    )
    return called.incident, (entry, *called.entries), called.pages


def _fires_again(incident: Incident, event: events.FindingHeld, context: Context, now: datetime) -> Transition:
    """Reopen what was resolved a short while ago."""
    if not event.fires_again:
        return _unchanged("resolved, and not a new firing")
    return _reopened(incident, context, now, event.actor, f"Rule {event.rule} holds again: {event.title}", event)


def _reopened(
    incident: Incident, context: Context, now: datetime, actor: str, text: str, event: events.FindingHeld | None = None
) -> Transition:
    entry = Entry(at=now, kind=EntryKind.REOPENED, actor=actor, text=text)
    after = replace(
        incident,
        status=IncidentStatus.DECLARED,
        resolved_at=None,
        mitigated_at=None,
        acknowledged_at=None,
        acknowledged_by="",
    )
    if event is not None:
        others = tuple(finding for finding in incident.findings if finding.rule != event.rule)
        finding = Finding(rule=event.rule, criterion=event.criterion, severity=event.severity, at=now)
        after = replace(after, findings=(*others, finding), severity=gravest(incident.severity, event.severity))
    policy = event.policy if event else (incident.paging.policy if incident.paging else "default")
    received_at = event.received_at if event else now
    called = paging.begin(
        after, context.oncall, policy=policy, reason=PageReason.REOPENED, received_at=received_at, now=now
    )
    return _changed(incident, called.incident, (entry, *called.entries), called.pages, reason="reopened")


# What people do


def _acknowledge(incident: Incident, event: events.Acknowledge, context: Context, now: datetime) -> Transition:
    del context
    waiting = incident.paging is not None and incident.paging.next_at is not None
    if incident.acknowledged_at is not None and not waiting:
        return _unchanged(f"already acknowledged by {incident.acknowledged_by or 'somebody'}")
    entry = _said(EntryKind.ACKNOWLEDGED, event.actor, "Acknowledged", event.note, now)
    after = paging.stop(incident)
    if incident.status is IncidentStatus.DECLARED:
        after = replace(after, status=IncidentStatus.ACKNOWLEDGED)
    return _with_acknowledgement(incident, after, (entry,), event.actor, now, "acknowledged")


def _with_acknowledgement(
    before: Incident, after: Incident, entries: tuple[Entry, ...], actor: str, now: datetime, reason: str
) -> Transition:
    """Count the first acknowledgement, and only the first."""
    first = before.acknowledged_at is None
    if first:
        after = replace(after, acknowledged_at=now, acknowledged_by=actor)
    done = _changed(before, after, entries, reason=reason)
    if first:
        done.tally.observe(Measures.TO_ACKNOWLEDGE, (now - before.declared_at).total_seconds(), before.severity.value)
    return done


def _mitigate(incident: Incident, event: events.Mitigate, context: Context, now: datetime) -> Transition:
    del context
    if incident.status is IncidentStatus.MITIGATED:
        return _unchanged("already mitigated")
    entry = _said(EntryKind.MITIGATED, event.actor, "Mitigated", event.note, now)
    after = replace(paging.stop(incident), status=IncidentStatus.MITIGATED, mitigated_at=now)
    done = _with_acknowledgement(incident, after, (entry,), event.actor, now, "mitigated")
    done.tally.observe(Measures.TO_MITIGATE, (now - incident.declared_at).total_seconds(), incident.severity.value)
    return done


def _resolve(incident: Incident, event: events.Resolve, context: Context, now: datetime) -> Transition:
    unmet = unmet_objectives(incident, context.alerts, now)
    if unmet and not event.override:
        raise UnmetObjectives(incident.status.value, unmet)
    data = {"override": event.override, "unmet": [objective.id for objective in unmet]} if unmet else {}
    note = " ".join(part for part in (event.note, event.override and f"(override: {event.override})") if part)
    entry = _said(EntryKind.RESOLVED, event.actor, "Resolved", note, now, data)
    acknowledged = _with_acknowledgement(incident, incident, (), event.actor, now, "acknowledged")
    closed = _close(acknowledged.incident or incident, (entry,), now, "resolved")
    closed.tally.add(acknowledged.tally)
    return Transition(replace(closed.incident, version=incident.version + 1) if closed.incident else None, *closed[1:])


def _close(incident: Incident, entries: tuple[Entry, ...], now: datetime, reason: str) -> Transition:
    pages = paging.over(incident, now=now)
    after = replace(paging.stop(incident), status=IncidentStatus.RESOLVED, resolved_at=now)
    done = _changed(incident, after, entries, pages, reason=reason)
    done.tally.count(Measures.CLOSED, incident.rule or "", "resolved")
    done.tally.observe(Measures.TO_RESOLVE, (now - incident.declared_at).total_seconds(), incident.severity.value)
    return done


def _clear_due(incident: Incident, event: events.ClearDue, context: Context, now: datetime) -> Transition:
    del event
    if incident.is_held or not incident.objectives:
        return _unchanged("a person resolves it")
    if unmet_objectives(incident, context.alerts, now):
        return _unchanged("objectives unmet")
    met = tuple(
        Entry(at=now, kind=EntryKind.OBJECTIVE_MET, text=f"Met: {objective.text}", data={"id": objective.id})
        for objective in incident.objectives
    )
    entry = Entry(at=now, kind=EntryKind.RESOLVED, actor=SYSTEM, text="Resolved: all its objectives are met")
    return _close(incident, (*met, entry), now, "resolved")


def _reopen(incident: Incident, event: events.Reopen, context: Context, now: datetime) -> Transition:
    text = f"Reopened by {event.actor}" + (f": {event.note}" if event.note else "")
    return _reopened(incident, context, now, event.actor, text)


def _dismiss(incident: Incident, event: events.Dismiss, context: Context, now: datetime) -> Transition:
    del context
    entry = _said(EntryKind.DISMISSED, event.actor, "Dismissed as no incident", event.reason, now)
    pages = paging.over(incident, now=now)
    after = replace(paging.stop(incident), status=IncidentStatus.DISMISSED, resolved_at=now)
    done = _changed(incident, after, (entry,), pages, reason="dismissed")
    done.tally.count(Measures.CLOSED, incident.rule or "", "dismissed")
    return done


def _escalate(incident: Incident, event: events.Escalate, context: Context, now: datetime) -> Transition:
    policy = event.page or (incident.paging.policy if incident.paging else "default")
    if event.severity is not None and event.severity is not incident.severity:
        after = replace(incident, severity=event.severity)
        after, entries, pages = _reseverity(after, incident, policy, now, context, now, actor=event.actor)
        return _changed(incident, after, entries, pages, reason="severity changed")
    reason = PageReason.BACKUP if event.page == "backup" else PageReason.ESCALATED
    called = paging.begin(incident, context.oncall, policy=policy, reason=reason, received_at=now, now=now)
    text = f"{event.actor} asked for more people: policy {policy}"
    entry = Entry(at=now, kind=EntryKind.PAGE_ESCALATED, actor=event.actor, text=text, data={"policy": policy})
    return _changed(incident, called.incident, (entry, *called.entries), called.pages, reason="escalated")


def _note(incident: Incident, event: events.Note, context: Context, now: datetime) -> Transition:
    del context
    entry = Entry(at=now, kind=EntryKind.NOTE, actor=event.actor, text=event.text)
    return _changed(incident, incident, (entry,), reason="noted")


def _said(
    kind: EntryKind, actor: str, what: str, note: str, now: datetime, data: Mapping[str, Any] | None = None
) -> Entry:
    text = f"{what} by {actor}" + (f": {note}" if note else "")
    return Entry(at=now, kind=kind, actor=actor, text=text, data=dict(data or {}))


# What paging does


def _step_due(incident: Incident, event: events.StepDue, context: Context, now: datetime) -> Transition:
    """Re-check before acting: the timer carries no truth."""
    del event
    if incident.paging is None or incident.paging.next_at is None or incident.paging.next_at > now:
        return _unchanged("no step is due")
    called = paging.next_step(incident, context.oncall, now=now)
    return _changed(incident, called.incident, called.entries, called.pages, reason="escalated")


def _page_delivered(incident: Incident, event: events.PageDelivered, context: Context, now: datetime) -> Transition:
    del incident, context
    again = " again (a repeat: the attempt before was never answered)" if event.repeat else ""
    entry = Entry(
        at=now,
        kind=EntryKind.PAGE_SENT,
        text=f"Paged {event.person} through {event.kind}{again}",
        data={
            "page_id": event.page_id,
            "person": event.person,
            "channel": event.channel,
            "attempt": event.attempt,
            "repeat": event.repeat,
            "reason": event.reason.value,
        },
    )
    return Transition(None, (entry,), (), Tally(), "page sent")


def _page_failed(incident: Incident, event: events.PageFailed, context: Context, now: datetime) -> Transition:
    """Write a failure down; a page that is given up brings the next step of the round forward."""
    after = "it is tried again" if event.again_at else "it is given up"
    entry = Entry(
        at=now,
        kind=EntryKind.PAGE_FAILED,
        text=f"Paging {event.person} through {event.kind} failed ({event.error}); {after}",
        data={
            "page_id": event.page_id,
            "person": event.person,
            "channel": event.channel,
            "attempt": event.attempt,
            "error": event.error,
        },
    )
    waits = incident.is_open and incident.paging is not None and incident.paging.next_at is not None
    if (
        event.again_at is None
        and waits
        and incident.paging is not None
        and paging.has_next_step(incident, context.oncall)
    ):
        hurried = replace(incident, paging=replace(incident.paging, next_at=now))
        return _changed(incident, hurried, (entry,), reason="page given up")
    return Transition(None, (entry,), (), Tally(), "page failed")


def _page_suppressed(incident: Incident, event: events.PageSuppressed, context: Context, now: datetime) -> Transition:
    del incident, context
    text = f"{event.person} was not paged: {event.why}"
    data = {"page_id": event.page_id, "person": event.person, "reason": event.why}
    entry = Entry(at=now, kind=EntryKind.PAGE_SUPPRESSED, text=text, data=data)
    return Transition(None, (entry,), (), Tally(), "page suppressed")


def _stale(incident: Incident, event: events.Event, context: Context, now: datetime) -> Transition:
    del incident, event, context, now
    return _unchanged("closed already")


CLOSED = (IncidentStatus.RESOLVED, IncidentStatus.DISMISSED)


def _rows() -> dict[tuple[IncidentStatus, type], Handler]:
    table: dict[tuple[IncidentStatus, type], Handler] = {}
    on_open: dict[type, Handler] = {
        events.FindingHeld: _finding,
        events.Acknowledge: _acknowledge,
        events.Mitigate: _mitigate,
        events.Resolve: _resolve,
        events.ClearDue: _clear_due,
        events.Dismiss: _dismiss,
        events.Escalate: _escalate,
        events.StepDue: _step_due,
    }
    for status in OPEN_STATUSES:
        table.update({(status, event): handler for event, handler in on_open.items()})
    for status in CLOSED:
        table.update({(status, event): _stale for event in (events.ClearDue, events.StepDue)})
        table[status, events.Reopen] = _reopen
    table[IncidentStatus.RESOLVED, events.FindingHeld] = _fires_again
    for status in IncidentStatus:
        table[status, events.Note] = _note
        table[status, events.PageDelivered] = _page_delivered
        table[status, events.PageFailed] = _page_failed
        table[status, events.PageSuppressed] = _page_suppressed
    return table


TABLE: Mapping[tuple[IncidentStatus, type], Handler] = _rows()
