"""What the API tells of the store's health beside the measures: its clock, who was heard, and doctor's probes."""

from datetime import datetime
from typing import NamedTuple

from incidents import keys
from incidents.clock import from_ms
from incidents.store.connection import Links, checked

WRITABLE_MS = 10_000


class Vitals(NamedTuple):
    """What the store answers of itself."""

    store_now: datetime
    sources_heard: dict[str, datetime]
    probe_decided: bool


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
        store_now=from_ms(int(clock[0]) * 1000 + int(clock[1]) // 1000),
        sources_heard={name.decode(): from_ms(int(at)) for name, at in zip(heard[::2], heard[1::2], strict=True)},
        probe_decided=bool(probed) and bool(probe),
    )
