"""Hours of a week on the clock on the wall: when a layer of a rotation is open, as instants. Pure."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from incidents.oncall import Hours

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
# Hours repeat every week; a gap that daylight saving closes may join two of them.
_DAYS_AROUND = 16
_WEEK, _DAY, _NONE = timedelta(weeks=1), timedelta(days=1), timedelta(0)


class Stretch(NamedTuple):
    """An unbroken stretch of time (UTC, `until` exclusive) that is open throughout, or closed throughout."""

    is_open: bool
    start: datetime
    until: datetime


def stretch_at(hours: tuple[Hours, ...], zone: str, at: datetime) -> Stretch:
    """Return the stretch around an instant; without any hours, or with those of the whole week, all time is open."""
    if _is_always(hours):
        return Stretch(is_open=True, start=FIRST, until=LAST)
    start, until = FIRST, LAST
    for opens, closes in _around(hours, zone, at.astimezone(ZoneInfo(zone)).date()):
        if opens <= at < closes:
            return Stretch(is_open=True, start=opens, until=closes)
        if closes <= at:
            start = closes
        else:
            until = opens
            break
    return Stretch(is_open=False, start=start, until=until)


def instant_of(local: datetime, zone: tzinfo) -> datetime:
    """Return the UTC instant of a local time: the first of two, or the first that exists after one that does not."""
    before, after = (local.replace(tzinfo=zone, fold=fold).utcoffset() or _NONE for fold in (0, 1))
    aware = local.replace(tzinfo=UTC)
    return aware - before if before >= after else _transition(aware - after, aware - before, zone)


def _transition(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """Return the instant between two at which the zone's offset changes; offsets change on whole seconds."""
    low, high = low.replace(microsecond=0), high.replace(microsecond=0)
    old = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == old else (low, middle)
    return high


@lru_cache(maxsize=1024)
def _is_always(hours: tuple[Hours, ...]) -> bool:
    """Whether hours leave no minute of the week out, on the clock on the wall."""
    if not hours:
        return True
    spans = sorted((_DAY * day + _since_midnight(one.start), _length(one)) for one in hours for day in one.weekdays)
    # What runs over the end of the week is looked at from its beginning.
    spans = sorted([*spans, *((start - _WEEK, length) for start, length in spans)])
    covered = _NONE
    for start, length in spans:
        if start > covered:
            return False
        covered = max(covered, start + length)
    return covered >= _WEEK


@lru_cache(maxsize=4096)
def _around(hours: tuple[Hours, ...], zone: str, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """Return the open stretches around a day, those that touch or overlap made one."""
    days = (day + _DAY * shift for shift in range(-_DAYS_AROUND, _DAYS_AROUND + 1))
    merged: list[tuple[datetime, datetime]] = []
    for opens, closes in sorted(span for each in days for span in _on(hours, ZoneInfo(zone), each)):
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], closes))
        else:
            merged.append((opens, closes))
    return tuple(merged)


def _on(hours: tuple[Hours, ...], zone: tzinfo, day: date) -> list[tuple[datetime, datetime]]:
    """Return what opens on a day of the zone; what the clock swallowed is left out."""
    found = []
    for one in hours:
        if day.weekday() in one.weekdays:
            local = datetime.combine(day, one.start)
            opens, closes = instant_of(local, zone), instant_of(local + _length(one), zone)
            if opens < closes:
                found.append((opens, closes))
    return found


def _length(one: Hours) -> timedelta:
    """Return how long hours last on the clock; they go past midnight to end, a whole day where both are the same."""
    length = _since_midnight(one.until) - _since_midnight(one.start)
    return length if length > _NONE else length + _DAY


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
