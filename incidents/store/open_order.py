"""The order in which open incidents need somebody: a sorted set of their ids, written wherever an incident is.

A store of an earlier version has none, and one that an earlier version wrote to has one that is wrong. So whoever reads
it compares it with the set of the open ones, and mends it; no reader needs to know.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from incidents import keys
from incidents.incident import Incident
from incidents.store.codec import decode_incident, score_of
from incidents.store.connection import Command, Link, checked
from incidents.urgency import bands, standings_of, urgency
from incidents.values import IncidentStatus, Severity

CHUNK = 200
COMPARED_EVERY = 30.0  # seconds; how many there are is compared each time
UNREADABLE = 0  # the place of what is not there, though the store lists it


class Place(NamedTuple):
    """Where an open incident stands in the order: what comes first is the greatest."""

    urgency: int
    name: bytes


_FIRST = Place(2**53, b"")


def order_command(incident: Incident) -> Command:
    """Return what gives an incident its place in the order, or takes it out where it is closed."""
    if incident.is_open:
        return ("ZADD", keys.incidents_urgent(), urgency(incident), incident.id)
    return ("ZREM", keys.incidents_urgent(), incident.id)


def standing_commands() -> list[Command]:
    """Return what asks how the open incidents stand, for `standings_in`."""
    listed, known = keys.incidents_urgent(), keys.incidents_open()
    return [
        ("ZRANGE", listed, 0, -1, "WITHSCORES"),
        ("ZDIFF", 2, known, listed),
        ("SCARD", known),
    ]


class Standings(NamedTuple):
    """How many open incidents there are of each severity and status, and the ids of those of which it is not known."""

    counts: Counter[tuple[Severity, IncidentStatus]]
    unknown: tuple[str, ...]


def standings_in(link: Link, flat: Sequence[bytes], missing: Sequence[bytes], known: int) -> Standings:
    """Read the replies to `standing_commands`; where they tell of incidents that are closed, these are asked for."""
    numbers = list(map(score_of, flat[1::2]))
    if closed := _gone(link, len(numbers), known - len(missing)):
        numbers = [number for name, number in zip(flat[::2], numbers, strict=True) if name not in closed]
    return Standings(standings_of(numbers), tuple(name.decode() for name in missing))


def _gone(link: Link, listed: int, expected: int) -> frozenset[bytes]:
    """Return the ids in the order that are not of open incidents; asked for seldom: it costs the store much."""
    if listed == expected:
        return frozenset()
    return frozenset(link.one("ZDIFF", 2, keys.incidents_urgent(), keys.incidents_open()))


class OpenOrder:
    """The order, as the threads of one process read it. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._compared_at = -math.inf

    def places(
        self, link: Link, *, after: Place | None, severities: Iterable[Severity], size: int
    ) -> Iterator[list[Place]]:
        """Yield places in chunks, those that need somebody most first; of these severities, none for all."""
        self._compare(link)
        start = after or _FIRST
        for low, high in sorted((each for severity in severities for each in bands(severity)), reverse=True) or _ALL:
            if start.urgency >= low:
                yield from _band(link, min(start, Place(high + 1, b"")), low, size)

    def _compare(self, link: Link) -> None:
        listed, known = keys.incidents_urgent(), keys.incidents_open()
        counts = checked(link.ask([("ZCARD", listed), ("SCARD", known)]))
        now = self._clock()
        if counts[0] == counts[1] and now - self._compared_at < COMPARED_EVERY:
            return
        missing = link.one("ZDIFF", 2, known, listed)
        gone = _gone(link, counts[0], counts[1] - len(missing))
        # As a process begins, an earlier version may have been at work: then each place is looked at.
        wrong = link.one("SMEMBERS", known) if self._compared_at == -math.inf else missing
        mend(link, [name.decode() for name in (*wrong, *gone)])
        self._compared_at = now


_ALL = ((0, _FIRST.urgency - 1),)


def mend(link: Link, names: Sequence[str]) -> None:
    """Give incidents their places, whatever they had; one that changes meanwhile gets its own by that."""
    for start in range(0, len(names), CHUNK):
        some = names[start : start + CHUNK]
        stored = [keys.incident(name) for name in some]
        _, values, are_open, scores = checked(
            link.ask(
                [
                    ("WATCH", *stored),
                    ("MGET", *stored),
                    ("SMISMEMBER", keys.incidents_open(), *some),
                    ("ZMSCORE", keys.incidents_urgent(), *some),
                ]
            )
        )
        commands: list[Command] = []
        for name, value, is_open, score in zip(some, values, are_open, scores, strict=True):
            right = _urgency_in(value) if is_open else None
            if right != (None if score is None else score_of(score)):
                place = keys.incidents_urgent()
                commands.append(("ZREM", place, name) if right is None else ("ZADD", place, right, name))
        checked(link.ask([("MULTI",), *commands, ("EXEC",)] if commands else [("UNWATCH",)]))


def _urgency_in(value: bytes | None) -> int:
    incident = decode_incident(value) if value is not None else None
    return urgency(incident) if incident is not None and incident.is_open else UNREADABLE


def _band(link: Link, after: Place, low: int, size: int) -> Iterator[list[Place]]:
    rank = _rank_after(link, after)
    while True:
        flat = link.one("ZREVRANGE", keys.incidents_urgent(), rank, rank + size - 1, "WITHSCORES")
        found = list(map(Place, map(score_of, flat[1::2]), flat[::2]))
        is_whole = bool(found) and found[0] < after and low <= found[-1].urgency
        fitting = found if is_whole else [place for place in found if low <= place.urgency and place < after]
        if fitting:
            yield fitting
            after = fitting[-1]
        if len(found) < size or found[-1].urgency < low:
            return
        # What was declared or taken meanwhile has moved every rank.
        rank = _rank_after(link, after) if fitting else rank + size


def _rank_after(link: Link, after: Place) -> int:
    """Return the rank to go on from; an incident that somebody took since has left its place, others have not."""
    key = keys.incidents_urgent()
    score, rank, before = checked(
        link.ask(
            [("ZSCORE", key, after.name), ("ZREVRANK", key, after.name), ("ZCOUNT", key, f"({after.urgency}", "+inf")]
        )
    )
    return int(rank) + 1 if score is not None and score_of(score) == after.urgency else int(before)
