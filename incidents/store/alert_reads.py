"""Reads what is remembered of alerts, page by page, those heard of last first.

It writes nothing, but that an archived incident of which it is asked is brought back.
"""

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime
from heapq import nlargest
from typing import NamedTuple

from incidents import keys
from incidents.alert import AlertState
from incidents.clock import from_ms
from incidents.errors import NotFound
from incidents.store.archive import bring_back
from incidents.store.codec import decode_state, score_of
from incidents.store.connection import Link, Links, checked
from incidents.store.reads import UnknownCursor
from incidents.values import AlertStatus

CHUNK = 200
MANY = 2_000  # alerts of one incident: so many are not put in order for a page of them
LATELY = 1_000  # of all alerts are looked through first for those of an incident with many
LOOKED_AT = 5_000  # by one question


class HeardAlert(NamedTuple):
    """An alert, and when it was last heard of."""

    state: AlertState
    last_seen: datetime


class AlertPage(NamedTuple):
    """Some alerts, those heard of last first, and the cursor of the next page, None after the last."""

    alerts: tuple[HeardAlert, ...]
    next: str | None


class _Place(NamedTuple):
    """Where an alert stands in the order: the latest is the greatest."""

    seen_ms: int
    name: bytes


class SomeAlerts(NamedTuple):
    """Some alerts of an incident, those that fire first, and how many it has in all."""

    alerts: tuple[HeardAlert, ...]
    total: int


class AlertReads:
    """Reads alerts. For many threads."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def alerts(
        self, *, incident_id: str = "", status: AlertStatus | None = None, after: str = "", limit: int = 50
    ) -> AlertPage:
        """Return alerts, of one incident or of all; one that is heard of meanwhile moves to the front.

        Raises `NotFound` for an incident that is none, and `UnknownCursor`.
        """
        cursor = _read_cursor(after) if after else None
        found: list[HeardAlert] = []
        looked_at = 0
        with self._links.borrow() as link:
            size = CHUNK if status else limit + 1
            chunks = _of_incident(link, incident_id, cursor, size) if incident_id else _of_all(link, cursor, size)
            last = ""
            for places in chunks:
                for place, state in _load(link, places):
                    if status is None or state.status is status:
                        if len(found) == limit:
                            return AlertPage(tuple(found), last)
                        found.append(HeardAlert(state, from_ms(place.seen_ms)))
                        last = _written(place)
                looked_at += len(places)
                if looked_at >= LOOKED_AT:
                    return AlertPage(tuple(found), _written(places[-1]))
        return AlertPage(tuple(found), None)

    def some(self, incident_id: str, *, limit: int = 20) -> SomeAlerts:
        """Return some alerts of an incident, those that fire first; of very many, any will do. None for no incident."""
        key = keys.incident_alerts(incident_id)
        with self._links.borrow() as link:
            total, names = checked(link.ask([("SCARD", key), ("SRANDMEMBER", key, CHUNK)]))
            if not names:
                return SomeAlerts((), 0)
            scores = link.one("ZMSCORE", keys.alerts_seen(), *names)
            places = [_Place(score_of(score), name) for score, name in zip(scores, names, strict=True)]
            loaded = _load(link, places)
        loaded.sort(key=lambda each: (each[1].status is not AlertStatus.FIRING, each[1].starts_at, each[0].name))
        found = tuple(HeardAlert(state, from_ms(place.seen_ms)) for place, state in loaded[:limit])
        return SomeAlerts(found, int(total))


def _of_all(link: Link, cursor: _Place | None, size: int) -> Iterator[list[_Place]]:
    rank = _rank_after(link, cursor) if cursor else 0
    while True:
        places = _places(link.one("ZREVRANGE", keys.alerts_seen(), rank, rank + size - 1, "WITHSCORES"))
        if not places:
            return
        rank += len(places)
        places = [place for place in places if cursor is None or place < cursor]
        if places:
            cursor = places[-1]
            yield places


def _rank_after(link: Link, cursor: _Place) -> int:
    """Return the rank to go on from; an alert that was heard of since has left its place, its neighbours have not."""
    score, rank, newer = checked(
        link.ask(
            [
                ("ZSCORE", keys.alerts_seen(), cursor.name),
                ("ZREVRANK", keys.alerts_seen(), cursor.name),
                ("ZCOUNT", keys.alerts_seen(), f"({cursor.seen_ms}", "+inf"),
            ]
        )
    )
    return int(rank) + 1 if score is not None and score_of(score) == cursor.seen_ms else int(newer)


def _of_incident(link: Link, incident_id: str, cursor: _Place | None, size: int) -> Iterator[list[_Place]]:
    bring_back(link, incident_id)
    key = keys.incident_alerts(incident_id)
    exists, total = checked(link.ask([("EXISTS", keys.incident(incident_id)), ("SCARD", key)]))
    if not exists:
        raise NotFound("incident", incident_id)
    if total > MANY:
        # Those that were heard of last stand near the front of all alerts, most of the time.
        looked_at = 0
        for places in _of_all(link, cursor, size):
            are_of_it = link.one("SMISMEMBER", key, *(place.name for place in places))
            found = [place for place, is_of_it in zip(places, are_of_it, strict=True) if is_of_it]
            if found:
                yield found
            cursor = places[-1]
            looked_at += len(places)
            if looked_at >= LATELY:
                break
    yield from _in_order(link, key, cursor)


def _in_order(link: Link, key: str, cursor: _Place | None) -> Iterator[list[_Place]]:
    """Yield all alerts of an incident after a cursor."""
    names: list[bytes] = link.one("SMEMBERS", key)
    if not names:
        return
    scores = link.one("ZMSCORE", keys.alerts_seen(), *names)
    every = [(score_of(score), name) for score, name in zip(scores, names, strict=True)]
    if cursor is not None:
        every = [place for place in every if place < cursor]
    if not every:
        return
    # Of tens of thousands mostly the first few are wanted: putting all in order would cost ten times as much.
    yield [_Place(*place) for place in nlargest(CHUNK, every)]
    every.sort(reverse=True)
    for start in range(CHUNK, len(every), CHUNK):
        yield [_Place(*place) for place in every[start : start + CHUNK]]


def _load(link: Link, places: list[_Place]) -> list[tuple[_Place, AlertState]]:
    values = link.one("HMGET", keys.alerts(), *(place.name for place in places))
    return [(place, decode_state(value)) for place, value in zip(places, values, strict=True) if value is not None]


def _places(flat: list[bytes]) -> list[_Place]:
    return [_Place(score_of(score), name) for name, score in zip(flat[::2], flat[1::2], strict=True)]


def _written(place: _Place) -> str:
    return base64.urlsafe_b64encode(b"%d:%s" % place).decode().rstrip("=")


def _read_cursor(text: str) -> _Place:
    try:
        decoded = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        seen_ms, colon, name = decoded.partition(b":")
        if not colon or len(seen_ms) > 16:
            raise ValueError
        return _Place(int(seen_ms), name)
    except (ValueError, binascii.Error):
        raise UnknownCursor(text) from None
