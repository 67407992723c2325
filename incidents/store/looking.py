"""Reads what a plan asks for, to look at it and not to change it: nothing is watched, and nothing written."""

from datetime import datetime

from incidents import keys
from incidents.alert import AlertState
from incidents.snapshot import Plan, Snapshot
from incidents.store.codec import decode_state
from incidents.store.connection import Links, checked
from incidents.store.load import load_commands, snapshot_of


def load_unwatched(links: Links, plan: Plan, now: datetime) -> Snapshot:
    """Return what deciding may look at; raises `StoreUnavailable`."""
    _, *loads = load_commands(plan, now)
    with links.borrow() as link:
        return snapshot_of(plan, [None, *checked(link.ask(loads))])


def remembered(links: Links, key: str) -> AlertState | None:
    """Return what is remembered of an alert (`SOURCE/FINGERPRINT`), None where nothing is."""
    with links.borrow() as link:
        stored = link.one("HGET", keys.alerts(), key)
    return decode_state(stored) if stored is not None else None
