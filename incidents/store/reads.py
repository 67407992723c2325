"""Reads incidents and their timelines, page by page.

It writes nothing, but that an archived incident whose timeline is asked for is brought back, and that the order of the
open ones is mended.

Only what a page asks for is loaded. Where a filter finds little, one question looks through so much of the history and
no further; the cursor that it answers goes on from there.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from incidents import keys
from incidents.errors import NotFound
from incidents.incident import Incident
from incidents.store import listing
from incidents.store.archive import bring_back
from incidents.store.codec import decode_entry, decode_incident
from incidents.store.connection import Link, Links
from incidents.store.corrections import corrected
from incidents.store.listing import Counted, IncidentPage, UnknownCursor, Wanted, needles_of, page_of, sliced
from incidents.store.open_order import OpenOrder, Place, mend
from incidents.timeline import Entry, EntryKind, TimelineEntry, folded
from incidents.urgency import urgency
from incidents.values import OPEN_STATUSES, IncidentStatus, Severity

__all__ = ["Counted", "EntryPage", "IncidentPage", "Reads", "UnknownCursor", "is_entry_id"]

CHUNK = 200  # entries that are loaded at once where a filter may drop some
ENTRIES_LOOKED_AT = 20_000
FEW_OPEN = 500  # so many are put in order for a page of them
LATELY = 2_000  # of all incidents are looked through first for those that are open, where these are more
LARGEST_ID_PART = 2**64 - 1
MOST_DIGITS = 17


class EntryPage(NamedTuple):
    """Some entries of a timeline, in the order asked for, and the cursor of the next page, None after the last."""

    entries: tuple[TimelineEntry, ...]
    next: str | None


class Reads:
    """Reads incidents and timelines. For many threads."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._order = OpenOrder()

    def incidents(
        self,
        *,
        statuses: frozenset[IncidentStatus] = frozenset(),
        severities: frozenset[Severity] = frozenset(),
        after: str = "",
        limit: int = 50,
        reader: str | None = None,
        chosen: Callable[[Incident], bool] | None = None,
        words: Sequence[str] = (),
    ) -> IncidentPage:
        """Return incidents that a reader may see (None sees all), newest first; an empty filter lets all through.

        `chosen` says of each whether it is wanted; where it needs `words`, which are folded, those without them are not
        even decoded. Raises `UnknownCursor`.
        """
        needles = needles_of([*words, *_only(severities), *_only(statuses)])
        wanted = Wanted(statuses or frozenset(IncidentStatus), severities, reader, chosen, needles)
        is_whole = wanted.statuses in {frozenset(IncidentStatus), OPEN_STATUSES} and not severities and chosen is None
        size = limit + 1 if is_whole else listing.CHUNK
        with self._links.borrow() as link:
            names = _open_ids(link, after) if wanted.statuses <= OPEN_STATUSES else _all_ids(link, after, size)
            return page_of(link, sliced(names, size), wanted, limit)

    def urgent(
        self,
        *,
        severities: frozenset[Severity] = frozenset(),
        after: str = "",
        limit: int = 50,
        reader: str | None = None,
        chosen: Callable[[Incident], bool] | None = None,
        words: Sequence[str] = (),
    ) -> IncidentPage:
        """Return open incidents, those that need somebody most first; the rest is as in `incidents`.

        Its cursors are its own. One that is taken meanwhile moves to its new place. Raises `UnknownCursor`.
        """
        wanted = Wanted(OPEN_STATUSES, severities, reader, chosen, needles_of(words))
        size = limit + 1 if chosen is None else listing.CHUNK
        cursor = _place_in(after) if after else None
        stood: dict[str, int] = {}
        with self._links.borrow() as link:
            places = self._order.places(link, after=cursor, severities=severities, size=size)
            page = page_of(link, _placed(places, stood), wanted, limit, lambda name: f"{stood[name]}:{name}")
            shown = [each.incident for each in page.incidents]
            mend(link, [one.id for one in shown if stood[one.id] != urgency(one)])
        return page

    def open_of(self, identity_key: str) -> str | None:
        """Return the id of the open incident of an identity, None where there is none."""
        with self._links.borrow() as link:
            pointer = link.one("GET", keys.identity(identity_key))
            name = pointer.decode().rpartition(":")[0] if pointer else ""
            stored = link.one("GET", keys.incident(name)) if name else None
        return name if stored is not None and decode_incident(stored).is_open else None

    def hidden(self, names: Iterable[str], reader: str | None) -> frozenset[str]:
        """Return which of these ids are of incidents that a reader may not see (None sees all), or that are gone.

        Of a merged one, the one that goes on in its place decides.
        """
        homes = {name: name for name in names} if reader is not None else {}
        unseen: set[str] = set()
        with self._links.borrow() as link:
            while homes:
                stored = link.one("MGET", *(keys.incident(home) for home in homes.values()))
                merged: dict[str, str] = {}
                for name, value in zip(homes, stored, strict=True):
                    incident = decode_incident(value) if value is not None else None
                    if incident is None or not incident.is_seen_by(reader):
                        unseen.add(name)
                    elif incident.merged_into:
                        merged[name] = incident.merged_into
                homes = merged
        return frozenset(unseen)

    def timeline(
        self, incident_id: str, *, kinds: frozenset[EntryKind] = frozenset(), after: str = "", limit: int = 200
    ) -> EntryPage:
        """Return entries after a cursor (the id of an entry), oldest first; an empty filter lets all kinds through.

        Raises `NotFound` and `UnknownCursor`.
        """
        if after and not is_entry_id(after):
            raise UnknownCursor(after)
        with self._links.borrow() as link:
            if not link.one("EXISTS", keys.incident(incident_id)):
                raise NotFound("incident", incident_id)
            bring_back(link, incident_id)
            found, following = _entries(link, incident_id, kinds, after, limit)
            return EntryPage(corrected(link, incident_id, _with_folds(link, incident_id, found)), following)

    def has_entry(self, incident_id: str, entry_id: str) -> bool:
        """Tell whether the timeline of an incident has an entry of this id."""
        if not is_entry_id(entry_id) or "-" not in entry_id:
            return False
        with self._links.borrow() as link:
            bring_back(link, incident_id)
            return bool(link.one("XRANGE", keys.timeline(incident_id), entry_id, entry_id))

    def latest(
        self, incident_id: str, *, kinds: frozenset[EntryKind] = frozenset(), before: str = "", limit: int = 200
    ) -> EntryPage:
        """Return entries before a cursor (the id of an entry), latest first; an empty filter lets all kinds through.

        Raises `UnknownCursor`; an incident that there is not has none.
        """
        if before and not is_entry_id(before):
            raise UnknownCursor(before)
        with self._links.borrow() as link:
            bring_back(link, incident_id)
            found, following = _entries(link, incident_id, kinds, before, limit, latest_first=True)
            return EntryPage(corrected(link, incident_id, _with_folds(link, incident_id, found)), following)


def _only(words: frozenset[Severity] | frozenset[IncidentStatus]) -> list[str]:
    """Return the word that each incident has that is wanted, where it is one, as it is looked for."""
    return [word.value.lower() for word in words] if len(words) == 1 else []


def _all_ids(link: Link, after: str, size: int) -> Iterator[list[str]]:
    """Yield the ids of all incidents in chunks, newest first, from after a cursor."""
    rank = -1
    if after:
        rank = _rank(link, after)
    while True:
        names = [name.decode() for name in link.one("ZREVRANGE", keys.incidents(), rank + 1, rank + size)]
        if not names:
            return
        yield names
        # Incidents that were declared meanwhile have moved every rank.
        rank = _rank(link, names[-1])


def _rank(link: Link, name: str) -> int:
    rank = link.one("ZREVRANK", keys.incidents(), name)
    if rank is None:
        raise UnknownCursor(name)
    return int(rank)


def _open_ids(link: Link, after: str) -> Iterator[list[str]]:
    """Yield the ids of the open incidents in chunks, newest first, from after a cursor, which may be closed by now."""
    known = keys.incidents_open()
    if int(link.one("SCARD", known)) > FEW_OPEN:
        # The newest are mostly open where so many are: to put all in order would cost much more.
        looked_at = 0
        for names in _all_ids(link, after, listing.CHUNK):
            are_open = link.one("SMISMEMBER", known, *names)
            if any(are_open):
                yield [name for name, is_open in zip(names, are_open, strict=True) if is_open]
            after = names[-1]
            looked_at += len(names)
            if looked_at >= LATELY:
                break
        else:
            return
    yield from _open_in_order(link, after)


def _open_in_order(link: Link, after: str) -> Iterator[list[str]]:
    names: list[bytes] = link.one("SMEMBERS", keys.incidents_open())
    asked = [*names, after.encode()] if after else names
    if not asked:
        return
    scores = link.one("ZMSCORE", keys.incidents(), *asked)
    if after and scores[-1] is None:
        raise UnknownCursor(after)
    places = sorted(
        ((float(score), name) for score, name in zip(scores, names, strict=False) if score is not None), reverse=True
    )
    if after:
        cursor = (float(scores[-1]), after.encode())
        places = [place for place in places if place < cursor]
    for start in range(0, len(places), listing.CHUNK):
        yield [name.decode() for _, name in places[start : start + listing.CHUNK]]


def _placed(chunks: Iterable[list[Place]], stood: dict[str, int]) -> Iterator[list[str]]:
    """Yield the ids of places, and remember where each stood."""
    for places in chunks:
        some = {place.name.decode(): place.urgency for place in places}
        stood.update(some)
        yield list(some)


def _place_in(cursor: str) -> Place:
    number, colon, name = cursor.partition(":")
    if not (colon and number.isascii() and number.isdigit() and len(number) < MOST_DIGITS):
        raise UnknownCursor(cursor)
    return Place(int(number), name.encode())


def is_entry_id(text: str) -> bool:
    """Whether a text can be the id of an entry."""
    parts = text.split("-")
    return len(parts) <= 2 and all(
        part.isascii() and part.isdigit() and len(part) <= 20 and int(part) < LARGEST_ID_PART for part in parts
    )


def _entries(
    link: Link, incident_id: str, kinds: frozenset[EntryKind], after: str, limit: int, *, latest_first: bool = False
) -> tuple[list[tuple[str, Entry]], str | None]:
    found: list[tuple[str, Entry]] = []
    looked_at = 0
    size = max(limit + 1, CHUNK) if kinds else limit + 1
    command, start, end = ("XREVRANGE", "+", "-") if latest_first else ("XRANGE", "-", "+")
    while True:
        start = f"({after}" if after else start
        rows = link.one(command, keys.timeline(incident_id), start, end, "COUNT", size)
        for entry_id, fields in rows:
            after = entry_id.decode()
            entry = decode_entry(fields[1])
            if not kinds or entry.kind in kinds:
                found.append((after, entry))
                if len(found) > limit:
                    return found[:limit], found[limit - 1][0]
        looked_at += len(rows)
        if len(rows) < size:
            return found, None
        if looked_at >= ENTRIES_LOOKED_AT:
            return found, after


def _with_folds(link: Link, incident_id: str, found: list[tuple[str, Entry]]) -> tuple[TimelineEntry, ...]:
    """Join the counts of the folds, which live beside the timeline."""
    folds = [f"fold:{entry.fold}" for _, entry in found if entry.fold]
    counts = iter(link.one("HMGET", keys.tally(incident_id), *folds) if folds else ())
    return tuple(_shown(entry_id, entry, int(next(counts) or 1) if entry.fold else 0) for entry_id, entry in found)


def _shown(entry_id: str, entry: Entry, count: int) -> TimelineEntry:
    return TimelineEntry(
        id=entry_id,
        at=entry.at,
        kind=entry.kind,
        actor=entry.actor,
        text=folded(entry, count) if count else entry.text,
        data=entry.data | {"count": count} if count else entry.data,
    )
