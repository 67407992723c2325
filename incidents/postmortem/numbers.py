"""The numbers of an incident: how long each stretch of it took, and how its pages fared. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from incidents.postmortem.record import AlertSpan, Record, instant_in, text_in
from incidents.postmortem.spans import is_own, open_spans, severity_seconds
from incidents.timeline import SYSTEM, EntryKind, TimelineEntry
from incidents.values import Severity

LATE_AFTER = timedelta(seconds=30)  # bundling takes five seconds, the first three tries ten

_ACKNOWLEDGES = frozenset(
    {EntryKind.ACKNOWLEDGED, EntryKind.PAGE_ACKNOWLEDGED, EntryKind.MITIGATED, EntryKind.RESOLVED}
)
_CALLS = frozenset(
    {
        EntryKind.INCIDENT_DECLARED,
        EntryKind.SEVERITY_CHANGED,
        EntryKind.FINDING_ADDED,
        EntryKind.PAGE_ESCALATED,
        EntryKind.REOPENED,
        EntryKind.UNACKNOWLEDGED,
    }
)
_HANDOVER = "handover"


class SeverityTime(msgspec.Struct, frozen=True, kw_only=True):
    """How many seconds an incident was open in a severity."""

    severity: Severity
    seconds: float


class Pages(msgspec.Struct, frozen=True, kw_only=True):
    """How the pages of an incident fared; `failed` counts attempts, `late` pages that reached nobody in time."""

    sent: int = 0
    late: int = 0
    failed: int = 0
    given_up: int = 0
    not_needed: int = 0
    people: int = 0


class MergedTimes(msgspec.Struct, frozen=True, kw_only=True):
    """When an incident that was merged into this one had been declared, as what, and when it was merged."""

    incident: str
    declared_at: datetime | None
    severity: str
    merged_at: datetime


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """When it began, was noticed and so on, and how many seconds each took; None where it did not happen.

    Detecting takes from when its first alert began until it was declared, of which declaring is what came after the
    first alert had arrived; to acknowledge, mitigate and resolve takes from when it was declared. What was `merged`
    into it has times of its own, which may be earlier, and count in none of these.
    """

    began_at: datetime | None
    detected_at: datetime
    declared_at: datetime
    acknowledged_at: datetime | None
    mitigated_at: datetime | None
    resolved_at: datetime | None
    time_to_detect: float | None
    time_to_declare: float | None
    time_to_acknowledge: float | None
    time_to_mitigate: float | None
    time_to_resolve: float | None
    open_seconds: float
    severities: tuple[SeverityTime, ...]
    alerts: int
    reopened: int
    pages: Pages
    merged: tuple[MergedTimes, ...] = ()


def numbers_of(record: Record) -> Numbers:
    """Return the numbers of an incident."""
    incident = record.incident
    declared = incident.declared_at
    began = record.began if record.alerts or incident.began_at else None
    fired = [entry.at for entry in record.entries if entry.kind is EntryKind.ALERT_FIRED]
    detected = min([*fired, declared])
    acknowledged = acknowledged_at(record)
    mitigated = _last(record, EntryKind.MITIGATED) or incident.mitigated_at
    resolved = None if incident.is_open else incident.resolved_at
    return Numbers(
        began_at=began,
        detected_at=detected,
        declared_at=declared,
        acknowledged_at=acknowledged,
        mitigated_at=mitigated,
        resolved_at=resolved,
        time_to_detect=_seconds(began, declared),
        time_to_declare=_seconds(detected, declared) if fired else None,
        time_to_acknowledge=_seconds(declared, acknowledged),
        time_to_mitigate=_seconds(declared, mitigated),
        time_to_resolve=_seconds(declared, resolved),
        open_seconds=sum((span.until - span.since).total_seconds() for span in open_spans(record)),
        severities=tuple(
            SeverityTime(severity=severity, seconds=seconds) for severity, seconds in severity_seconds(record).items()
        ),
        alerts=_alerts(record),
        reopened=sum(1 for entry in record.entries if entry.kind is EntryKind.REOPENED),
        pages=_pages(record),
        merged=tuple(_merged(entry) for entry in record.entries if entry.kind is EntryKind.MERGED),
    )


def _merged(entry: TimelineEntry) -> MergedTimes:
    return MergedTimes(
        incident=text_in(entry.data, "incident"),
        declared_at=instant_in(entry.data, "declared_at"),
        severity=text_in(entry.data, "severity"),
        merged_at=entry.at,
    )


def acknowledged_at(record: Record) -> datetime | None:
    """Return when somebody was on it for the first time."""
    first = next(
        (
            entry.at
            for entry in record.entries
            if entry.kind in _ACKNOWLEDGES and entry.actor != SYSTEM and is_own(record, entry)
        ),
        None,
    )
    known = record.incident.acknowledged_at
    return min((at for at in (first, known) if at is not None), default=None)


def _alerts(record: Record) -> int:
    named: dict[str, list[AlertSpan]] = {}
    for span in record.alerts:
        named.setdefault(span.name, []).append(span)
    return sum(alerts_in(spans) for spans in named.values())


def alerts_in(spans: Sequence[AlertSpan]) -> int:
    """Return how many alerts of a name there were; of a fold, which stands for many, single ones may be known, too."""
    return max(len(spans), sum(span.count for span in spans if span.count > 1))


def _last(record: Record, kind: EntryKind) -> datetime | None:
    return next((entry.at for entry in reversed(record.entries) if entry.kind is kind), None)


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    if since is None or until is None:
        return None
    return round(max((until - since).total_seconds(), 0.0), 3)


# --------------------------------------------------------------------------------------------------------------- pages


def is_page(entry: TimelineEntry) -> bool:
    """Whether an entry tells of one page to one person that expects an acknowledgement."""
    stage = _stage_of(text_in(entry.data, "page_id"))
    return stage.isdigit() or stage.startswith(_HANDOVER)


def _stage_of(page_id: str) -> str:
    """Return the third part of the id of a page, `INCIDENT.START.STAGE.PERSON`: a round, or what else it is about."""
    parts = page_id.split(".", 3)
    return parts[2] if len(parts) == 4 else ""


def late_pages(record: Record) -> tuple[tuple[TimelineEntry, float], ...]:
    """Return the pages that were taken by a provider too late after what called for them, with the seconds."""
    called, found, seen = record.incident.declared_at, [], set()
    for entry in record.entries:
        if entry.kind in _CALLS:
            called = entry.at
        page = text_in(entry.data, "page_id")
        if entry.kind is not EntryKind.PAGE_SENT or not is_page(entry) or page in seen:
            continue
        seen.add(page)
        if entry.at - called > LATE_AFTER and not _stage_of(page).startswith(_HANDOVER):
            found.append((entry, (entry.at - called).total_seconds()))
    return tuple(found)


def given_up(entry: TimelineEntry) -> bool:
    """Whether an entry says that a page will not be tried again, or that there was nobody to page."""
    return entry.kind is EntryKind.PAGE_FAILED and ("targets" in entry.data or entry.text.endswith("it is given up"))


def _pages(record: Record) -> Pages:
    told = [entry for entry in record.entries if is_page(entry)]
    sent = [entry for entry in told if entry.kind is EntryKind.PAGE_SENT]
    return Pages(
        sent=len(sent),
        late=len(late_pages(record)),
        failed=sum(1 for entry in told if entry.kind is EntryKind.PAGE_FAILED),
        given_up=sum(1 for entry in record.entries if given_up(entry)),
        not_needed=sum(1 for entry in told if entry.kind is EntryKind.PAGE_SUPPRESSED),
        people=len({text_in(entry.data, "person") for entry in sent}),
    )
