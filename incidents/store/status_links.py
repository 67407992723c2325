"""The links of status pages: those that were made, and those that were ended before they expired.

A link is signed and needs no record to hold; what is kept here lists it, and ends it.
"""

from datetime import datetime

import msgspec

from incidents import keys
from incidents.clock import from_ms, to_ms
from incidents.errors import NotFound, TocsinError
from incidents.status_page import LONGEST, MOST_LINKS, KeptLink
from incidents.store.connection import Link, checked
from incidents.store.idempotency import along

_KEPT_MS = int(LONGEST.total_seconds() * 1000)
_ENCODER = msgspec.json.Encoder()
_LINK = msgspec.json.Decoder(KeptLink)


class TooManyLinks(TocsinError):
    """So many links of one incident hold that no further one is made."""

    def __init__(self) -> None:
        super().__init__(f"{MOST_LINKS} links of this incident hold")


def keep_link(link: Link, incident_id: str, made: KeptLink) -> None:
    """Remember a link that was made, and forget those that have expired; raises `TooManyLinks`."""
    key = keys.status_links(incident_id)
    known = _known(link, incident_id)
    if sum(each.holds(made.made_at) for each in known) >= MOST_LINKS:
        raise TooManyLinks
    expired = [each.id for each in known if each.expires_at <= made.made_at]
    forget = [("HDEL", key, *expired)] if expired else []
    keep = ("HSET", key, made.id, _ENCODER.encode(made))
    checked(link.ask([("MULTI",), *forget, keep, ("PEXPIRE", key, _KEPT_MS), *along(made.id), ("EXEC",)]))


def links_that_hold(link: Link, incident_id: str, now: datetime) -> list[KeptLink]:
    """Return the links of an incident's status page that hold, the latest first; raises `StoreUnavailable`."""
    holding = [each for each in _known(link, incident_id) if each.holds(now)]
    return sorted(holding, key=lambda each: (each.made_at, each.id), reverse=True)


def end_link(link: Link, incident_id: str, link_id: str, now: datetime) -> KeptLink:
    """End one link and return it; raises `NotFound` for one that does not hold."""
    ended = next((each for each in links_that_hold(link, incident_id, now) if each.id == link_id), None)
    if ended is None:
        raise NotFound("status link", link_id[:64])
    over = msgspec.structs.replace(ended, ended_at=now)
    link.one("HSET", keys.status_links(incident_id), link_id, _ENCODER.encode(over))
    return over


def end_links(link: Link, incident_id: str, now: datetime) -> list[KeptLink]:
    """End every link of an incident's status page that was made until now, and return those that held."""
    held = links_that_hold(link, incident_id, now)
    end = ("SET", keys.status_links_ended(incident_id), to_ms(now), "PX", _KEPT_MS)
    checked(link.ask([("MULTI",), end, ("DEL", keys.status_links(incident_id)), ("EXEC",)]))
    return [msgspec.structs.replace(each, ended_at=now) for each in held]


def is_ended(link: Link, incident_id: str, link_id: str, made_at: datetime) -> bool:
    """Whether a link was ended, by itself or with all that were made until then; raises `StoreUnavailable`."""
    until, stored = checked(
        link.ask([("GET", keys.status_links_ended(incident_id)), ("HGET", keys.status_links(incident_id), link_id)])
    )
    if until is not None and made_at <= from_ms(int(until)):
        return True
    return stored is not None and _LINK.decode(stored).ended_at is not None


def _known(link: Link, incident_id: str) -> list[KeptLink]:
    return [_LINK.decode(value) for value in link.one("HVALS", keys.status_links(incident_id))]
