"""What the API tells of the store's health beside the measures: its clock, who was heard, and doctor's probes."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from incidents import keys
from incidents.clock import from_ms
from incidents.store.connection import Links, checked

WRITABLE_MS = 10_000


class Vitals(NamedTuple):
    """What the store answers of itself."""

    store_now: datetime
    sources_heard: dict[str, datetime]
    probe_decided: bool


def clock_ahead(links: Links, now: datetime) -> timedelta:
    """Return how far a clock is ahead of the store's, negative where it is behind; raises `StoreUnavailable`."""
    with links.borrow() as link:
        return now - _instant(link.one("TIME"))


def ensure_writable(links: Links) -> None:
    """Raise `StoreUnavailable` with the reason where the store takes no writes: away, full, read-only."""
    with links.borrow() as link:
        link.one("SET", keys.writable(), 1, "PX", WRITABLE_MS)


def vitals(links: Links, *, probe: str = "") -> Vitals:
    """Ask the store for its time, the sources that were heard, and whether a probe was decided.

    Raises `StoreUnavailable`.
    """
    with links.borrow() as link:
        clock, heard, probed = checked(
            link.ask([("TIME",), ("HGETALL", keys.sources_heard()), ("EXISTS", keys.probe(probe))])
        )
    return Vitals(
        store_now=_instant(clock),
        sources_heard={name.decode(): from_ms(int(at)) for name, at in zip(heard[::2], heard[1::2], strict=True)},
        probe_decided=bool(probed) and bool(probe),
    )


def _instant(time: Any) -> datetime:
    seconds, microseconds = time
    return from_ms(int(seconds) * 1000 + int(microseconds) // 1000)
