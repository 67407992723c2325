"""What rules find on an incident that is declared already: another finding, a graver one, or a reopening. Pure."""

from datetime import datetime

from msgspec.structs import replace

from incidents import events, paging
from incidents.incident import Finding, Incident
from incidents.page import Page
from incidents.timeline import Entry, EntryKind
from incidents.transitions.outcome import Context, Transition, changed, unchanged
from incidents.values import IncidentStatus, PageReason, gravest


def finding(incident: Incident, event: events.FindingHeld, context: Context, now: datetime) -> Transition:
    """Add a finding or make one graver; a graver incident pages again."""
    known = next((finding for finding in incident.findings if finding.rule == event.rule), None)
    if known is not None and known.severity.rank <= event.severity.rank:
        return unchanged("finding known")
    finding = Finding(rule=event.rule, criterion=event.criterion, severity=event.severity, at=now)
    others = tuple(finding for finding in incident.findings if finding.rule != event.rule)
    after = replace(incident, findings=(*others, finding))
    if known is not None:
        after = replace(incident, findings=tuple(finding if f.rule == event.rule else f for f in incident.findings))
    after = replace(after, summary=after.summary or event.summary, runbook=after.runbook or event.runbook)
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
        return changed(incident, after, (entry,), reason="finding added")
    raised, entries, pages = reseverity(
        replace(after, severity=severity), incident, event.policy, event.received_at, context, now, actor=event.actor
    )
    return changed(incident, raised, (entry, *entries), pages, reason="severity raised")


def reseverity(
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


def fires_again(incident: Incident, event: events.FindingHeld, context: Context, now: datetime) -> Transition:
    """Reopen what was resolved a short while ago."""
    if not event.fires_again:
        return unchanged("resolved, and not a new firing")
    return reopened(incident, context, now, event.actor, f"Rule {event.rule} holds again: {event.title}", event)


def reopened(
    incident: Incident, context: Context, now: datetime, actor: str, text: str, event: events.FindingHeld | None = None
) -> Transition:
    """Open a resolved incident again: its roles stay, its acknowledgement does not, and it pages."""
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
    return changed(incident, called.incident, (entry, *called.entries), called.pages, reason="reopened")
