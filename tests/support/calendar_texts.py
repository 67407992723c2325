"""Calendars as text, for tests of rotations that are read from them."""

from itertools import count

_NUMBERS = count(1)
_SERIES = "series@example.org"


def event(summary: str, start: str, end: str, *more: str, zone: str = "") -> str:
    """An event; `start` and `end` as iCalendar writes them, days or times, `more` its other lines.

    Those that recur and those that stand in for one instance are of one series.
    """
    in_series = any(line.startswith(("RRULE", "RECURRENCE-ID")) for line in more)
    uid = _SERIES if in_series else f"{next(_NUMBERS)}@example.org"
    kind = ";VALUE=DATE" if "T" not in start else f";TZID={zone}" if zone else ""
    lines = [f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"SUMMARY:{summary}", f"DTSTART{kind}:{start}"]
    return "\r\n".join(["BEGIN:VEVENT", *lines, f"DTEND{kind}:{end}", *more, "END:VEVENT", ""])


def calendar(*events: str) -> str:
    """A calendar of events."""
    return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Tests//EN\r\n" + "".join(events) + "END:VCALENDAR\r\n"
