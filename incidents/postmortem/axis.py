"""The time axis of the picture: where an instant stands, and which instants are named. Pure."""

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from incidents.postmortem.record import Record

WIDTH, LEFT, RIGHT = 1080.0, 128.0, 20.0
LETTER = 6.3  # how wide a letter of a label is, about
MOST_TICKS = 9
DATE_WIDTH = 64.0
_STEPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200),
        *(86400, 2 * 86400, 7 * 86400, 14 * 86400, 28 * 86400, 91 * 86400, 364 * 86400),
    )
)
_SHORTEST = timedelta(minutes=1)
_LEAST_LEAD = timedelta(minutes=15)


class Tick(NamedTuple):
    """A named instant: its time of day, and its date where a day begins."""

    x: float
    text: str
    date: str


class Axis:
    """Turns instants into places between the left and the right edge."""

    def __init__(self, since: datetime, until: datetime) -> None:
        self.since, self.until = since, until

    def holds(self, at: datetime) -> bool:
        """Whether an instant is on the axis."""
        return self.since <= at <= self.until

    def x_of(self, at: datetime) -> float:
        """Return where an instant stands; what is outside stands at the edge."""
        share = (at - self.since) / (self.until - self.since)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * min(max(share, 0.0), 1.0), 1)

    def ticks(self) -> Iterator[Tick]:
        """Yield the named instants, in UTC, at round times."""
        whole = self.until - self.since
        step = next((each for each in _STEPS if whole / each <= MOST_TICKS), _STEPS[-1])
        midnight = self.since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        at = midnight + step * -(-(self.since - midnight) // step)
        shape = "%H:%M:%S" if step < timedelta(minutes=1) else "%H:%M"
        day, dated = None, -DATE_WIDTH
        while at <= self.until:
            x = self.x_of(at)
            new = at.date() != day and x - dated >= DATE_WIDTH and x <= WIDTH - DATE_WIDTH
            yield Tick(x, f"{at:{shape}}" if step < timedelta(days=1) else "", f"{at:%d %b %Y}" if new else "")
            if new:
                day, dated = at.date(), x
            at += step


def axis_of(record: Record) -> Axis:
    """Return the axis of an incident; what began very long before it was declared begins outside."""
    declared = record.incident.declared_at
    end = max(record.end, declared + _SHORTEST)
    lead = max((end - declared) / 2, _LEAST_LEAD)
    since = max(min(record.began, declared), declared - lead)
    whole = end - since
    # How it ended is named at the right edge.
    return Axis(since - whole / 50, end + whole / (50 if record.incident.is_open else 12))


def width_of(text: str) -> float:
    """Return how wide a label is, about."""
    return LETTER * sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def fitting(text: str, width: float) -> str:
    """Return as much of a label as there is room for; empty where not even three letters are."""
    if width_of(text) <= width:
        return text
    kept = ""
    for each in text:
        if width_of(kept + each) + LETTER > width:
            break
        kept += each
    return f"{kept.rstrip()}…" if len(kept) >= 3 else ""
