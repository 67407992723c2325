"""What is new, for those who watch: entries of timelines as they come, and how open incidents stand. It only reads."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from incidents import keys
from incidents.store.codec import decode_entry
from incidents.store.connection import Link, Links
from incidents.store.reads import Counted, Reads
from incidents.timeline import Entry
from incidents.values import OPEN_STATUSES

AT_ONCE = 50  # entries of one timeline: who missed more loads the page
OPEN_LOOKED_AT = 200  # the newest open incidents: what is beyond them changes few first pages of a filter
URGENT_LOOKED_AT = 100  # and those that need somebody most: what is beyond them changes no first page of them all
# At most: in a store that lost its last writes, or is written by an earlier version, the count of changes stands still.
REMEMBERED_SECONDS = 30.0
NOTHING_YET = "0-0"


class News(NamedTuple):
    """An entry that came to the timeline of an incident."""

    incident_id: str
    entry_id: str
    entry: Entry


def place_of(entry_id: str) -> tuple[int, int]:
    """Return what ids of entries are ordered by."""
    first, _, second = entry_id.partition("-")
    return int(first), int(second or 0)


def newest_entry(links: Links, incident_id: str) -> str:
    """Return the id of the newest entry of a timeline, `0-0` where it has none."""
    with links.borrow() as link:
        rows = link.one("XREVRANGE", keys.timeline(incident_id), "+", "-", "COUNT", 1)
    return str(rows[0][0].decode()) if rows else NOTHING_YET


def entries_after(links: Links, incident_id: str, entry_id: str) -> list[News]:
    """Return the entries after one, oldest first; of very many the newest alone."""
    with links.borrow() as link:
        rows = link.one("XREVRANGE", keys.timeline(incident_id), "+", f"({entry_id}", "COUNT", AT_ONCE)
    return [_news(incident_id, row) for row in reversed(rows)]


def await_entries(link: Link, after: Mapping[str, str], *, wait_ms: int) -> list[News]:
    """Wait for entries of any of these incidents after the given ids; return them in the order of each timeline."""
    by_key = {keys.timeline(name).encode(): name for name in after}
    streams = (*by_key, *after.values())
    found = link.one("XREAD", "COUNT", AT_ONCE, "BLOCK", wait_ms, "STREAMS", *streams) or ()
    return [_news(by_key[key], row) for key, rows in found for row in rows]


class _Stand(NamedTuple):
    changes: bytes | None
    read_at: float
    incidents: Sequence[Counted]


class OpenIncidents:
    """How the open incidents stand, read anew only when one has changed. For many threads.

    `clock` is monotonic, in seconds.
    """

    def __init__(self, links: Links, clock: Callable[[], float] = time.monotonic) -> None:
        self._links = links
        self._reads = Reads(links)
        self._clock = clock
        self._stand: _Stand | None = None

    def read(self) -> Sequence[Counted]:
        """Return the open incidents that need somebody most, and the newest, whoever may see them."""
        with self._links.borrow() as link:
            changes = link.one("GET", keys.incidents_changes())
        now, stand = self._clock(), self._stand
        if stand is None or stand.changes != changes or now - stand.read_at >= REMEMBERED_SECONDS:
            # What changes while it is read is read once more the next time: the count is of before.
            stand = self._stand = _Stand(changes, now, self._read())
        return stand.incidents

    def _read(self) -> Sequence[Counted]:
        urgent = self._reads.urgent(limit=URGENT_LOOKED_AT).incidents
        newest = self._reads.incidents(statuses=OPEN_STATUSES, limit=OPEN_LOOKED_AT).incidents
        known = {each.incident.id for each in urgent}
        return (*urgent, *(each for each in newest if each.incident.id not in known))


def _news(incident_id: str, row: tuple[bytes, list[bytes]]) -> News:
    entry_id, fields = row
    return News(incident_id, entry_id.decode(), decode_entry(fields[1]))
