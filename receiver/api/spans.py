"""From when until when something is to hold that a person plans: checked, and in UTC."""

from datetime import UTC, datetime, timedelta

from receiver.api.reading import unfit

PAST = timedelta(minutes=1)  # how far back "now" may lie, as the clock of the caller says it
AHEAD = timedelta(days=3660)


def span_of(
    start: datetime | None, until: datetime, now: datetime, *, what: str, longest: timedelta, longer: str = ""
) -> tuple[datetime, datetime]:
    """Return from when (by default now) until when `what` holds; raises `Problem` 422, which says `longer` to what is
    too long or too far ahead.

    What is far away is refused first, for UTC may not reach it.
    """
    start = start or now
    if start < now - PAST:
        raise unfit("/from", "From lies in the past, which has happened.", "Leave it out for now.")
    if until <= now:
        raise unfit("/until", "Until lies in the past, which has happened.")
    start = max(start, now)
    if until <= start:
        raise unfit("/until", f"{what} ends before it begins.", "Until must be later than from.")
    if until - start > longest:
        raise unfit("/until", f"{what} lasts {longest.days} days at most.", longer)
    if start - now > AHEAD:
        raise unfit("/from", f"From lies more than {AHEAD.days} days ahead.", longer)
    return start.astimezone(UTC), until.astimezone(UTC)
