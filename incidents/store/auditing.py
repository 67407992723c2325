"""Proves that each open incident whose paging waits has its next step in the store, and mends it where it has not.

The step's instant is a part of the incident, so that the timer can always be made anew from it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from incidents import keys
from incidents.clock import to_ms
from incidents.incident import Incident
from incidents.measures import Measures, Tally
from incidents.store.codec import decode_incident
from incidents.store.commit import count_commands
from incidents.store.connection import Link, checked

AT_ONCE = 200


class Audited(NamedTuple):
    """How many open incidents were looked at, and the ids of those whose next step was missing and is back."""

    looked_at: int
    repaired: tuple[str, ...]


def claim_audit(link: Link, every_seconds: float) -> bool:
    """Take the audit of the next seconds; False when another process has it."""
    return link.one("SET", keys.audited(), "1", "NX", "PX", int(every_seconds * 1000) - 500) is not None


def audit_steps(link: Link) -> Audited:
    """Look at every open incident, and make the timers anew that are missing or late; raises `StoreUnavailable`."""
    names = [name.decode() for name in link.one("SMEMBERS", keys.incidents_open())]
    repaired: list[str] = []
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        repaired += [name for name in _doubtful(link, some) if _repair(link, name)]
    return Audited(len(names), tuple(repaired))


def all_is_well(link: Link) -> bool:
    """Whether a decider decides and a page worker delivers, just now."""
    decides, delivers = link.ask([("EXISTS", keys.lease()), ("EXISTS", keys.pager_lingers())])
    return bool(decides) and bool(delivers)


def _doubtful(link: Link, names: Sequence[str]) -> list[str]:
    stored, scores = checked(
        link.ask(
            [
                ("MGET", *(keys.incident(name) for name in names)),
                ("ZMSCORE", keys.escalations(), *names),
            ]
        )
    )
    return [
        name
        for name, value, score in zip(names, stored, scores, strict=True)
        if value is not None and _is_missing(decode_incident(value), score)
    ]


def _repair(link: Link, name: str) -> bool:
    """Make a timer anew, unless the incident or its timer has changed since: then it is in order, or seen next time."""
    _, value, score = checked(
        link.ask(
            [
                ("WATCH", keys.incident(name), keys.escalations()),
                ("GET", keys.incident(name)),
                ("ZSCORE", keys.escalations(), name),
            ]
        )
    )
    due = _due(decode_incident(value)) if value is not None else None
    if due is None or not _is_missing(decode_incident(value), score):
        link.one("UNWATCH")
        return False
    tally = Tally()
    tally.count(Measures.STEPS_REPAIRED)
    timer = ("ZADD", keys.escalations(), to_ms(due), name)
    replies = link.ask([("MULTI",), timer, *count_commands(tally), ("EXEC",)])
    return replies[-1] is not None


def _is_missing(incident: Incident, score: bytes | float | None) -> bool:
    due = _due(incident)
    return due is not None and (score is None or float(score) > to_ms(due))


def _due(incident: Incident) -> datetime | None:
    return incident.paging.due_at if incident.is_open and incident.paging is not None else None
