"""The record of an incident, as a post-mortem and its picture read it: gathered once, never changed. Pure.

Nothing here looks at a clock: what is not over ends with the last thing that was written down.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from incidents.alert import AlertState
from incidents.incident import Incident
from incidents.oncall import SeveritySettings
from incidents.timeline import EntryKind, TimelineEntry
from incidents.values import AlertStatus, IncidentStatus, Severity

MOST_ENTRIES = 2_000  # that a post-mortem shows, of alerts and notes
MOST_OTHERS = 10_000  # of all kinds; the lifecycle is kept whole however long the timeline is
MOST_ALERTS = 2_000
POSTMORTEM = "postmortem"  # in `data.document` of the entries that tell of the post-mortem itself

ALERT_KINDS = frozenset({EntryKind.ALERT_FIRED, EntryKind.ALERT_RESOLVED, EntryKind.ALERT_STALE})
MANY = ALERT_KINDS | {EntryKind.NOTE}
# Without these no number would be right.
ALWAYS_KEPT = frozenset(
    {
        EntryKind.INCIDENT_DECLARED,
        EntryKind.SEVERITY_CHANGED,
        EntryKind.ROLE_ASSIGNED,
        EntryKind.HANDED_OVER,
        EntryKind.ACKNOWLEDGED,
        EntryKind.PAGE_ACKNOWLEDGED,
        EntryKind.UNACKNOWLEDGED,
        EntryKind.MITIGATED,
        EntryKind.RESOLVED,
        EntryKind.REOPENED,
        EntryKind.DISMISSED,
        EntryKind.MERGED,
    }
)


class AlertSpan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An alert from when it began until it ended, by its sender's clock; `until` None: it still fires."""

    name: str
    source: str
    fingerprint: str
    since: datetime
    until: datetime | None = None
    count: int = 1  # so many alike it stands for


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of an incident; `left_out` entries are counted but not among `entries`."""

    incident: Incident
    entries: tuple[TimelineEntry, ...] = ()
    alerts: tuple[AlertSpan, ...] = ()
    severities: dict[Severity, SeveritySettings] = {}
    left_out: int = 0

    @property
    def end(self) -> datetime:
        """When it was over or, while it is not, what was heard of it last."""
        incident = self.incident
        if not incident.is_open and incident.resolved_at is not None:
            return incident.resolved_at
        return max((entry.at for entry in self.entries), default=incident.declared_at)

    @property
    def began(self) -> datetime:
        """When the first of its alerts began or, without any, when it was declared."""
        known = self.incident.began_at or self.incident.declared_at
        return min((known, *(span.since for span in self.alerts)))

    @property
    def last_entry(self) -> str:
        """The id of the last entry that it was made of, empty for none."""
        return self.entries[-1].id if self.entries else ""

    @property
    def wanted(self) -> str:
        """Whether a post-mortem is `required`, `optional` or `none`: of what was no incident, none."""
        if self.incident.status is IncidentStatus.DISMISSED:
            return "none"
        return self.settings(self.incident.severity).postmortem

    def settings(self, severity: Severity) -> SeveritySettings:
        """Return what a severity asks of people."""
        return self.severities.get(severity, SeveritySettings())


def record_of(
    incident: Incident,
    entries: Iterable[TimelineEntry],
    *,
    alerts: Iterable[AlertState] = (),
    kept: Iterable[AlertSpan] = (),
    severities: Mapping[Severity, SeveritySettings] | None = None,
) -> Record:
    """Return the record of an incident, from its whole timeline in order and what is remembered of its alerts.

    `kept` are spans of alerts that were known before, for the memory of a resolved alert lasts for three days.
    """
    shown: list[TimelineEntry] = []
    spans: dict[tuple[str, str, datetime], AlertSpan] = {_key(span): span for span in kept}
    open_spans: dict[tuple[str, str], AlertSpan] = {}
    left_out = 0
    for entry in entries:
        if entry.data.get("document") == POSTMORTEM:
            continue
        if entry.kind in ALERT_KINDS:
            _follow(entry, spans, open_spans)
        most = MOST_ENTRIES if entry.kind in MANY else MOST_OTHERS
        if len(shown) < most or entry.kind in ALWAYS_KEPT:
            shown.append(entry)
        else:
            left_out += 1
    for state in alerts:
        _add(_span_of(state), spans)
    ordered = sorted(spans.values(), key=lambda span: (span.since, span.name, span.source, span.fingerprint))
    return Record(
        incident=incident,
        entries=tuple(shown),
        alerts=tuple(ordered[:MOST_ALERTS]),
        severities=dict(severities or {}),
        left_out=left_out,
    )


def instant_in(data: Mapping[str, Any], name: str) -> datetime | None:
    """Return an instant that an entry holds, None where it holds none."""
    value = data.get(name)
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read.astimezone(UTC) if read.tzinfo is not None else None


def text_in(data: Mapping[str, Any], name: str) -> str:
    """Return a text that an entry holds, empty where it holds none."""
    value = data.get(name)
    return value if isinstance(value, str) else ""


def _follow(
    entry: TimelineEntry,
    spans: dict[tuple[str, str, datetime], AlertSpan],
    open_spans: dict[tuple[str, str], AlertSpan],
) -> None:
    """Let an entry about an alert begin or end a span."""
    source, fingerprint = text_in(entry.data, "source") or entry.actor, text_in(entry.data, "fingerprint")
    if entry.kind is EntryKind.ALERT_FIRED:
        labels = entry.data.get("labels")
        name = text_in(labels, "alertname") if isinstance(labels, dict) else ""
        since = min(instant_in(entry.data, "starts_at") or entry.at, entry.at)
        count = entry.data.get("count", 1)
        span = AlertSpan(
            name=name or "an alert",
            source=source,
            fingerprint=fingerprint,
            since=since,
            count=count if isinstance(count, int) else 1,
        )
        _add(span, spans)
        open_spans[source, fingerprint] = spans[_key(span)]
    elif entry.kind is EntryKind.ALERT_RESOLVED:
        fired = open_spans.pop((source, fingerprint), None)
        if fired is not None:
            ended = min(instant_in(entry.data, "ends_at") or entry.at, entry.at)
            spans[_key(fired)] = replace(spans[_key(fired)], until=max(ended, fired.since))


def _span_of(state: AlertState) -> AlertSpan:
    resolved = state.status is AlertStatus.RESOLVED
    return AlertSpan(
        name=state.labels.get("alertname", "an alert"),
        source=state.source,
        fingerprint=state.fingerprint,
        since=state.starts_at,
        until=max(state.ends_at or state.received_at, state.starts_at) if resolved else None,
    )


def _key(span: AlertSpan) -> tuple[str, str, datetime]:
    return span.source, span.fingerprint, span.since


def _add(span: AlertSpan, spans: dict[tuple[str, str, datetime], AlertSpan]) -> None:
    """Take a span in; of one that is known, its end and the larger count are taken."""
    known = spans.get(_key(span))
    if known is not None:
        span = replace(known, until=known.until or span.until, count=max(known.count, span.count))
    spans[_key(span)] = span
