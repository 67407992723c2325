"""Reads what the live state document keeps in the store: the versions of its written parts, and the timeline's length.

Every version is kept for ever; only the commit of an edit adds one.
"""

from typing import NamedTuple

from incidents import keys
from incidents.document.values import WRITTEN, Part, Version
from incidents.store.archive import bring_back
from incidents.store.codec import decode_version
from incidents.store.commit import versions_key
from incidents.store.connection import Links, checked
from incidents.store.reads import UnknownCursor, is_entry_id


class Stood(NamedTuple):
    """How the status report stands, and how many entries the timeline has."""

    status_report: str
    entries: int


class VersionPage(NamedTuple):
    """Some versions of a part, oldest first, and the cursor of the next page, None after the last."""

    versions: tuple[Version, ...]
    before: Version | None  # the one that the first of them replaced
    next: str | None


class Documents:
    """Reads documents. For many threads."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def stood(self, incident_id: str) -> Stood:
        """Return the text of the status report, empty while there is none, and the length of the timeline."""
        with self._links.borrow() as link:
            bring_back(link, incident_id)
            reports, entries = checked(
                link.ask(
                    [
                        ("XREVRANGE", versions_key(incident_id, Part.STATUS_REPORT), "+", "-", "COUNT", 1),
                        ("XLEN", keys.timeline(incident_id)),
                    ]
                )
            )
        return Stood(decode_version(reports[0][1][1]).text if reports else "", int(entries))

    def versions(self, incident_id: str, part: Part, *, after: str = "", limit: int = 50) -> VersionPage:
        """Return the versions of a written part after a cursor; raises `UnknownCursor`."""
        assert part in WRITTEN  # noqa: S101 - the other parts have no versions
        if after and not is_entry_id(after):
            raise UnknownCursor(after)
        key = versions_key(incident_id, part)
        with self._links.borrow() as link:
            bring_back(link, incident_id)
            rows = link.one("XRANGE", key, f"({after}" if after else "-", "+", "COUNT", limit + 1)
            before = link.one("XREVRANGE", key, after, "-", "COUNT", 1) if after else []
        found = tuple(decode_version(row[1][1]) for row in rows[:limit])
        following = rows[limit - 1][0].decode() if len(rows) > limit else None
        return VersionPage(found, decode_version(before[0][1][1]) if before else None, following)
