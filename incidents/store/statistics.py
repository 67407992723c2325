"""Reads what statistics are made of: summaries of incidents by when they were declared, and counted pages.

A closed incident has a summary beside it; only those that are open, or were closed before there were summaries, are
read whole. The cost follows the number of incidents that are asked for.
"""

from datetime import date, datetime

from incidents import keys
from incidents.clock import to_ms
from incidents.statistics.figures import Paged
from incidents.statistics.nights import SEPARATOR
from incidents.statistics.summary import Summary, summary_of
from incidents.store.codec import decode_incident, decode_summary
from incidents.store.connection import Link, Links, checked

CHUNK = 1000


def summaries(links: Links, since: datetime, until: datetime, *, restricted: bool) -> list[Summary]:
    """Return the incidents that were declared from `since` until before `until`, with those that were merged.

    Restricted ones only where they are asked for. Raises `StoreUnavailable`.
    """
    with links.borrow() as link:
        names, still_open = checked(
            link.ask(
                [
                    ("ZRANGEBYSCORE", keys.incidents(), to_ms(since), f"({to_ms(until)}"),
                    ("SMEMBERS", keys.incidents_open()),
                ]
            )
        )
        found: list[Summary] = []
        for start in range(0, len(names), CHUNK):
            found += _chunk(link, names[start : start + CHUNK], frozenset(still_open))
    return [summary for summary in found if restricted or not summary.restricted]


def _chunk(link: Link, names: list[bytes], still_open: frozenset[bytes]) -> list[Summary]:
    kept: list[bytes | None] = link.one("HMGET", keys.statistics(), *names)
    found: dict[bytes, Summary] = {}
    for name, value in zip(names, kept, strict=True):
        # One that was reopened has the summary of its first end.
        if value is not None and name not in still_open:
            found[name] = decode_summary(value)
    whole = [name for name in names if name not in found]
    stored = link.one("MGET", *(keys.incident(name.decode()) for name in whole)) if whole else ()
    for name, value in zip(whole, stored, strict=True):
        if value is not None:
            found[name] = summary_of(decode_incident(value))
    return [found[name] for name in names if name in found]


def paged(links: Links) -> list[Paged]:
    """Return the pages that reached people, by day; raises `StoreUnavailable`."""
    with links.borrow() as link:
        flat = link.one("HGETALL", keys.statistics_pages())
    return [_paged(field.decode(), int(count)) for field, count in zip(flat[::2], flat[1::2], strict=True)]


def forget_paged(link: Link, before: date) -> int:
    """Forget the pages of all days before one, and return how many counts that were; raises `StoreUnavailable`."""
    fields = link.one("HKEYS", keys.statistics_pages())
    gone = [field for field in fields if _paged(field.decode(), 0).day < before]
    for start in range(0, len(gone), CHUNK):
        link.one("HDEL", keys.statistics_pages(), *gone[start : start + CHUNK])
    return len(gone)


def _paged(field: str, count: int) -> Paged:
    day, time, person = field.split(SEPARATOR, 2)
    return Paged(date.fromisoformat(day), time, person, count)
