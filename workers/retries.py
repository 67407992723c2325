"""When a page is tried again, and what an HTTP status says of it: two tables, pure."""

from datetime import timedelta
from enum import StrEnum

# Seconds from the start of one try to the start of the next: the third begins within ten seconds of the first.
_DELAYS = (2, 4, 10, 20, 40, 60, 60)
_LONGEST = 60
_JITTER = 0.25  # the share of a delay that jitter may take off

TRIES = len(_DELAYS) + 1
"""How often one page is tried on one channel."""

_RETRY = frozenset({408, 425, 429})


class Verdict(StrEnum):
    """What an answer means for the page."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    PERMANENT = "permanent"


def verdict(status_code: int) -> Verdict:
    """Return what an HTTP status says; redirects are refused, since a page goes only where the operator said."""
    if 200 <= status_code < 300:
        return Verdict.ACCEPTED
    if status_code in _RETRY or 500 <= status_code < 600:
        return Verdict.RETRY
    return Verdict.PERMANENT


def delay_before(attempt: int, jitter: float, retry_after: float | None) -> timedelta | None:
    """Return how long after the start of the try before it the try number `attempt` begins; None: give up.

    `attempt` counts from 1; `jitter` is drawn from [0, 1) and only ever shortens the delay; `retry_after` is what the
    provider asked for in seconds, and is heeded up to a minute.
    """
    if attempt > TRIES:
        return None
    own = _DELAYS[attempt - 2] * (1 - _JITTER * jitter) if attempt > 1 else 0.0
    asked = min(retry_after, _LONGEST) if retry_after is not None and retry_after > 0 else 0.0
    return timedelta(seconds=max(own, asked))
