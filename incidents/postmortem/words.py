"""Durations and instants in words for readers. Pure."""

from datetime import UTC, datetime

MINUTE, HOUR, DAY = 60, 3600, 86400


def told(seconds: float | None) -> str:
    """Return a duration in its two largest units: `45 s`, `47 min`, `2 h 5 min`, `3 d 4 h`; None is "not known"."""
    if seconds is None:
        return "not known"
    whole = round(max(seconds, 0.0))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < 10 * MINUTE:
        return _two(whole, MINUTE, "min", 1, "s")
    if whole < HOUR:
        return f"{whole // MINUTE} min"
    if whole < DAY:
        return _two(whole, HOUR, "h", MINUTE, "min")
    return _two(whole, DAY, "d", HOUR, "h")


def _two(whole: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = whole % large // small
    return f"{whole // large} {large_name}" + (f" {rest} {small_name}" if rest else "")


def moment(at: datetime | None) -> str:
    """Return an instant as people read it: `2026-11-02 03:00:00 UTC`, "" for none."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def plural(number: int, one: str, many: str = "") -> str:
    """Return a number with its word: `1 page`, `3 pages`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
