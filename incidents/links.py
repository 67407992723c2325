"""Signed links by which the person who was paged acknowledges: who holds the link needs no other credential. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from incidents import sealed
from incidents.clock import from_ms, to_ms
from incidents.sealed import BadLink

LINK_FOR = timedelta(hours=24)
MOST_INCIDENTS = 20  # of a bundle, in one link: addresses cannot be of any length
MAX_TOKEN = 2000
_SALT = "acknowledge"


class AckLink(msgspec.Struct, frozen=True, kw_only=True):
    """What a link says: who was paged for which incidents by which page, and until when it holds."""

    person: str
    page_id: str
    incidents: tuple[str, ...]
    expires_at: datetime


def link_for(person: str, page_id: str, incidents: Sequence[str], now: datetime) -> AckLink:
    """Return the link of a message that goes out now."""
    named = tuple(incidents[:MOST_INCIDENTS])
    return AckLink(person=person, page_id=page_id, incidents=named, expires_at=now + LINK_FOR)


def seal(link: AckLink, key: bytes) -> str:
    """Return a link as the last part of an address."""
    return sealed.seal([link.person, link.page_id, link.incidents, to_ms(link.expires_at)], key, _SALT)


def unseal(token: str, key: bytes) -> AckLink:
    """Read a link, expired or not; raises `BadLink` where the signature does not hold."""
    try:
        person, page_id, incidents, expires_ms = sealed.unseal(token, key, _SALT, MAX_TOKEN)
        return AckLink(person=person, page_id=page_id, incidents=tuple(incidents), expires_at=from_ms(int(expires_ms)))
    except (ValueError, TypeError) as error:
        raise BadLink("the link is not one that this version makes") from error
