"""Maintenance that people plan by the API: kept until a week after it is over, and loaded with every batch."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec

from incidents import events, keys
from incidents.errors import TocsinError
from incidents.incident import Incident
from incidents.maintenance import Maintenance
from incidents.store.codec import decode_incident, decode_maintenance
from incidents.store.connection import Command, Link, Links, checked
from incidents.store.idempotency import along
from incidents.store.incidents import Incidents
from incidents.store.tries import until_done

KEPT_FOR = timedelta(days=7)  # after its end
MOST = 500
AT_ONCE = 200


class TooMany(TocsinError):
    """As much maintenance is planned as is kept."""


class Taken(TocsinError):
    """There is maintenance of this id already."""


def planned(links: Links) -> tuple[Maintenance, ...]:
    """Return what came by the API, by id."""
    with links.borrow() as link:
        return decode_maintenance(tuple(link.one("HVALS", keys.maintenance())))


def add(links: Links, maintenance: Maintenance, now: datetime) -> None:
    """Keep one more, and forget what was over long ago; raises `Taken`, `TooMany`."""
    with links.borrow() as link:
        until_done(link, partial(_try_add, link, maintenance, now), "the maintenance")


def _try_add(link: Link, maintenance: Maintenance, now: datetime) -> bool | None:
    """Add it and return True; None when something came between."""
    key = keys.maintenance()
    _, values = checked(link.ask([("WATCH", key), ("HVALS", key)]))
    known = decode_maintenance(tuple(values))
    gone = [each.id for each in known if each.is_over(now - KEPT_FOR)]
    if len(known) - len(gone) >= MOST:
        raise TooMany
    if any(each.id == maintenance.id for each in known if each.id not in gone):
        raise Taken
    commands: list[Command] = [("HDEL", key, *gone)] if gone else []
    commands += [("HSET", key, maintenance.id, msgspec.json.encode(maintenance)), *along(maintenance.id)]
    return checked(link.ask([("MULTI",), *commands, ("EXEC",)]))[-1] is not None or None


def end(links: Links, incidents: Incidents, maintenance_id: str, actor: str, now: datetime) -> tuple[bool, list[str]]:
    """Take one away; return whether it was there, and the incidents that it held and that are paged or looked at now.

    It is taken away first, so that nothing new is held; should the rest fail, it can be asked for again.
    """
    with links.borrow() as link:
        was_there = bool(link.one("HDEL", keys.maintenance(), maintenance_id))
        names = _held(link).get(maintenance_id, [])
    event = events.HoldChanged(ended=maintenance_id, actor=actor)
    for name in names:
        incidents.apply(name, event, now=now)
    return was_there, names


def held(links: Links) -> dict[str, list[str]]:
    """Return the open incidents whose paging is held, by the id of each maintenance that holds it."""
    with links.borrow() as link:
        return _held(link)


def _held(link: Link) -> dict[str, list[str]]:
    names = sorted(name.decode() for name in link.one("SMEMBERS", keys.incidents_open()))
    found: dict[str, list[str]] = {}
    for start in range(0, len(names), AT_ONCE):
        for incident in _some(link, names[start : start + AT_ONCE]):
            for hold in incident.paging.holds if incident.paging is not None else ():
                found.setdefault(hold.id, []).append(incident.id)
    return found


def _some(link: Link, names: Sequence[str]) -> list[Incident]:
    (stored,) = checked(link.ask([("MGET", *(keys.incident(name) for name in names))]))
    return [decode_incident(value) for value in stored if value is not None]
