"""The only reader of the wall clock; everywhere else `now` is an argument."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)


def to_ms(instant: datetime) -> int:
    """Return an aware instant as whole milliseconds since the epoch (the unit of scores in the store)."""
    return int(instant.timestamp() * 1000)


def from_ms(milliseconds: float) -> datetime:
    """Return the aware UTC instant of so many milliseconds since the epoch."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
