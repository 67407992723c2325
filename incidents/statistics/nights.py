"""What a night is: by the clock on the wall of whoever is paged. Pure."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from incidents.oncall import OnCall
from incidents.page import CHANNEL_PREFIX
from incidents.timeline import Entry, EntryKind

NIGHT_BEGINS, NIGHT_ENDS = 22, 7  # hours of the paged person's own clock
SEPARATOR = "|"
DAY, NIGHT = "day", "night"


def is_night(local: datetime) -> bool:
    """Whether a page at this local time wakes somebody."""
    return local.hour >= NIGHT_BEGINS or local.hour < NIGHT_ENDS


def time_of_day(oncall: OnCall, person: str, at: datetime) -> str:
    """Return `night` or `day` by a person's own clock, empty for a channel that is nobody's."""
    if person.startswith(CHANNEL_PREFIX):
        return ""
    known = oncall.people.get(person)
    return NIGHT if is_night(at.astimezone(_zone(known.timezone if known is not None else "UTC"))) else DAY


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def paged_field(entry: Entry) -> str:
    """Return under which name a page that reached a person is counted: `2026-11-02|night|amira`; empty for others."""
    time = entry.data.get("time_of_day") if entry.kind is EntryKind.PAGE_SENT else None
    return SEPARATOR.join((f"{entry.at:%Y-%m-%d}", time, entry.data["person"])) if time else ""
