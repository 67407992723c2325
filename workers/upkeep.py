"""Upkeep of what is remembered of alerts: forgets what ended long ago, finds what went silent, a little at a time.

It runs on the decider's connection, under its fence: nobody else writes these keys.
"""

from datetime import datetime, timedelta

from incidents import keys
from incidents.clock import from_ms, to_ms
from incidents.commit import TIMER_STALE
from incidents.store.codec import score_of
from incidents.store.connection import Command, Link, checked
from rules.deciding.work import DueTimer

REMEMBERED_FOR = timedelta(days=3)  # resolved alerts: a late delivery of an old firing must still be known as late
AT_ONCE = 500
EVERY_SECONDS = 10.0


def forget_old_alerts(link: Link, now: datetime, fence: int) -> int:
    """Forget resolved alerts that nobody spoke of for days; return how many. Does nothing once the fence has moved."""
    _, current, rows = checked(
        link.ask(
            [
                ("WATCH", keys.fence(), keys.alerts_resolved()),
                ("GET", keys.fence()),
                ("ZRANGEBYSCORE", keys.alerts_resolved(), "-inf", to_ms(now - REMEMBERED_FOR), "LIMIT", 0, AT_ONCE),
            ]
        )
    )
    if not rows or int(current or 0) != fence:
        link.one("UNWATCH")
        return 0
    checked(
        link.ask(
            [
                ("MULTI",),
                ("HDEL", keys.alerts(), *rows),
                ("ZREM", keys.alerts_seen(), *rows),
                ("ZREM", keys.alerts_resolved(), *rows),
                ("EXEC",),
            ]
        )
    )
    return len(rows)


def gone_silent(link: Link, now: datetime, stale_after: timedelta) -> tuple[tuple[DueTimer, ...], tuple[Command, ...]]:
    """Return the alerts that became too old to be believed since the last look, and what moves the mark past them.

    Alerts are sorted by when they were heard last, so each crosses the line once for each time that it goes silent.
    """
    mark = int(link.one("GET", keys.alerts_stale_mark()) or 0)
    line = to_ms(now - stale_after)
    rows = link.one("ZRANGEBYSCORE", keys.alerts_seen(), f"({mark}", line, "WITHSCORES", "LIMIT", 0, AT_ONCE)
    found = [(name.decode(), score_of(score)) for name, score in zip(rows[::2], rows[1::2], strict=True)]
    if not found:
        return (), ()
    if len(found) == AT_ONCE:
        # Those that were heard in the same millisecond as the last one may lie beyond the limit.
        found = [row for row in found if row[1] < found[-1][1]] or found
    timers = tuple(DueTimer(TIMER_STALE + name, from_ms(score) + stale_after) for name, score in found)
    return timers, (("SET", keys.alerts_stale_mark(), found[-1][1]),)
