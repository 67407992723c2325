"""Reads a calendar (RFC 5545) into plain events, recurring ones one by one over a bounded time. Pure.

Whatever is wrong with a calendar is a `BadCalendar` that says what; nothing in one takes memory or time without bound.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar

from incidents.calendars import MOST_BYTES, Copy, Event, horizon
from incidents.errors import TocsinError
from incidents.hours import instant_of
from incidents.rota.recurrence import BadRecurrence, times_a_day

MOST_EVENTS = 20_000  # written in the calendar
MOST_RECURRING = 500  # a day, each recurring event counted as one
MOST_OVER = timedelta(days=731)
MOST_NAMES, LONGEST_NAME = 20, 200
_OLDEST_YEAR = 1970
_DAY = timedelta(days=1)
_UNREADABLE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    RecursionError,
)


class BadCalendar(TocsinError):
    """A text is no calendar that turns can be read from; the message says why."""


def read_calendar(text: str | bytes, zone: str, now: datetime) -> Copy:
    """Return the events of a calendar around an instant; `zone` is that of days and of times without one.

    Cancelled events are left out, and who declined is nobody's name. Raises BadCalendar.
    """
    return _between(text, zone, *horizon(now))


def reader_over(since: datetime, until: datetime) -> Callable[[str | bytes, str, datetime], Copy]:
    """Return a reader as `read_calendar` that also knows the turns of a time gone by, for what is tried on it.

    Of a time longer than two years only the beginning is read.
    """
    until = min(until, since + MOST_OVER)

    def read(text: str | bytes, zone: str, now: datetime) -> Copy:
        around = horizon(now)
        begin, end = min(since, around[0]), max(until, around[1])
        return _between(text, zone, *((begin, end) if end - begin <= MOST_OVER else (since, until)))

    return read


def _between(text: str | bytes, zone: str, since: datetime, until: datetime) -> Copy:
    if len(text) > MOST_BYTES:
        raise BadCalendar(f"the calendar has more than {MOST_BYTES // 1024 // 1024} MiB")
    calendar = _parsed(text)
    try:
        _check(calendar)
        found = list(_expanded(calendar, since, until, ZoneInfo(zone)))
    except _UNREADABLE as error:
        raise BadCalendar(f"the calendar cannot be read: {_said(error)}") from error
    return Copy(since=since, until=until, events=tuple(sorted(found, key=lambda each: (each.start, each.names))))


def _parsed(text: str | bytes) -> Calendar:
    try:
        written = text if isinstance(text, str) else text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadCalendar("the calendar is not UTF-8") from error
    written = written.removeprefix("\ufeff").strip()
    if not written.upper().startswith("BEGIN:VCALENDAR"):
        raise BadCalendar("this is no calendar: it does not begin with BEGIN:VCALENDAR")
    if not written.upper().endswith("END:VCALENDAR"):
        raise BadCalendar("the calendar is torn: it does not end with END:VCALENDAR")
    _check_recurrences(written)
    try:
        calendar = Calendar.from_ical(written)
    except _UNREADABLE as error:
        raise BadCalendar(f"the calendar cannot be read: {_said(error)}") from error
    if not isinstance(calendar, Calendar):
        raise BadCalendar("this is no calendar, but a part of one")
    return calendar


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:200] or type(error).__name__


# ------------------------------------------------------------------------------------------------------ what is refused


def _check_recurrences(text: str) -> None:
    """Refuse what takes long to expand, before anything is made of it: zones have recurrences too."""
    try:
        recurring = times_a_day(text)
    except BadRecurrence as error:
        raise BadCalendar(f"the recurrence {error}") from error
    if recurring > MOST_RECURRING:
        raise BadCalendar(f"the calendar has more than {MOST_RECURRING} recurring events a day")


def _check(calendar: Calendar) -> None:
    events = calendar.walk("VEVENT")
    if not events:
        raise BadCalendar("the calendar has no events")
    if len(events) > MOST_EVENTS:
        raise BadCalendar(f"the calendar has more than {MOST_EVENTS:,} events")
    for component in events:
        event: Any = component
        name = str(event.get("SUMMARY", ""))[:60]
        if event.get("DTSTART") is None:
            raise BadCalendar(f"the event {name!r} has no beginning (DTSTART)")
        for key in ("DTSTART", "DTEND", "RECURRENCE-ID"):
            _check_zone(event.get(key), name)
        if event.get("RRULE") is not None and event["DTSTART"].dt.year < _OLDEST_YEAR:
            raise BadCalendar(f"the event {name!r} repeats since before {_OLDEST_YEAR}")


def _check_zone(when: Any, name: str) -> None:  # noqa: ANN401
    if when is None:
        return
    zone = when.params.get("TZID")
    if zone and isinstance(when.dt, datetime) and when.dt.tzinfo is None:
        raise BadCalendar(f"the event {name!r} is in the time zone {str(zone)[:60]!r}, which nobody knows")


def _listed(value: Any) -> list[Any]:  # noqa: ANN401
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


# ------------------------------------------------------------------------------------------------------------ expanding


def _expanded(calendar: Calendar, since: datetime, until: datetime, zone: tzinfo) -> Iterator[Event]:
    # A day on either side: what has no zone is of that of the rotation, which the library does not know.
    for event in recurring_ical_events.of(calendar).between(since - _DAY, until + _DAY):
        found = _event(event, zone)
        if found is not None and found.start < until and found.until > since:
            yield found


def _event(event: Any, zone: tzinfo) -> Event | None:  # noqa: ANN401
    start, until = _instant(event.start, zone), _instant(event.end, zone)
    if str(event.get("STATUS", "")).upper() == "CANCELLED" or start >= until:
        return None
    return Event(start, until, tuple(_names(event))[:MOST_NAMES])


def _names(event: Any) -> Iterator[str]:  # noqa: ANN401
    yield _one_line(event.get("SUMMARY", ""))
    for attendee in _listed(event.get("ATTENDEE")):
        if str(attendee.params.get("PARTSTAT", "")).upper() == "DECLINED":
            continue
        address = str(attendee)
        yield _one_line(address[len("mailto:") :] if address.lower().startswith("mailto:") else address)
        if attendee.params.get("CN"):
            yield _one_line(attendee.params["CN"])


def _one_line(text: Any) -> str:  # noqa: ANN401
    return " ".join("".join(each if each.isprintable() else " " for each in str(text)).split())[:LONGEST_NAME]


def _instant(when: date | datetime, zone: tzinfo) -> datetime:
    if not isinstance(when, datetime):
        return instant_of(datetime.combine(when, time()), zone)
    return instant_of(when, zone) if when.tzinfo is None else when.astimezone(UTC)
