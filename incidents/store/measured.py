"""Reads what /metrics tells of the store, as plain values: the counters as they stand, and gauges computed now.

Two packed questions, whatever lies in the store: no incident is read, but those of which an earlier version wrote down
nothing to count them by. Nothing is written.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from redis.exceptions import ResponseError

from incidents import keys
from incidents.calendars import CalendarStatus
from incidents.clock import from_ms
from incidents.errors import StoreUnavailable
from incidents.measures import Measures
from incidents.overrides import rules_of
from incidents.post_incident_actions import OpenAction
from incidents.store import open_order
from incidents.store.calendars import decode_calendar_status
from incidents.store.codec import decode_heartbeat, decode_open_actions
from incidents.store.connection import Command, Link, Links, checked
from incidents.store.journal import Standing, standing_commands, standing_of
from incidents.store.rulesets import ReloadStatus
from incidents.values import OPEN_STATUSES, IncidentStatus, Severity

SETTLED = ("processed", "duplicate", "quarantined")  # outcomes of events: each that was received comes to one of them


class Measured(NamedTuple):
    """What the store says of itself at one instant."""

    counters: dict[str, int]  # as `incidents.measures` names the fields
    open_incidents: Counter[tuple[Severity, IncidentStatus]]
    pending: int  # events that were received and have not taken effect
    oldest_received_at: datetime | None  # of those in the stream, None when none waits
    quarantined: int
    workers_seen: dict[str, datetime]
    reload: ReloadStatus
    ruleset: str  # the hash of the rule set in force, empty before the first
    durable: bool
    heartbeats: dict[str, datetime]  # when each was heard last
    journal: Standing = Standing()
    actions: tuple[OpenAction, ...] = ()  # post-incident actions that are to be done still
    calendars: tuple[CalendarStatus, ...] = ()
    archived: int = 0  # closed incidents that are one compressed value each


class _Standing(msgspec.Struct):
    """The two fields of a stored incident that are counted."""

    severity: Severity
    status: IncidentStatus


_STANDING = msgspec.json.Decoder(_Standing)
_STATUS = msgspec.json.Decoder(ReloadStatus)


def measure(links: Links) -> Measured:
    """Return what the store says of itself; raises `StoreUnavailable`, also where it refuses to say."""
    try:
        return _measure(links)
    except ResponseError as error:
        raise StoreUnavailable(f"the store refuses: {error}") from error


def _measure(links: Links) -> Measured:
    with links.borrow() as link:
        replies = link.ask(
            [
                ("INFO",),
                ("HGETALL", keys.counters()),
                ("GET", keys.cursor()),
                *open_order.standing_commands(),
                ("HLEN", keys.quarantine()),
                ("HGETALL", keys.workers_seen()),
                ("HGET", keys.rules_status(), "status"),
                ("GET", keys.rules_current()),
                ("HVALS", keys.heartbeats()),
                ("HVALS", keys.post_incident_actions_open()),
                ("HVALS", keys.calendars_status()),
                ("SCARD", keys.incidents_archived()),
                *standing_commands(),
            ]
        )
        info = replies[0]
        counted, cursor, listed, missing, known, quarantined, seen, *rest = checked(replies[1:])
        status, ruleset, beats, actions, read, archived, *journal = rest
        oldest, open_incidents = _still_open(link, cursor, open_order.standings_in(link, listed, missing, known))
    counters = {field.decode(): int(value) for field, value in _pairs(counted)}
    return Measured(
        counters=counters,
        open_incidents=open_incidents,
        pending=pending_of(counters),
        oldest_received_at=oldest,
        quarantined=int(quarantined),
        workers_seen={queue.decode(): from_ms(int(at)) for queue, at in _pairs(seen)},
        reload=_STATUS.decode(status) if status else ReloadStatus(),
        ruleset=rules_of(ruleset.decode()) if ruleset else "",
        durable=not isinstance(info, ResponseError) and is_durable(info.decode("utf-8", "replace")),
        heartbeats={state.id: state.last_at for state in map(decode_heartbeat, beats)},
        journal=standing_of(journal),
        actions=decode_open_actions(actions),
        calendars=tuple(map(decode_calendar_status, read)),
        archived=int(archived),
    )


def pending_of(counters: dict[str, int]) -> int:
    """Return how many events were received and have neither been processed nor set aside."""
    settled = sum(counters.get(Measures.EVENTS.field(outcome), 0) for outcome in SETTLED)
    return counters.get(Measures.EVENTS_RECEIVED.field(), 0) - settled


def is_durable(info: str) -> bool:
    """Tell by the answer to INFO whether the store keeps what it took (what a managed one hides is taken as good)."""
    fields = dict(line.partition(":")[::2] for line in info.splitlines())
    kept = fields.get("aof_enabled", "1") == "1" and fields.get("aof_last_write_status", "ok") == "ok"
    return kept and fields.get("maxmemory_policy", "noeviction") == "noeviction"


def _still_open(
    link: Link, cursor: bytes | None, standings: open_order.Standings
) -> tuple[datetime | None, Counter[tuple[Severity, IncidentStatus]]]:
    """Return when the oldest entry after the cursor was received, and the open incidents by severity and status."""
    after = cursor.decode().partition("|")[0] if cursor else "0-0"
    commands: list[Command] = [("XREAD", "COUNT", 1, "STREAMS", keys.stream(), after)]
    if standings.unknown:
        commands.append(("MGET", *map(keys.incident, standings.unknown)))
    waiting, *stored = checked(link.ask(commands))
    counts = standings.counts
    for value in stored[0] if stored else ():
        standing = _STANDING.decode(value) if value is not None else None
        # One that was closed between the two questions is open no more.
        if standing is not None and standing.status in OPEN_STATUSES:
            counts[standing.severity, standing.status] += 1
    return _received_at(waiting), counts


def _received_at(waiting: Any) -> datetime | None:
    if not waiting:
        return None
    entry_id, flat = waiting[0][1][0]
    received = dict(_pairs(flat)).get(b"t", b"")
    milliseconds = received if received.isdigit() else entry_id.partition(b"-")[0]
    return from_ms(int(milliseconds))


def _pairs(flat: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)
