"""What was so from when until when: the status, the severity, and who held which role. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from incidents.postmortem.record import Record, text_in
from incidents.timeline import EntryKind, TimelineEntry
from incidents.values import IncidentStatus, Role, Severity

_STATUS_AFTER = {
    EntryKind.INCIDENT_DECLARED: IncidentStatus.DECLARED,
    EntryKind.ACKNOWLEDGED: IncidentStatus.ACKNOWLEDGED,
    EntryKind.UNACKNOWLEDGED: IncidentStatus.DECLARED,
    EntryKind.MITIGATED: IncidentStatus.MITIGATED,
    EntryKind.RESOLVED: IncidentStatus.RESOLVED,
    EntryKind.DISMISSED: IncidentStatus.DISMISSED,
    EntryKind.REOPENED: IncidentStatus.DECLARED,
}
_KEEPS_MITIGATED = frozenset({EntryKind.ACKNOWLEDGED, EntryKind.UNACKNOWLEDGED})
CLOSED = frozenset({IncidentStatus.RESOLVED.value, IncidentStatus.DISMISSED.value})


class Span(NamedTuple):
    """Something that was so from one instant until another; `entry` is the id of the entry that began it."""

    what: str
    since: datetime
    until: datetime
    entry: str = ""


class RoleSpan(NamedTuple):
    """Who held a role from when until when; `is_last`: still, at the end of the record."""

    role: Role
    person: str
    since: datetime
    until: datetime
    is_last: bool


def status_spans(record: Record) -> tuple[Span, ...]:
    """Return the statuses of an incident in their order; the last one lasts until the end of the record."""
    changes: list[tuple[str, datetime, str]] = []
    for entry in record.entries:
        status = _STATUS_AFTER.get(entry.kind)
        if status is None or not is_own(record, entry) or (changes and changes[-1][0] == status):
            continue
        if changes and changes[-1][0] == IncidentStatus.MITIGATED and entry.kind in _KEEPS_MITIGATED:
            continue
        changes.append((status.value, entry.at, entry.id))
    if not changes:
        changes = [(record.incident.status.value, record.incident.declared_at, "")]
    return tuple(_chained(changes, record.end))


def severity_spans(record: Record) -> tuple[Span, ...]:
    """Return the severities of an incident in their order."""
    known = frozenset(severity.value for severity in Severity)
    changes: list[tuple[str, datetime, str]] = []
    for entry in record.entries:
        named = {EntryKind.INCIDENT_DECLARED: "severity", EntryKind.SEVERITY_CHANGED: "to"}.get(entry.kind)
        severity = text_in(entry.data, named) if named and is_own(record, entry) else ""
        if severity in known and (not changes or changes[-1][0] != severity):
            changes.append((severity, entry.at, entry.id))
    if not changes:
        changes = [(record.incident.severity.value, record.incident.declared_at, "")]
    return tuple(_chained(changes, record.end))


def is_own(record: Record, entry: TimelineEntry) -> bool:
    """Whether an entry can tell of the life of this incident, and is not that of one that was merged into it."""
    declared = record.incident.declared_at
    return entry.at >= declared and (entry.kind is not EntryKind.INCIDENT_DECLARED or entry.at == declared)


def _chained(changes: list[tuple[str, datetime, str]], end: datetime) -> Iterator[Span]:
    ends = [at for _, at, _ in changes[1:]] + [max(end, changes[-1][1])]
    for (what, since, entry), until in zip(changes, ends, strict=True):
        yield Span(what, since, until, entry)


def open_spans(record: Record) -> tuple[Span, ...]:
    """Return when the incident was open."""
    return tuple(span for span in status_spans(record) if span.what not in CLOSED)


def severity_seconds(record: Record) -> dict[Severity, float]:
    """Return how long the incident was open in each severity that it had, the gravest first."""
    found: dict[str, float] = {}
    opened = open_spans(record)
    for span in severity_spans(record):
        shared = sum(
            max((min(span.until, each.until) - max(span.since, each.since)).total_seconds(), 0.0) for each in opened
        )
        found[span.what] = found.get(span.what, 0.0) + shared
    return {severity: found[severity.value] for severity in Severity if severity.value in found}


def severity_at(record: Record, at: datetime) -> Severity:
    """Return the severity that an incident had at an instant."""
    spans = severity_spans(record)
    held = next((span.what for span in reversed(spans) if span.since <= at), spans[0].what)
    return Severity(held)


def role_spans(record: Record) -> tuple[RoleSpan, ...]:
    """Return who held which role when, role by role in the order in which they were given."""
    found: list[RoleSpan] = []
    held: dict[Role, dict[str, datetime]] = {role: {} for role in Role}
    for entry in record.entries:
        if entry.kind not in {EntryKind.ROLE_ASSIGNED, EntryKind.HANDED_OVER}:
            continue
        name, person = text_in(entry.data, "role"), text_in(entry.data, "person")
        if name not in frozenset(Role):
            continue
        role = Role(name)
        if role is not Role.ENGINEER or not person:
            found += _ended(role, held[role], entry.at)
        if person:
            held[role].setdefault(person, entry.at)
    for role in Role:
        found += [RoleSpan(role, person, since, record.end, True) for person, since in held[role].items()]
    order = list(Role)
    kept = [span for span in found if span.until > span.since or span.is_last]
    return tuple(sorted(kept, key=lambda span: (order.index(span.role), span.since, span.person)))


def _ended(role: Role, held: dict[str, datetime], at: datetime) -> list[RoleSpan]:
    gone = [RoleSpan(role, person, since, at, False) for person, since in held.items()]
    held.clear()
    return gone


def uncovered(spans: tuple[tuple[datetime, datetime], ...], within: Span) -> Iterator[tuple[datetime, datetime]]:
    """Yield the times within a span that none of the others covers."""
    at = within.since
    for since, until in sorted(spans):
        if since > at:
            yield at, min(since, within.until)
        at = max(at, until)
        if at >= within.until:
            return
    if within.until - at > timedelta(0):
        yield at, within.until
