"""What follows an attempt that failed, and when an attempt may begin at all: the person's next channel, never a delay
of the next step. Pure but for the buckets, which remember what was sent.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from incidents.page import Page
from workers.dispatch import Result
from workers.retries import TRIES, delay_before

TRIES_BEFORE_NEXT = 3  # on one channel, while the person has another


def next_try(
    page: Page, channels: int, result: Result, now: datetime, *, jitter: float, until: datetime | None
) -> tuple[Page, datetime] | None:
    """Return a page as it is tried next, and when: on this channel, on the person's next one, or not at all.

    `until` is when the next step is due: a wait past it goes to the person's next channel at once, if there is one.
    `jitter` is drawn from [0, 1).
    """
    from_here = replace(page, channel_attempts=page.channel_attempts + 1, unanswered=result.unanswered)
    has_next = page.channel_index + 1 < channels
    tries = TRIES_BEFORE_NEXT if has_next else TRIES
    if not result.permanent and from_here.channel_attempts < tries:
        delay = delay_before(from_here.channel_attempts + 1, jitter, result.retry_after)
        if delay is not None and not (has_next and _is_past(now + delay, until)):
            return from_here, now + delay
    if has_next:
        return replace(from_here, channel_index=page.channel_index + 1, channel_attempts=0), now
    return None


def not_yet(
    page: Page, channels: int, wait: timedelta, now: datetime, *, until: datetime | None
) -> tuple[Page, datetime]:
    """Return a page whose provider has no room yet: it waits, or goes to the next channel where that is too long."""
    has_next = page.channel_index + 1 < channels
    if has_next and _is_past(now + wait, until):
        return replace(page, channel_index=page.channel_index + 1, channel_attempts=0), now
    return page, now + wait


def _is_past(at: datetime, until: datetime | None) -> bool:
    return until is not None and at >= until
