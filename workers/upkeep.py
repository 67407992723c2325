"""Upkeep of the decider's own keys: what is remembered of alerts that ended long ago is forgotten, a little at a time.

It runs on the decider's connection, under its fence: nobody else writes these keys.
"""

from datetime import datetime, timedelta

from incidents import keys
from incidents.clock import to_ms
from incidents.store.connection import Link, checked

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
