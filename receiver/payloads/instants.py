"""Reads the instants that senders write. Pure."""

import re
from datetime import UTC, datetime

_LEAP_SECOND = re.compile(r"^(.{10}[Tt ]\d\d:\d\d):60(?:\.\d+)?")


def normal(instant: datetime | None) -> datetime | None:
    """Return an aware instant in UTC: one without a zone is taken as UTC, Go's zero time (year 1) as absent.

    An instant whose zone pushes it past the last year becomes the last instant there is.
    """
    if instant is None or instant.year == 1:
        return None
    if instant.tzinfo is UTC:
        return instant
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def read(text: str) -> datetime | None:
    """Return the instant that a text means, `None` for an empty one or zero time; raises `ValueError`.

    A leap second is taken as the second before it; fractions beyond microseconds are dropped.
    """
    text = text.strip()
    if not text:
        return None
    if len(text) > 64:
        raise ValueError("too long")
    return normal(datetime.fromisoformat(_LEAP_SECOND.sub(r"\1:59", text)))
