"""The audit log: who changed what, and which credentials were refused. Entries are appended, and never changed.

It holds the last hundred thousand entries or so; every entry goes to the log of its process too, which may be kept for
longer.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from incidents import keys
from incidents.store.codec import encode
from incidents.store.connection import Links, checked
from incidents.store.reads import UnknownCursor

MOST_ENTRIES = 100_000  # some 30 MB; the oldest go first


class Outcome:
    """What an entry tells of: a wire format."""

    DONE = "done"
    UNKNOWN = "unknown"  # the store went away in the middle: it may have been done
    REFUSED = "refused"


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry; of refused credentials `count` says how many it stands for, and `actor` is empty."""

    v: int = 1
    at: datetime
    actor: str = ""
    action: str  # as in the description of the API: `POST /incidents/{incident_id}/resolve`
    target: str = ""
    outcome: str
    request_id: str = ""
    address: str = ""
    count: int = 1


class Audited(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as it is read back, with its id."""

    id: str
    entry: AuditEntry


class AuditPage(NamedTuple):
    """Some entries, latest first, and the cursor of the next page, None after the last."""

    entries: tuple[Audited, ...]
    next: str | None


class Audit:
    """Appends to the audit log and reads it. For many threads."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def append(self, entries: Sequence[AuditEntry]) -> None:
        """Append entries; raises `StoreUnavailable`."""
        commands = [("XADD", keys.audit(), "MAXLEN", "~", MOST_ENTRIES, "*", "e", encode(entry)) for entry in entries]
        with self._links.borrow() as link:
            checked(link.ask(commands))

    def entries(self, *, after: str = "", limit: int = 50) -> AuditPage:
        """Return entries after a cursor (the id of an entry), latest first; raises `UnknownCursor`."""
        if after and not _is_id(after):
            raise UnknownCursor(after)
        with self._links.borrow() as link:
            found = link.one("XREVRANGE", keys.audit(), f"({after}" if after else "+", "-", "COUNT", limit + 1)
        page = tuple(
            Audited(id=raw_id.decode(), entry=msgspec.json.decode(fields[1], type=AuditEntry))
            for raw_id, fields in found[:limit]
        )
        return AuditPage(page, page[-1].id if len(found) > limit else None)


def _is_id(text: str) -> bool:
    milliseconds, dash, number = text.partition("-")
    return dash == "-" and all(
        part.isascii() and part.isdecimal() and len(part) < 20 for part in (milliseconds, number)
    )
