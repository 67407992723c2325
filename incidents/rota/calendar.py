"""The shifts of rotations as an iCalendar feed (RFC 5545), for the calendars that people have already. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from icalendar import Calendar, Event

from incidents.oncall import Person
from incidents.rotations import Shift

PRODUCT = "-//Tocsin//On-call//EN"
REFRESH = timedelta(hours=1)


def calendar_of(shifts: Mapping[str, Sequence[Shift]], people: Mapping[str, Person], *, now: datetime) -> bytes:
    """Return the feed of the shifts of each rotation; `now` stamps the events, as the format demands.

    A shift keeps its identifier for ever, so that a calendar moves it and does not show it twice.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "On call: " + ", ".join(shifts))
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for rotation, listed in shifts.items():
        for shift in listed:
            calendar.add_component(_event(rotation, shift, people.get(shift.person), now))
    feed: bytes = calendar.to_ical()
    return feed


def _event(rotation: str, shift: Shift, person: Person | None, now: datetime) -> Event:
    event = Event()
    event.add("uid", f"{rotation}-{shift.start:%Y%m%dT%H%M%SZ}@tocsin")
    event.add("dtstamp", now)
    event.add("dtstart", shift.start)
    event.add("dtend", shift.until)
    event.add("summary", f"{person.name if person and person.name else shift.person}: {rotation}")
    event.add("categories", [rotation])
    if shift.override:
        event.add("description", "An override of the rotation")
    return event
