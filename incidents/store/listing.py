"""How a page of incidents is put together, whatever their order: what fits is loaded, and no more than is needed.

It only reads. An archived incident is unpacked once, and only as far as a list shows it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from incidents import keys
from incidents.archive import front_of, is_archive
from incidents.errors import TocsinError
from incidents.incident import AlertTally, Incident
from incidents.store.codec import decode_incident, tally_of
from incidents.store.connection import Link, checked
from incidents.store.load import FIELDS
from incidents.store.telling import tellable
from incidents.values import IncidentStatus, Severity

CHUNK = 200  # loaded at once where a filter may drop some
LOOKED_AT = 5_000  # by one question


class UnknownCursor(TocsinError):
    """A cursor that no page was answered with, or whose place is gone."""

    def __init__(self, cursor: str) -> None:
        super().__init__(f"{cursor[:100]!r} is not a cursor of this list; begin without one")


class Counted(NamedTuple):
    """An incident with the counts of its alerts."""

    incident: Incident
    alerts: AlertTally


class IncidentPage(NamedTuple):
    """Some incidents, in the order asked for, and the cursor of the next page, None after the last."""

    incidents: tuple[Counted, ...]
    next: str | None


class Row(NamedTuple):
    """The id of an incident that may be on a page, and the cursor that goes on after it."""

    name: str
    cursor: str


class Wanted(NamedTuple):
    """What a question wants; `needles` stand in every stored incident that is wanted, as `needles_of` returns them."""

    statuses: frozenset[IncidentStatus]
    severities: frozenset[Severity] = frozenset()
    reader: str | None = None
    chosen: Callable[[Incident], bool] | None = None
    needles: Sequence[bytes] = ()

    def fits(self, incident: Incident) -> bool:
        """Whether an incident is wanted, and may be seen."""
        return (
            incident.status in self.statuses
            and (not self.severities or incident.severity in self.severities)
            and incident.is_seen_by(self.reader)
            and (self.chosen is None or self.chosen(incident))
        )


class _Stored(NamedTuple):
    """A stored incident: its JSON, and the counts that an archived one holds itself."""

    value: bytes
    alerts: AlertTally | None


class _Found(NamedTuple):
    incident: Incident
    alerts: AlertTally | None


def page_of(link: Link, chunks: Iterable[Sequence[Row]], wanted: Wanted, limit: int) -> IncidentPage:
    """Return the first incidents of some rows that are wanted; so many rows are looked at, and no further."""
    found: list[_Found] = []
    last, looked_at = "", 0
    for rows in chunks:
        stored = _stored(link, [row.name for row in rows])
        for row, one in zip(rows, stored, strict=True):
            if one is None or not _may_hold(one.value, wanted.needles):
                continue
            incident = decode_incident(one.value)
            if wanted.fits(incident):
                if len(found) == limit:
                    return IncidentPage(_counted(link, found), last)
                found.append(_Found(incident, one.alerts))
                last = row.cursor
        looked_at += len(rows)
        if looked_at >= LOOKED_AT:
            return IncidentPage(_counted(link, found), _seen_last(rows, stored, wanted.reader))
    return IncidentPage(_counted(link, found), None)


def needles_of(words: Sequence[str]) -> list[bytes]:
    """Return those words that stand in a stored incident as they are: others are escaped there, or folded."""
    return [word.encode() for word in words if word.isascii() and word.isprintable() and not set(word) & set('"\\')]


def sliced(chunks: Iterable[Sequence[Row]], size: int) -> Iterator[Sequence[Row]]:
    """Yield the same rows in slices of so many at most."""
    for rows in chunks:
        for start in range(0, len(rows), size):
            yield rows[start : start + size]


def _stored(link: Link, names: Sequence[str]) -> list[_Stored | None]:
    return [_read(value) for value in link.one("MGET", *map(keys.incident, names))]


def _read(value: bytes | None) -> _Stored | None:
    if value is None:
        return None
    if not is_archive(value):
        return _Stored(value, None)
    front = front_of(value)
    return _Stored(front.incident, tally_of(*front.tally))


def _may_hold(value: bytes, needles: Sequence[bytes]) -> bool:
    if not needles or not value.isascii():
        return True  # some letters fold to those of a needle
    folded = value.lower()
    return all(needle in folded for needle in needles)


def _seen_last(rows: Sequence[Row], stored: Sequence[_Stored | None], reader: str | None) -> str:
    """Return the cursor after the last row that may be known to who reads."""
    if reader is not None:
        for row, one in zip(reversed(rows), reversed(stored), strict=True):
            if one is not None and decode_incident(one.value).is_seen_by(reader):
                return row.cursor
    return rows[-1].cursor


def _counted(link: Link, found: Sequence[_Found]) -> tuple[Counted, ...]:
    """Join the counts of alerts, which live beside incidents that are not archived."""
    plain = [each.incident.id for each in found if each.alerts is None]
    replies = checked(link.ask([("HMGET", keys.tally(name), *FIELDS) for name in plain])) if plain else ()
    tallies = {name: tally_of(*reply) for name, reply in zip(plain, replies, strict=True)}
    incidents = tellable(link, [each.incident for each in found])
    return tuple(
        Counted(incident, each.alerts or tallies[incident.id]) for incident, each in zip(incidents, found, strict=True)
    )
