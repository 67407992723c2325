"""Calendars as rotations: what was read of them, whom their events name, and how they come into force. Pure.

Calendars are read and expanded beforehand, over a bounded time; here are plain values. What was read is kept under
its hash, which what is in force names (`incidents.overrides`), so that every decision sees the same.
"""

import hashlib
import heapq
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from incidents.oncall import Layer, OnCall, Person, Rotation, Turn

BACK, AHEAD = timedelta(days=14), timedelta(days=92)  # from the beginning of a day on
MOST_BYTES = 2 * 1024 * 1024  # of a calendar
MOST_UNKNOWN = 5
STALE_REFRESHES = 3  # so many attempts in a row without a good one, and the copy is stale
_DIGITS = 12
_ENCODER = msgspec.json.Encoder(order="deterministic")
# As other programs write their summaries: `Amira: commanders`, `On Call - Amira - Payments`, `Amira (primary)`.
_PARTS = re.compile(r"\s*[:|()]\s*|\s+[-\u2013]\s+")


class Event(msgspec.Struct, frozen=True, array_like=True):
    """One event of a calendar as an instant each, and what may name its person: the summary first, then attendees."""

    start: datetime
    until: datetime
    names: tuple[str, ...]


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a calendar: its events from `since` until `until`, recurring ones one by one, in order."""

    since: datetime
    until: datetime
    events: tuple[Event, ...]


class CalendarStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a calendar was read last; `good_at` is when that last went well, `failed` why it did not since."""

    rotations: tuple[str, ...]
    at: datetime
    good_at: datetime | None = None
    failed: str = ""
    refresh: timedelta
    unknown: tuple[str, ...] = ()  # summaries that name nobody


Copies = Mapping[str, Copy]  # by the id of the calendar
_DECODER = msgspec.json.Decoder(dict[str, Copy])


def id_of(layer: Layer) -> str:
    """Return the id of a layer's calendar: the same wherever the same is read in the same zone; "" without one."""
    if layer.calendar is None:
        return ""
    told = layer.calendar
    parts = (told.url, told.url_file, told.file, told.digest, layer.timezone)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_DIGITS]


def layers_of(oncall: OnCall) -> dict[str, tuple[Layer, tuple[str, ...]]]:
    """Return each calendar by its id: a layer that has it, and the names of all the rotations that do."""
    found: dict[str, tuple[Layer, tuple[str, ...]]] = {}
    for rotation in oncall.rotations.values():
        for layer in rotation.layers:
            if name := id_of(layer):
                rotations = found[name][1] if name in found else ()
                found[name] = layer, tuple(dict.fromkeys((*rotations, rotation.id)))
    return found


def horizon(now: datetime) -> tuple[datetime, datetime]:
    """Return from when until when calendars are read; it moves once a day, so that the same is read as the same."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - BACK, day + AHEAD


def hash_of(copies: Copies) -> str:
    """Return the hash of what was read, empty for nothing."""
    return hashlib.sha256(encoded(copies)).hexdigest()[:_DIGITS] if copies else ""


def encoded(copies: Copies) -> bytes:
    """Return what was read as it is stored."""
    return _ENCODER.encode(copies)


def decoded(stored: bytes) -> dict[str, Copy]:
    """Return what was read, by the id of the calendar."""
    return _DECODER.decode(stored)


def is_stale(status: CalendarStatus, now: datetime) -> bool:
    """Tell whether a calendar has not been read for longer than a few attempts take."""
    return status.good_at is None or now - status.good_at > STALE_REFRESHES * status.refresh


def unread_of(oncall: OnCall) -> tuple[str, ...]:
    """Return the rotations with a calendar that gives nobody a turn, for it was not read."""
    return tuple(
        name
        for name, rotation in oncall.rotations.items()
        if any(layer.calendar is not None and not layer.turns for layer in rotation.layers)
    )


def with_calendars(oncall: OnCall, copies: Copies) -> OnCall:
    """Return on-call settings with the turns of their calendars; one that was never read has none."""
    if not copies:
        return oncall
    rotations = {name: _with_turns(each, oncall.people, copies) for name, each in oncall.rotations.items()}
    return msgspec.structs.replace(oncall, rotations=rotations)


def _with_turns(rotation: Rotation, people: Mapping[str, Person], copies: Copies) -> Rotation:
    if not any(id_of(layer) in copies for layer in rotation.layers):
        return rotation
    layers = tuple(
        with_turns(layer, people, copies[name]) if (name := id_of(layer)) in copies else layer
        for layer in rotation.layers
    )
    return msgspec.structs.replace(rotation, layers=layers)


def with_turns(layer: Layer, people: Mapping[str, Person], copy: Copy) -> Layer:
    """Return a layer with the turns of what was read of its calendar."""
    turns = turns_of(copy, people)
    order = tuple(dict.fromkeys(turn.person for turn in turns))
    return msgspec.structs.replace(layer, turns=turns, order=order)


def turns_of(copy: Copy, people: Mapping[str, Person]) -> tuple[Turn, ...]:
    """Return the turns that the events give to people, in order and without overlaps.

    Where events overlap, the one that began last holds, and of those that began together the shortest. Events that
    name nobody count for nothing.
    """
    known = _known(people)
    found = []
    for event in copy.events:
        person = _person(event, known)
        if person is not None and event.start < event.until:
            found.append(Turn(person, event.start, event.until))
    return tuple(_flattened(found))


def unknown_of(copy: Copy, people: Mapping[str, Person]) -> tuple[str, ...]:
    """Return what the first of the events that name nobody are called, each once."""
    known = _known(people)
    names = (event.names[0] if event.names else "" for event in copy.events if _person(event, known) is None)
    return tuple(dict.fromkeys(names))[:MOST_UNKNOWN]


def _known(people: Mapping[str, Person]) -> dict[str, str]:
    """Return everything by which somebody may be named; an id before an e-mail address before a name."""
    named = {person.name.casefold(): person.id for person in people.values() if person.name}
    named |= {person.email.casefold(): person.id for person in people.values() if person.email}
    return named | {person.casefold(): person for person in people}


def _person(event: Event, known: Mapping[str, str]) -> str | None:
    parts = (part for name in event.names for part in (name, *_PARTS.split(name)))
    return next((known[key] for part in parts if (key := part.strip().casefold()) in known), None)


def _flattened(turns: Sequence[Turn]) -> Iterable[Turn]:
    waiting = sorted(turns, key=lambda turn: turn.start, reverse=True)
    instants = sorted({instant for turn in turns for instant in (turn.start, turn.until)})
    open_: list[tuple[float, datetime, str]] = []  # the one that began last on top
    current: Turn | None = None
    for start, until in pairwise(instants):
        while waiting and waiting[-1].start <= start:
            turn = waiting.pop()
            heapq.heappush(open_, (-turn.start.timestamp(), turn.until, turn.person))
        while open_ and open_[0][1] <= start:
            heapq.heappop(open_)
        person = open_[0][2] if open_ else None
        if current is not None and person == current.person and start == current.until:
            current = current._replace(until=until)
            continue
        if current is not None:
            yield current
        current = Turn(person, start, until) if person is not None else None
    if current is not None:
        yield current
