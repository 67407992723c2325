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

_Stored = tuple[bytes, AlertTally | None]  # its JSON, empty where it is gone, and the counts that an archive holds


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


class _Found(NamedTuple):
    incident: Incident
    alerts: AlertTally | None  # None: they live beside it


def page_of(
    link: Link, chunks: Iterable[Sequence[str]], wanted: Wanted, limit: int, cursor: Callable[[str], str] = str
) -> IncidentPage:
    """Return the first incidents that are wanted of some ids; so many are looked at, and no further.

    `cursor` returns the cursor that goes on after an id.
    """
    found: list[_Found] = []
    looked_at = 0
    for names in chunks:
        stored = _stored(link, names)
        for place in _holding(stored, wanted.needles):
            value, alerts = stored[place]
            incident = decode_incident(value) if value else None
            if incident is not None and wanted.fits(incident):
                if len(found) == limit:
                    return IncidentPage(_counted(link, found), cursor(found[-1].incident.id))
                found.append(_Found(incident, alerts))
        looked_at += len(names)
        if looked_at >= LOOKED_AT and (last := _seen_last(names, stored, wanted.reader)):
            return IncidentPage(_counted(link, found), cursor(last))
    return IncidentPage(_counted(link, found), None)


def needles_of(words: Sequence[str]) -> list[bytes]:
    """Return those words that stand in a stored incident as they are: others are escaped there, or folded."""
    return [word.encode() for word in words if word.isascii() and word.isprintable() and not set(word) & set('"\\')]


def sliced(chunks: Iterable[Sequence[str]], size: int) -> Iterator[Sequence[str]]:
    """Yield the same ids in slices of so many at most."""
    for names in chunks:
        for start in range(0, len(names), size):
            yield names[start : start + size]


def _stored(link: Link, names: Sequence[str]) -> list[_Stored]:
    values = link.one("MGET", *map(keys.incident, names))
    return [_unpacked(value) if value is not None and is_archive(value) else (value or b"", None) for value in values]


def _unpacked(value: bytes) -> _Stored:
    front = front_of(value)
    return front.incident, tally_of(*front.tally)


def _holding(stored: Sequence[_Stored], needles: Sequence[bytes]) -> Iterable[int]:
    """Return the places of those that may hold every needle; where none of them does, none is looked at by itself."""
    if not needles:
        return range(len(stored))
    whole = b"\n".join([value for value, _ in stored])
    if not _may_hold(whole, needles):
        return ()
    return (place for place, (value, _) in enumerate(stored) if _may_hold(value, needles))


def _may_hold(value: bytes, needles: Sequence[bytes]) -> bool:
    if not value.isascii():
        return True  # some letters fold to those of a needle
    folded = value.lower()
    return all(needle in folded for needle in needles)


def _seen_last(names: Sequence[str], stored: Sequence[_Stored], reader: str | None) -> str:
    """Return the last of some ids that may be known to who reads, empty where none may: a cursor names it."""
    if reader is None:
        return names[-1]
    each = zip(reversed(names), reversed(stored), strict=True)
    return next((name for name, (value, _) in each if value and decode_incident(value).is_seen_by(reader)), "")


def _counted(link: Link, found: Sequence[_Found]) -> tuple[Counted, ...]:
    """Join the counts of alerts, which live beside incidents that are not archived."""
    plain = [each.incident.id for each in found if each.alerts is None]
    replies = checked(link.ask([("HMGET", keys.tally(name), *FIELDS) for name in plain])) if plain else ()
    tallies = {name: tally_of(*reply) for name, reply in zip(plain, replies, strict=True)}
    incidents = tellable(link, [each.incident for each in found])
    return tuple(
        Counted(incident, each.alerts or tallies[incident.id]) for incident, each in zip(incidents, found, strict=True)
    )
