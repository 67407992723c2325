"""What the record shows that did not go as the practice asks: nobody was told, nobody was there, pages failed. Pure.

It states what was missing and for how long, with the entries that show it; whose fault it was is no question here.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from incidents.postmortem.numbers import acknowledged_at, given_up, is_page, late_pages
from incidents.postmortem.record import Record, text_in
from incidents.postmortem.spans import Span, open_spans, role_spans, severity_at, uncovered
from incidents.postmortem.words import plural, told
from incidents.timeline import EntryKind, TimelineEntry
from incidents.transitions.brought import roles_wanted
from incidents.transitions.post_incident_actions import told_overdue
from incidents.values import Role

_UPDATES = frozenset({EntryKind.STATUS_REPORT, EntryKind.DOCUMENT_EDITED, EntryKind.COMMUNICATION})
_EMPTY_FOR = timedelta(minutes=1)  # a role that is filled a moment later was not missing
MOST_IDS = 20
MOST_ALIKE = 10  # gaps of a kind that are told one by one


class GapKind(StrEnum):
    """What was missing."""

    DETECTED_LATE = "detected_late"
    ACKNOWLEDGED_LATE = "acknowledged_late"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    NO_UPDATE = "no_update"
    COMMANDER_MISSING = "commander_missing"
    ROLE_EMPTY = "role_empty"
    PAGE_FAILED = "page_failed"
    PAGE_LATE = "page_late"
    NOBODY_PAGED = "nobody_paged"
    PAGES_EXHAUSTED = "pages_exhausted"
    OBJECTIVES_OVERRIDDEN = "objectives_overridden"
    NOT_MEASURED = "not_measured"
    WENT_SILENT = "went_silent"
    LATE_TIMER = "late_timer"
    REOPENED = "reopened"
    OUTSIDE_ACTION = "outside_action"
    NO_ACTION = "no_action"
    TASK_OPEN = "task_open"
    ACTIONS_OVERDUE = "actions_overdue"


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was missing: in words, from when until when, and the entries that show it."""

    kind: GapKind
    text: str
    at: datetime
    until: datetime | None = None
    entries: tuple[str, ...] = ()


DETECTED_WITHIN = timedelta(minutes=5)  # an alert that took longer than this to get here came late


def gaps_of(record: Record) -> tuple[Gap, ...]:
    """Return what was missing, in order of time."""
    found = [
        *_detection(record),
        *_acknowledgement(record),
        *_some(_updates(record)),
        *_roles(record),
        *_pages(record),
        *_ends(record),
        *_measuring(record),
        *_outside(record),
        *_actions(record),
    ]
    order = list(GapKind)
    return tuple(sorted(found, key=lambda gap: (gap.at, order.index(gap.kind), gap.text)))


def _some(gaps: Iterator[Gap]) -> list[Gap]:
    """Return the longest of many alike."""
    found = list(gaps)
    return sorted(found, key=lambda gap: gap.at - (gap.until or gap.at))[:MOST_ALIKE]


def _detection(record: Record) -> Iterator[Gap]:
    first = next((entry for entry in record.entries if entry.kind is EntryKind.ALERT_FIRED), None)
    if first is None or not record.alerts:
        return
    noticed = min(first.at, record.incident.declared_at)
    if noticed - record.began > DETECTED_WITHIN:
        text = f"It was noticed {told((noticed - record.began).total_seconds())} after its first alert began"
        yield Gap(kind=GapKind.DETECTED_LATE, text=text, at=record.began, until=noticed, entries=(first.id,))


def _acknowledgement(record: Record) -> Iterator[Gap]:
    declared = record.incident.declared_at
    within = record.settings(severity_at(record, declared)).acknowledge_within
    acknowledged = acknowledged_at(record)
    took = (acknowledged or record.end) - declared
    if took <= within:
        return
    asked = f"{told(within.total_seconds())} were asked for"
    if acknowledged is None:
        text = f"Nobody acknowledged it within {told(took.total_seconds())}; {asked}"
        yield Gap(kind=GapKind.NOT_ACKNOWLEDGED, text=text, at=declared, until=record.end)
    else:
        text = f"It was acknowledged after {told(took.total_seconds())}; {asked}"
        yield Gap(kind=GapKind.ACKNOWLEDGED_LATE, text=text, at=declared, until=acknowledged)


def _updates(record: Record) -> Iterator[Gap]:
    """Yield each time in which nobody was told anything for longer than the severity allows."""
    updates = [
        (entry.at, entry.id)
        for entry in record.entries
        if entry.kind in _UPDATES and entry.data.get("delivered") is not False
    ]
    for opened in opened_times(record):
        inside = [(opened.since, opened.entry), *(each for each in updates if opened.since < each[0] < opened.until)]
        ends = [at for at, _ in inside[1:]] + [opened.until]
        for (since, entry), until in zip(inside, ends, strict=True):
            every = record.settings(severity_at(record, since)).update_every
            if every is None or until - since <= every:
                continue
            text = f"No update for {told((until - since).total_seconds())}; one was due every {_told(every)}"
            shows = (entry,) if entry else ()
            yield Gap(kind=GapKind.NO_UPDATE, text=text, at=since, until=until, entries=shows)


def _roles(record: Record) -> Iterator[Gap]:
    """Yield each time in which a role that was needed was held by nobody."""
    held = role_spans(record)
    needed = (Role.INCIDENT_COMMANDER, *roles_wanted(record.incident))
    for role in needed:
        times = tuple((span.since, span.until) for span in held if span.role is role)
        for opened in opened_times(record):
            for since, until in uncovered(times, opened):
                if until - since > _EMPTY_FOR:
                    yield _empty(role, since, until)


def _empty(role: Role, since: datetime, until: datetime) -> Gap:
    commander = role is Role.INCIDENT_COMMANDER
    name = role.value.replace("_", " ")
    text = f"Nobody was the {name} for {told((until - since).total_seconds())}"
    return Gap(kind=GapKind.COMMANDER_MISSING if commander else GapKind.ROLE_EMPTY, text=text, at=since, until=until)


def _pages(record: Record) -> Iterator[Gap]:
    yield from _failed_pages(record)
    for entry, seconds in late_pages(record)[:MOST_ALIKE]:
        text = f"The page to {text_in(entry.data, 'person')} was taken {told(seconds)} after it was called for"
        yield Gap(kind=GapKind.PAGE_LATE, text=text, at=entry.at, entries=(entry.id,))
    for entry in record.entries:
        if entry.kind is EntryKind.PAGE_EXHAUSTED:
            yield Gap(kind=GapKind.PAGES_EXHAUSTED, text=entry.text, at=entry.at, entries=(entry.id,))


def _failed_pages(record: Record) -> Iterator[Gap]:
    """Yield one gap for each person and channel whose pages failed, and each step that had nobody to page."""
    failed: dict[tuple[str, str], list[TimelineEntry]] = {}
    for entry in record.entries:
        if entry.kind is not EntryKind.PAGE_FAILED:
            continue
        if "targets" in entry.data:
            yield Gap(kind=GapKind.NOBODY_PAGED, text=entry.text, at=entry.at, entries=(entry.id,))
        elif is_page(entry):
            failed.setdefault((text_in(entry.data, "person"), text_in(entry.data, "channel")), []).append(entry)
    for (person, channel), entries in failed.items():
        over = f" over {channel}" if channel else ""
        text = f"{plural(len(entries), 'attempt')} to page {person}{over} failed"
        if any(given_up(entry) for entry in entries):
            text += ", and the page was given up"
        reason = text_in(entries[-1].data, "error")
        yield Gap(
            kind=GapKind.PAGE_FAILED,
            text=f"{text}: {reason}" if reason else text,
            at=entries[0].at,
            until=entries[-1].at if len(entries) > 1 else None,
            entries=tuple(entry.id for entry in entries[:MOST_IDS]),
        )


def _ends(record: Record) -> Iterator[Gap]:
    """Yield where it was resolved although objectives were unmet, and where it came back."""
    ended: datetime | None = None
    texts = {objective.id: objective.text or objective.id for objective in record.incident.objectives}
    for entry in record.entries:
        if entry.kind is EntryKind.RESOLVED:
            ended = entry.at
            unmet = entry.data.get("unmet")
            if isinstance(unmet, list) and unmet:
                named = "; ".join(texts.get(str(each), str(each)) for each in unmet)
                text = f"{entry.actor} resolved it with unmet objectives ({named}): {text_in(entry.data, 'override')}"
                yield Gap(kind=GapKind.OBJECTIVES_OVERRIDDEN, text=text, at=entry.at, entries=(entry.id,))
        elif entry.kind is EntryKind.REOPENED and ended is not None:
            text = f"It came back {told((entry.at - ended).total_seconds())} after it was resolved"
            yield Gap(kind=GapKind.REOPENED, text=text, at=ended, until=entry.at, entries=(entry.id,))


def _measuring(record: Record) -> Iterator[Gap]:
    late: list[TimelineEntry] = []
    for entry in record.entries:
        if entry.kind is EntryKind.NOTE and entry.data.get("verdict") == "unknown":
            yield Gap(kind=GapKind.NOT_MEASURED, text=entry.text, at=entry.at, entries=(entry.id,))
        elif entry.kind is EntryKind.ALERT_STALE:
            yield Gap(kind=GapKind.WENT_SILENT, text=entry.text, at=entry.at, entries=(entry.id,))
        elif "late_seconds" in entry.data:
            late.append(entry)
    if late:
        most = max(float(entry.data["late_seconds"]) for entry in late)
        text = f"Tocsin itself was late: what fell due was done up to {told(most)} afterwards"
        ids = tuple(entry.id for entry in late[:MOST_IDS])
        yield Gap(kind=GapKind.LATE_TIMER, text=text, at=late[0].at, entries=ids)


def _outside(record: Record) -> Iterator[Gap]:
    for entry in record.entries:
        if entry.kind is EntryKind.CORRECTIVE_ACTION and entry.data.get("outside") is True:
            text = f"{entry.actor} acted from outside of the group that operates: {entry.text}"
            yield Gap(kind=GapKind.OUTSIDE_ACTION, text=text, at=entry.at, entries=(entry.id,))


def _actions(record: Record) -> Iterator[Gap]:
    """Yield what was to be done: after earlier incidents of the rule, during this one, and after it."""
    incident = record.incident
    if incident.overdue_actions:
        text = f"When it was declared, {told_overdue(incident.overdue_actions)}, which the same rule declared"
        yield Gap(kind=GapKind.ACTIONS_OVERDUE, text=text, at=incident.declared_at)
    for task in incident.tasks if not incident.is_open else ():
        if task.done_at is None:
            whose = f" ({task.person})" if task.person else ""
            yield Gap(kind=GapKind.TASK_OPEN, text=f"A task was not done{whose}: {task.text}", at=task.at)
    needed = record.wanted == "required"
    if needed and not record.incident.post_incident_actions and not record.incident.is_open:
        yield Gap(kind=GapKind.NO_ACTION, text="No post-incident action was written down", at=record.end)


def opened_times(record: Record) -> tuple[Span, ...]:
    """Return from when until when it was open, one span for each time that it was opened."""
    found: list[Span] = []
    for span in open_spans(record):
        if found and found[-1].until == span.since:
            found[-1] = found[-1]._replace(until=span.until)
        else:
            found.append(span)
    return tuple(found)


def _told(duration: timedelta) -> str:
    return told(duration.total_seconds())
