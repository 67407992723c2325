"""Declaring: by a rule that holds, or by a person. The commander is assigned and paged in the same transition. Pure."""

from datetime import datetime

from msgspec.structs import replace

from incidents import events, paging
from incidents.incident import Finding, Incident, Roles
from incidents.measures import Measures, Tally
from incidents.oncall import OnCall
from incidents.timeline import Entry, EntryKind
from incidents.transitions.objectives import DEFAULT_OBJECTIVE
from incidents.transitions.outcome import Context, Transition
from incidents.values import Criterion, IncidentStatus, PageReason, Role


def declare(event: events.FindingHeld, context: Context, now: datetime) -> Transition:
    """Declare what a rule found."""
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


def declare_by_hand(event: events.DeclaredByHand, context: Context, now: datetime) -> Transition:
    """Declare what a person says."""
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
