"""The picture of an incident (SVG): alerts, severity, status, roles, pages, actions and what was told, over the time.

It stands by itself: no script, no font, nothing from elsewhere. Every bar and mark says in words what it is to whoever
points at it or has it read aloud; colours only repeat that. A page that holds it may set
its colours (`--tocsin-*`). Pure.
"""

from typing import NamedTuple

from incidents.postmortem.axis import WIDTH, axis_of, fitting
from incidents.postmortem.gaps import gaps_of
from incidents.postmortem.lanes import BAR, label_room, lanes_of, safe
from incidents.postmortem.numbers import numbers_of
from incidents.postmortem.record import Record
from incidents.postmortem.templates import template
from incidents.postmortem.words import moment, plural, told

TOP = 96.0
LEGEND = (
    ("sent", "page sent"),
    ("failed", "page failed"),
    ("held", "page not sent"),
    ("acked", "acknowledged"),
    ("action", "corrective action"),
    ("task", "task"),
    ("plan", "for afterwards"),
    ("told", "communication"),
    ("report", "document"),
    ("note", "note"),
    ("reminder", "reminder"),
    ("gap", "missing"),
)


class Sign(NamedTuple):
    """One sign of the legend, in a row of it."""

    x: float
    row: int
    look: str
    text: str


def picture_of(record: Record) -> str:
    """Return the SVG of an incident; the same record is always the same text."""
    axis = axis_of(record)
    gaps = gaps_of(record)
    lanes = lanes_of(record, axis, gaps, TOP)
    bottom = lanes[-1].y + lanes[-1].height
    used = {mark.look for lane in lanes for mark in lane.marks} | {bar.look for lane in lanes for bar in lane.bars}
    legend = _legend(used)
    incident = record.incident
    return template("picture.svg.j2").render(
        width=WIDTH,
        height=bottom + 52 + 22 * legend[-1].row if legend else bottom + 20,
        top=TOP,
        bottom=bottom,
        bar_height=BAR,
        title=fitting(f"{incident.id}  {safe(incident.title)}", WIDTH - 40),
        whole_title=safe(f"{incident.id}: {incident.title}"),
        facts=_facts(record),
        says=_says(record),
        ticks=tuple(axis.ticks()),
        lanes=lanes,
        legend=legend,
        turns=tuple(
            axis.x_of(at)
            for at in (incident.declared_at, None if incident.is_open else incident.resolved_at)
            if at is not None
        ),
    )


def _facts(record: Record) -> str:
    """Return the numbers in one line."""
    numbers = numbers_of(record)
    said = [record.incident.severity.value, record.incident.status.value, f"declared {moment(numbers.declared_at)}"]
    if numbers.time_to_detect:
        said.append(f"{told(numbers.time_to_detect)} after it began")
    for name, seconds in (
        ("acknowledged", numbers.time_to_acknowledge),
        ("mitigated", numbers.time_to_mitigate),
        ("resolved", numbers.time_to_resolve),
    ):
        if seconds is not None:
            said.append(f"{name} after {told(seconds)}")
    return " · ".join(said)


def _says(record: Record) -> str:
    """Return in words what the picture shows, for whoever does not see it."""
    numbers = numbers_of(record)
    pages = numbers.pages
    return (
        f"{_facts(record)}. {plural(numbers.alerts, 'alert')}, {plural(pages.sent, 'page')} sent,"
        f" {plural(pages.failed, 'attempt')} failed. Times are in UTC."
    )


def _legend(used: set[str]) -> tuple[Sign, ...]:
    found: list[Sign] = []
    x, row = 20.0, 0
    for look, text in LEGEND:
        if look in used:
            if x + label_room(text) > WIDTH:
                x, row = 20.0, row + 1
            found.append(Sign(x, row, look, text))
            x += label_room(text)
    return tuple(found)
