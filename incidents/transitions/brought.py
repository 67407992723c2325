"""What a finding brings to an incident beside its severity: roles, stakeholders, objectives, restriction. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from incidents import events
from incidents.document.values import Edited
from incidents.incident import Incident, Roles, Stakeholder
from incidents.oncall import OnCall, SeveritySettings
from incidents.paging.targets import on_duty
from incidents.timeline import Entry, EntryKind
from incidents.transitions.objectives import wanted_objectives
from incidents.transitions.outcome import Context
from incidents.values import Criterion, Role, Severity

KINDS = {"engineers": "engineer", "customers": "customer"}  # by what groups are called
ALSO = (Role.COMMUNICATIONS, Role.ENGINEER_IN_CHARGE)
GRAVE = frozenset({Severity.SEV1, Severity.SEV2})
OTHERS_KNOW = frozenset({Criterion.DATA_ISSUE, Criterion.CUSTOMER_VISIBLE})
KNOWN_KINDS = frozenset({"engineer", "communications", "management", "customer"})


def brought_by(
    incident: Incident, event: events.FindingHeld, context: Context, now: datetime
) -> tuple[Incident, tuple[Entry, ...]]:
    """Return an incident with everything that a finding brings along, and the entries that say so."""
    after, assigned = assign(incident, (*event.assign, *roles_wanted(incident)), context.oncall, now)
    after, told = with_stakeholders(after, event.stakeholders, context, now, customers=event.customers)
    known = {objective.id for objective in after.objectives}
    more = tuple(objective for objective in wanted_objectives(event) if objective.id not in known)
    until = after.absorbs_until
    if absorbs_anew(after, event, now):
        until = now + timedelta(seconds=event.absorb_seconds)
    marks = (*after.marks, event.mark) if event.mark and event.mark not in after.marks else after.marks
    if event.summary and not after.summary and after.summary_edit is None:
        given = Edited(version=1, at=now, by=f"rule {event.rule}")
        after = replace(after, summary=event.summary, summary_given=given)
    after = replace(
        after,
        runbook=after.runbook or event.runbook,
        objectives=(*after.objectives, *more),
        slos=tuple(dict.fromkeys((*after.slos, *event.slos))),
        restricted=after.restricted or event.restricted,
        absorbs_until=until,
        marks=marks,
    )
    return after, (*assigned, *told)


def absorbs_anew(incident: Incident, event: events.FindingHeld, now: datetime) -> bool:
    """Whether a storm that goes on is to absorb for longer: not said again before half of its time is over."""
    if not event.absorb_seconds:
        return False
    until = incident.absorbs_until
    return until is None or (until - now).total_seconds() < event.absorb_seconds / 2


def roles_wanted(incident: Incident) -> tuple[Role, ...]:
    """Return the roles beside the commander that are needed: it is grave, or not for engineers alone to know."""
    criteria = {finding.criterion for finding in incident.findings}
    return ALSO if incident.severity in GRAVE or criteria & OTHERS_KNOW else ()


def assign(
    incident: Incident, roles: Iterable[Role], oncall: OnCall, now: datetime
) -> tuple[Incident, tuple[Entry, ...]]:
    """Fill the roles that nobody holds yet from their rotations."""
    entries = []
    held: Roles = incident.roles
    for role in dict.fromkeys(roles):
        person = on_duty(oncall, role, now) if held.holder(role) is None else None
        if person is None:
            continue
        held = replace(held, engineers=(person,)) if role is Role.ENGINEER else replace(held, **{role.value: person})
        entries.append(
            Entry(
                at=now,
                kind=EntryKind.ROLE_ASSIGNED,
                text=f"{person} is {role.standing}",
                data={"role": role.value, "person": person},
            )
        )
    return (replace(incident, roles=held) if entries else incident), tuple(entries)


def with_stakeholders(
    incident: Incident,
    names: Iterable[str],
    context: Context,
    now: datetime,
    *,
    customers: Iterable[Stakeholder] = (),
) -> tuple[Incident, tuple[Entry, ...]]:
    """Add who has to know: those that a rule names, those of the severity, and the customers of an SLO."""
    asked = context.oncall.severities.get(incident.severity, SeveritySettings()).stakeholders
    known = {stakeholder.name for stakeholder in incident.stakeholders}
    found = [*(stakeholder_named(name) for name in (*names, *asked)), *customers]
    new = [
        replace(stakeholder, at=now)
        for stakeholder in {each.name: each for each in found}.values()
        if stakeholder.name not in known
    ]
    if not new:
        return incident, ()
    entries = tuple(
        Entry(
            at=now,
            kind=EntryKind.STAKEHOLDER_ADDED,
            text=f"{stakeholder.name} has to know",
            data={"name": stakeholder.name, "kind": stakeholder.kind, "external": stakeholder.external},
        )
        for stakeholder in new
    )
    return replace(incident, stakeholders=(*incident.stakeholders, *new)), entries


def stakeholder_named(name: str) -> Stakeholder:
    """Return the stakeholder that a rule or a severity names in one word."""
    kind = KINDS.get(name, name if name in KNOWN_KINDS else "other")
    return Stakeholder(name=name, kind=kind, external=kind == "customer")
