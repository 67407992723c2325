"""Declaring: by a rule that holds, or by a person. The commander is assigned and paged in the same transition. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from incidents import events
from incidents.document.values import Edited
from incidents.incident import Finding, Incident, Stakeholder
from incidents.measures import Measures, Tally
from incidents.paging import steps
from incidents.timeline import Entry, EntryKind
from incidents.transitions.brought import assign, roles_wanted, with_stakeholders
from incidents.transitions.objectives import first_objectives
from incidents.transitions.outcome import Context, Transition
from incidents.transitions.post_incident_actions import overdue_entries
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
        team=event.team,
        findings=(finding,),
        identity=event.identity,
        identity_key=event.identity_key,
        declared_at=now,
        objectives=first_objectives(event),
        overdue_actions=event.overdue,
        slos=event.slos,
        summary=event.summary,
        runbook=event.runbook,
        ruleset=context.ruleset,
        reopen_seconds=event.reopen_seconds,
        restricted=event.restricted,
        absorbs_until=now + timedelta(seconds=event.absorb_seconds) if event.absorb_seconds else None,
        marks=(event.mark,) if event.mark else (),
        began_at=event.began_at,
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
    return _declared(incident, declared, event, context, now, event.customers)


def declare_by_hand(event: events.DeclaredByHand, context: Context, now: datetime) -> Transition:
    """Declare what a person says."""
    incident = Incident(
        id=context.new_id,
        title=event.title,
        status=IncidentStatus.DECLARED,
        severity=event.severity,
        criterion=Criterion.OTHER,
        rule=None,
        team=event.team,
        identity=event.identity,
        identity_key=event.identity_key,
        declared_at=now,
        summary=event.summary,
        summary_given=Edited(version=1, at=now, by=event.actor) if event.summary else None,
        ruleset=context.ruleset,
    )
    data = {"severity": event.severity.value, "identity": event.identity, "ruleset": context.ruleset}
    text = f"{event.severity} declared by {event.actor}: {event.title}"
    declared = Entry(at=now, kind=EntryKind.INCIDENT_DECLARED, actor=event.actor, text=text, data=data)
    return _declared(incident, declared, None, context, now, event.customers)


def _declared(
    incident: Incident,
    declared: Entry,
    event: events.FindingHeld | None,
    context: Context,
    now: datetime,
    customers: Iterable[Stakeholder],
) -> Transition:
    """Assign the roles by rotation and page at once."""
    roles, stakeholders = (event.assign, event.stakeholders) if event else ((), ())
    policy, received_at = (event.policy, event.received_at) if event else ("default", now)
    incident, assigned = assign(
        incident, (Role.INCIDENT_COMMANDER, *roles, *roles_wanted(incident)), context.oncall, now
    )
    incident, told = with_stakeholders(incident, stakeholders, context, now, customers=customers)
    called = steps.begin(
        incident,
        context.oncall,
        policy=policy,
        reason=PageReason.DECLARED,
        received_at=received_at,
        now=now,
        holds=event.holds if event else (),
    )
    tally = Tally()
    tally.count(Measures.DECLARED, incident.rule or "", incident.criterion.value, incident.severity.value)
    if incident.began_at is not None:
        tally.observe(Measures.TO_DETECT, (now - incident.began_at).total_seconds(), incident.severity.value)
    earlier = overdue_entries(incident.overdue_actions, now)
    return Transition(
        called.incident, (declared, *earlier, *assigned, *told, *called.entries), called.pages, tally, "declared"
    )
