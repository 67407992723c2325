"""The lanes of the picture: what stands where in each of them. Pure."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from incidents.postmortem.axis import RIGHT, WIDTH, Axis, fitting, width_of
from incidents.postmortem.gaps import Gap, GapKind
from incidents.postmortem.numbers import alerts_in, is_page
from incidents.postmortem.record import AlertSpan, Record, text_in
from incidents.postmortem.spans import role_spans, severity_spans, status_spans
from incidents.postmortem.words import plural, told
from incidents.texts import one_line
from incidents.timeline import EntryKind, TimelineEntry

ROW, BAR, PAD = 24.0, 18.0, 8.0
MOST_ROWS = 8
APART = 13.0  # marks closer than this stand above each other
MOST_STACKED = 4
# XML knows no such characters, escaped or not.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

PAGE_MARKS = {
    EntryKind.PAGE_SENT: "sent",
    EntryKind.PAGE_FAILED: "failed",
    EntryKind.PAGE_SUPPRESSED: "held",
    EntryKind.PAGE_EXHAUSTED: "failed",
    EntryKind.PAGE_ACKNOWLEDGED: "acked",
    EntryKind.ACKNOWLEDGED: "acked",
}
ACTION_MARKS = {
    EntryKind.CORRECTIVE_ACTION: "action",
    EntryKind.TASK: "task",
    EntryKind.POST_INCIDENT_ACTION: "plan",
}
TOLD_MARKS = {
    EntryKind.COMMUNICATION: "told",
    EntryKind.STATUS_REPORT: "report",
    EntryKind.DOCUMENT_EDITED: "report",
    EntryKind.NOTE: "note",
    EntryKind.REMINDER: "reminder",
}


class Bar(NamedTuple):
    """Something that lasted: where it stands, its looks, its label if it fits, and what it says."""

    x: float
    y: float
    width: float
    look: str
    label: str
    label_x: float
    beside: bool  # the label stands beside the bar, not in it
    says: str
    ends: bool  # False: it still went on


class Mark(NamedTuple):
    """Something that happened at an instant."""

    x: float
    y: float
    look: str
    says: str
    label: str  # stands beside it, where there is room


class Lane(NamedTuple):
    """One kind of thing over the time: its name, where it stands, and what is in it."""

    name: str
    y: float
    height: float
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    more: str  # what did not fit, in words


def safe(text: str) -> str:
    """Return a foreign text that may stand in XML: one line, without what XML does not know."""
    return _NO_XML.sub("", one_line(text))


def lanes_of(record: Record, axis: Axis, gaps: Sequence[Gap], top: float) -> tuple[Lane, ...]:
    """Return the lanes from top to bottom."""
    lanes: list[Lane] = []
    for name, bars, marks, more in (
        _alerts(record, axis),
        ("Severity", [*_severities(record, axis)], [], ""),
        ("Status", [*_statuses(record, axis)], [], ""),
        _roles(record, axis, gaps),
        ("Pages", [], _marks(record.entries, PAGE_MARKS, axis), ""),
        ("Actions", [], _marks(record.entries, ACTION_MARKS, axis), ""),
        _updates(record, axis, gaps),
    ):
        y = lanes[-1].y + lanes[-1].height if lanes else top
        rows = 1 + max([*(bar.y for bar in bars), *(mark.y for mark in marks)], default=0.0)
        height = rows * ROW + (ROW if more else 0.0) + PAD
        placed = tuple(bar._replace(y=round(y + PAD / 2 + bar.y * ROW + (ROW - BAR) / 2, 1)) for bar in bars)
        dots = tuple(mark._replace(y=round(y + PAD / 2 + mark.y * ROW + ROW / 2, 1)) for mark in marks)
        lanes.append(Lane(name, y, height, placed, dots, more))
    return tuple(lanes)


_Lane = tuple[str, list[Bar], list[Mark], str]


def _bar(
    axis: Axis, since: datetime, until: datetime, row: int, look: str, label: str, says: str, *, ends: bool = True
) -> Bar:
    """Return a bar; its `y` is the number of its row until the lane is placed."""
    x = axis.x_of(since)
    width = max(round(axis.x_of(until) - x, 1), 3.0)
    inside = fitting(label, width - 12)
    beside = not inside or inside != label
    after = x + width + 6
    if beside and look in _LABELLED and width_of(label) <= WIDTH - RIGHT - after:
        return Bar(x, row, width, look, label, after, True, safe(says), ends)
    return Bar(x, row, width, look, inside, x + 7, False, safe(says), ends)


_LABELLED = frozenset({"alert"})  # their labels may stand beside them, for nothing else is in their row


# -------------------------------------------------------------------------------------------------------------- alerts


def _alerts(record: Record, axis: Axis) -> _Lane:
    """Return a row for each name of an alert: those that began first, with what fired at the same time as one bar."""
    named: dict[str, list[AlertSpan]] = {}
    for span in record.alerts:
        named.setdefault(span.name, []).append(span)
    bars: list[Bar] = []
    for row, (name, spans) in enumerate(list(named.items())[:MOST_ROWS]):
        for place, (since, until, count, ends) in enumerate(_joined(spans, record.end)):
            label = safe(name) + (f" x {count}" if count > 1 else "")
            lasted = f"for {told((until - since).total_seconds())}" if ends else "and still fires"
            says = f"{label} fired from {since:%d %b %H:%M:%S} {lasted}"
            bars.append(_bar(axis, since, until, row, "alert", "" if place else label, says, ends=ends))
    left = len(named) - MOST_ROWS
    return "Alerts", bars, [], f"and {plural(left, 'more alert')}" if left > 0 else ""


def _joined(spans: Iterable[AlertSpan], end: datetime) -> list[tuple[datetime, datetime, int, bool]]:
    """Return times in which at least one fired: since, until, how many, and whether all of them ended."""
    joined: list[tuple[datetime, datetime, list[AlertSpan]]] = []
    for span in sorted(spans, key=lambda each: each.since):
        until = span.until if span.until is not None else max(end, span.since)
        if joined and span.since <= joined[-1][1]:
            since, before, together = joined[-1]
            joined[-1] = (since, max(before, until), [*together, span])
        else:
            joined.append((span.since, until, [span]))
    return [
        (since, until, alerts_in(together), all(span.until is not None for span in together))
        for since, until, together in joined
    ]


# ---------------------------------------------------------------------------------------------- severity, status, roles


def _severities(record: Record, axis: Axis) -> Iterable[Bar]:
    for span in severity_spans(record):
        says = f"{span.what} from {span.since:%H:%M:%S} for {told((span.until - span.since).total_seconds())}"
        yield _bar(axis, span.since, span.until, 0, span.what.lower(), span.what, says)


def _statuses(record: Record, axis: Axis) -> Iterable[Bar]:
    spans = status_spans(record)
    for span in spans:
        if span is spans[-1] and not record.incident.is_open:
            # How it ended stands at the end of the axis, however little room is left.
            until = axis.until
            says = f"{span.what} at {span.since:%d %b %H:%M:%S}"
        else:
            until = span.until
            says = f"{span.what} from {span.since:%H:%M:%S} for {told((until - span.since).total_seconds())}"
        yield _bar(axis, span.since, until, 0, span.what, span.what, says)


def _roles(record: Record, axis: Axis, gaps: Sequence[Gap]) -> _Lane:
    """Return a row for each role, of engineers one for each; and the time in which nobody held one."""
    bars: list[Bar] = []
    rows: dict[str, int] = {}
    spans = role_spans(record)
    for span in spans:
        name = span.role.value.replace("_", " ")
        row = rows.setdefault(f"{name} {span.person}" if name == "engineer" else name, len(rows))
        if row < MOST_ROWS:
            says = f"{span.person}, {name}, from {span.since:%d %b %H:%M:%S} to {span.until:%H:%M:%S}"
            label = f"{safe(span.person)} · {name}"
            bars.append(_bar(axis, span.since, span.until, row, "role", label, says, ends=not span.is_last))
    for gap in gaps:
        if gap.kind in {GapKind.COMMANDER_MISSING, GapKind.ROLE_EMPTY} and gap.until is not None:
            name = gap.text.removeprefix("Nobody was the ").rpartition(" for ")[0]
            row = rows.setdefault(name, len(rows))
            if row < MOST_ROWS:
                bars.append(_bar(axis, gap.at, gap.until, row, "gap", f"no {name}", gap.text))
    left = len(rows) - MOST_ROWS
    return "Roles", bars, [], f"and {plural(left, 'more')}" if left > 0 else ""


def _updates(record: Record, axis: Axis, gaps: Sequence[Gap]) -> _Lane:
    """Return what was written and told; where there was nothing for too long, that stands in a row above it."""
    silences = [
        _bar(axis, gap.at, gap.until, 0, "gap", gap.text.partition(";")[0].lower(), gap.text)
        for gap in gaps
        if gap.kind is GapKind.NO_UPDATE and gap.until is not None
    ]
    marks = _marks(record.entries, TOLD_MARKS, axis)
    return "Updates", silences, [mark._replace(y=mark.y + 1) for mark in marks] if silences else marks, ""


# --------------------------------------------------------------------------------------------------------------- marks


def _marks(entries: Iterable[TimelineEntry], looks: dict[EntryKind, str], axis: Axis) -> list[Mark]:
    """Return a mark for each entry of these kinds; those that stand close are stacked, and beyond that one for many."""
    found: list[Mark] = []
    rows: list[float] = []  # where the last mark of each row stands
    more = 0  # that the last mark stands for
    for entry in entries:
        if entry.kind not in looks or not axis.holds(entry.at) or _is_about_no_page(entry):
            continue
        x = axis.x_of(entry.at)
        says = f"{entry.at:%H:%M:%S} {entry.text}"
        row = next((row for row, last in enumerate(rows) if x - last >= APART), len(rows))
        if row < MOST_STACKED:
            rows[row:] = [x, *rows[row + 1 :]]
            found.append(Mark(x, row, looks[entry.kind], safe(says)[:300], _label_of(entry)))
            more = 0
        else:
            more += 1
            label = f"{found[-1].label.removesuffix(f' +{more - 1}')} +{more}".strip()
            found[-1] = found[-1]._replace(says=f"{found[-1].says[:600]} · {safe(says)[:200]}", label=label)
    return _with_room(found)


def _label_of(entry: TimelineEntry) -> str:
    """Return what an entry is about in a word: who was paged, what was done, who was told."""
    names = ("kind", "audience", "person") if entry.kind is not EntryKind.NOTE else ()
    named = next((text for text in (text_in(entry.data, name) for name in names) if text), "")
    is_taken = entry.kind in {EntryKind.ACKNOWLEDGED, EntryKind.PAGE_ACKNOWLEDGED}
    return safe(named or (entry.actor if is_taken else ""))


def _with_room(marks: list[Mark]) -> list[Mark]:
    """Return marks with the labels for which there is room before the next mark of their row."""
    last: dict[float, float] = {}
    found: list[Mark] = []
    for mark in reversed(marks):
        room = last.get(mark.y, WIDTH - RIGHT) - mark.x - 2 * APART
        last[mark.y] = mark.x
        found.append(mark._replace(label=mark.label if width_of(mark.label) <= room else ""))
    return found[::-1]


def _is_about_no_page(entry: TimelineEntry) -> bool:
    """Whether an entry about delivery is of a message that expects no acknowledgement."""
    return bool(text_in(entry.data, "page_id")) and not is_page(entry)


def label_room(text: str) -> float:
    """Return how much room a label of the legend takes."""
    return width_of(text) + 42
