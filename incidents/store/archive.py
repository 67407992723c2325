"""Archives closed incidents, brings them back when something is asked of them or done to them, and deletes old ones.

Each step is one transaction under WATCH of everything that it touches, so that a death between two steps leaves every
incident whole, and a change at the same moment wins.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from incidents import keys
from incidents.archive import (
    HEADER,
    MARK,
    Archived,
    Front,
    Key,
    archive_of,
    closed_at,
    closed_in,
    front_of,
    incident_in,
    is_archive,
    rest_of,
)
from incidents.clock import to_ms
from incidents.errors import StoreConflict
from incidents.incident import AlertTally, Incident
from incidents.keyring import LISTS_OF_INCIDENTS, parts_of
from incidents.store.codec import decode_incident, tally_of
from incidents.store.connection import Command, Link, checked
from incidents.store.load import FIELDS
from incidents.store.logical import GONE, Value, read_values, write_commands

__all__ = ["Archived", "Kept", "Sweep", "bring_back", "counted", "sweep"]

AT_ONCE = 100
TRIES = 10
AWAKE_SECONDS = 86_400


class Kept(NamedTuple):
    """After how long a closed incident is archived, and after how long it is deleted."""

    plain: timedelta
    whole: timedelta


class Sweep(NamedTuple):
    """What one look at some incidents did, and where the next one begins; None after the last."""

    archived: tuple[str, ...]
    deleted: tuple[str, ...]
    next: int | None


def counted(value: bytes, tally: list[bytes | None]) -> tuple[Incident, AlertTally]:
    """Return a stored incident with the counts of its alerts, which an archived one holds itself."""
    if not is_archive(value):
        return decode_incident(value), tally_of(*tally)
    front = front_of(value)
    return decode_incident(front.incident), tally_of(*front.tally)


def bring_back(link: Link, incident_id: str) -> bool:
    """Make an archived incident what it was before, for a day at least; False where it is not archived.

    Nothing may be watched on the link. Raises `StoreConflict` after many tries, and `StoreUnavailable`.
    """
    key = keys.incident(incident_id)
    for _ in range(TRIES):
        if link.one("GETRANGE", key, 0, len(MARK) - 1) != MARK:
            return False
        _, value = checked(link.ask([("WATCH", key, *parts_of(incident_id)), ("GET", key)]))
        if value is None or not is_archive(value):
            link.one("UNWATCH")
            return False
        commands = _unpacked(link, incident_id, value)
        if checked(link.ask([("MULTI",), *commands, ("EXEC",)]))[-1] is not None:
            return True
    raise StoreConflict(f"{incident_id} kept changing")


def _unpacked(link: Link, incident_id: str, value: bytes) -> list[Command]:
    """Return what writes the keys of an archive; what came meanwhile stands after it."""
    rest = rest_of(value)
    newer = read_values(link, sorted(rest), 0)
    commands: list[Command] = [("SET", keys.incident(incident_id), incident_in(value))]
    commands.append(("SET", keys.incident_awake(incident_id), "1", "EX", AWAKE_SECONDS))
    commands.append(("SREM", keys.incidents_archived(), incident_id))
    for name, kept in rest.items():
        commands.append(("DEL", name))
        commands += write_commands(name, Value(*_plain(kept)))
        if newer[name].kind == kept.kind:
            commands += write_commands(name, newer[name]._replace(lapses_ms=0))
    return commands


def _plain(kept: Key) -> tuple[str, list[bytes | tuple[bytes, object]], int, str]:
    return kept.kind, kept.rows, kept.lapses_ms, kept.last


def sweep(link: Link, start: int, kept: Kept, now: datetime) -> Sweep:
    """Look at some incidents in the order in which they were declared: archive and delete what is old enough.

    Raises `StoreUnavailable`.
    """
    names = [name.decode() for name in link.one("ZRANGE", keys.incidents(), start, start + AT_ONCE - 1)]
    heads = checked(link.ask([("GETRANGE", keys.incident(name), 0, HEADER - 1) for name in names])) if names else []
    archived, deleted = [], []
    for name, head in zip(names, heads, strict=True):
        if is_archive(head):
            if now - closed_in(head) >= kept.whole and _delete(link, name):
                deleted.append(name)
            continue
        stored = link.one("GET", keys.incident(name))
        closed = closed_at(decode_incident(stored)) if stored is not None else now - kept.whole
        if closed is not None and now - closed >= kept.whole:
            if _delete(link, name):
                deleted.append(name)
        elif closed is not None and now - closed >= kept.plain and _archive(link, name, now):
            archived.append(name)
    following = start + len(names) - len(deleted) if len(names) == AT_ONCE else None
    return Sweep(tuple(archived), tuple(deleted), following)


def _archive(link: Link, incident_id: str, now: datetime) -> bool:
    """Pack a closed incident; False when it is needed as it is, or changed at that moment."""
    key, parts = keys.incident(incident_id), parts_of(incident_id)
    _, value, is_awake = checked(
        link.ask([("WATCH", key, *parts), ("GET", key), ("EXISTS", keys.incident_awake(incident_id))])
    )
    incident = decode_incident(value) if value is not None and not is_archive(value) else None
    closed = closed_at(incident) if incident is not None else None
    if incident is None or closed is None or is_awake or _is_pointed_to(link, incident):
        link.one("UNWATCH")
        return False
    values = read_values(link, parts, to_ms(now))
    rest = {
        name: Key(found.kind, list(found.rows), found.lapses_ms, found.last)
        for name, found in values.items()
        if found.kind != GONE
    }
    tally = {row[0]: row[1] for row in values[keys.tally(incident_id)].rows if isinstance(row, tuple)}
    front = Front(value, [tally.get(field.encode()) for field in FIELDS])
    packed = archive_of(closed, front, rest)
    marked: Command = ("SADD", keys.incidents_archived(), incident_id)
    replies = link.ask([("MULTI",), ("SET", key, packed), ("DEL", *parts), marked, ("EXEC",)])
    return checked(replies)[-1] is not None


def _is_pointed_to(link: Link, incident: Incident) -> bool:
    """Whether an identity of the incident still leads to it, so that an alert may reopen it any moment."""
    pointers = [keys.identity(name) for name in incident.identity_keys]
    _, targets = checked(link.ask([("WATCH", *pointers), ("MGET", *pointers)]))
    return any(target is not None and target.decode().rpartition(":")[0] == incident.id for target in targets)


def _delete(link: Link, incident_id: str) -> bool:
    """Delete a closed incident with everything of its own; False when it was reopened at that moment."""
    key = keys.incident(incident_id)
    _, value = checked(link.ask([("WATCH", key), ("GET", key)]))
    incident = decode_incident(value) if value is not None else None
    if incident is not None and incident.is_open:
        link.one("UNWATCH")
        return False
    gone: list[str] = [key, *parts_of(incident_id)]
    if incident is not None and _is_pointed_to(link, incident):
        gone += [keys.identity(name) for name in incident.identity_keys]
    commands: list[Command] = [("DEL", *gone)]
    commands += [(command, place, incident_id) for command, place in LISTS_OF_INCIDENTS]
    return checked(link.ask([("MULTI",), *commands, ("EXEC",)]))[-1] is not None
