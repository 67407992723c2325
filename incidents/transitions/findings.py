"""What rules find on an incident that is declared already: another finding, a graver one, or a reopening. Pure."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from incidents import events
from incidents.incident import Finding, Incident
from incidents.maintenance import Hold
from incidents.page import Page
from incidents.paging import steps
from incidents.timeline import Entry, EntryKind
from incidents.transitions.brought import absorbs_anew, brought_by
from incidents.transitions.held import is_held
from incidents.transitions.objectives import measured_anew
from incidents.transitions.outcome import Context, Transition, changed, unchanged
from incidents.values import IncidentStatus, PageReason, gravest

BACKUP = "backup"  # the paging policy that calls more people


def finding(incident: Incident, event: events.FindingHeld, context: Context, now: datetime) -> Transition:
    """Add a finding or make one graver; a graver incident pages again, and so does a tier that calls people, once."""
    known = next((finding for finding in incident.findings if finding.rule == event.rule), None)
    news = known is None or event.severity.rank < known.severity.rank
    acts = bool(event.mark) and event.mark not in incident.marks
    if not news and not acts:
        if not absorbs_anew(incident, event, now):
            return unchanged("finding known")
        return changed(incident, brought_by(incident, event, context, now)[0], (), reason="storm goes on")
    after = replace(incident, severity=gravest(incident.severity, event.severity))
    if news:
        after = replace(after, findings=_with_finding(incident, event, now))
    after, brought = brought_by(after, event, context, now)
    entry = _finding_entry(event, now)
    if after.severity is not incident.severity:
        raised, said, pages = reseverity(
            after,
            incident,
            event.policy,
            event.received_at,
            context,
            now,
            actor=event.actor,
            reason=_reason(event),
            holds=event.holds,
        )
        return changed(incident, raised, (entry, *said, *brought), pages, reason="severity raised")
    if acts and event.calls:
        called = steps.begin(
            after,
            context.oncall,
            policy=event.policy,
            reason=_reason(event),
            received_at=event.received_at,
            now=now,
            holds=event.holds,
        )
        return changed(
            incident, called.incident, (entry, *brought, *called.entries), called.pages, reason="people called"
        )
    if is_held(incident) and not event.holds:
        called = steps.release(after, context.oncall, now=now)
        return changed(
            incident, called.incident, (entry, *brought, *called.entries), called.pages, reason="finding added"
        )
    return changed(incident, after, (entry, *brought), reason="finding added")


def _with_finding(incident: Incident, event: events.FindingHeld, now: datetime) -> tuple[Finding, ...]:
    """Return the findings with this one: in the place of what its rule found before, else as the last."""
    new = Finding(rule=event.rule, criterion=event.criterion, severity=event.severity, at=now)
    if any(each.rule == event.rule for each in incident.findings):
        return tuple(new if each.rule == event.rule else each for each in incident.findings)
    return (*incident.findings, new)


def _finding_entry(event: events.FindingHeld, now: datetime) -> Entry:
    data: dict[str, Any] = {
        "rule": event.rule,
        "criterion": event.criterion.value,
        "severity": event.severity.value,
        "reason": event.reason,
    }
    if event.absorbed:
        data["absorbed"] = event.absorbed
    text = f"Rule {event.rule} holds too ({event.severity}): {event.title}"
    return Entry(at=now, kind=EntryKind.FINDING_ADDED, actor=event.actor, text=text, data=data)


def _reason(event: events.FindingHeld) -> PageReason:
    return PageReason.BACKUP if event.calls and event.policy == BACKUP else PageReason.ESCALATED


def unmeasured(incident: Incident, event: events.Unmeasured, context: Context, now: datetime) -> Transition:
    """Say once that a rule could not be judged: what is unknown is shown, and is no "no"."""
    del context
    mark = f"{event.rule}?"
    if mark in incident.marks:
        return unchanged("said already")
    text = f"Rule {event.rule} could not be judged: {event.reason}"
    entry = Entry(at=now, kind=EntryKind.NOTE, text=text, data={"rule": event.rule, "verdict": "unknown"})
    return changed(incident, replace(incident, marks=(*incident.marks, mark)), (entry,), reason="noted")


def reseverity(  # noqa: PLR0913 - what changed, whom it pages and why
    after: Incident,
    before: Incident,
    policy: str,
    received_at: datetime,
    context: Context,
    now: datetime,
    *,
    actor: str,
    reason: PageReason = PageReason.ESCALATED,
    holds: tuple[Hold, ...] = (),
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
    called = steps.begin(
        after, context.oncall, policy=policy, reason=reason, received_at=received_at, now=now, holds=holds
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
        reopened_at=now,
        touched_at=None,
        touched_by="",
        absorbs_until=None,
        marks=(),
        objectives=measured_anew(incident),
        burnt=(),
    )
    brought: tuple[Entry, ...] = ()
    if event is not None:
        others = tuple(finding for finding in incident.findings if finding.rule != event.rule)
        finding = Finding(rule=event.rule, criterion=event.criterion, severity=event.severity, at=now)
        after = replace(after, findings=(*others, finding), severity=gravest(incident.severity, event.severity))
        after, brought = brought_by(after, event, context, now)
    policy = event.policy if event else (incident.paging.policy if incident.paging else "default")
    received_at = event.received_at if event else now
    called = steps.begin(
        after,
        context.oncall,
        policy=policy,
        reason=PageReason.REOPENED,
        received_at=received_at,
        now=now,
        holds=event.holds if event else (),
    )
    return changed(incident, called.incident, (entry, *brought, *called.entries), called.pages, reason="reopened")
