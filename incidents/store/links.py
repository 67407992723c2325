"""What acknowledging by a link needs of the store: the key of the signatures, and which links were used."""

import secrets
from datetime import datetime

import msgspec

from incidents import keys
from incidents.clock import to_ms
from incidents.links import AckLink
from incidents.store.connection import Command, Link

KEY_BYTES = 32


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """Who acknowledged by a link, and when."""

    person: str
    at: datetime


_DECODER = msgspec.json.Decoder(Used)


def signing_key(link: Link) -> bytes:
    """Return the key of the signatures, which the first who asks makes; raises `StoreUnavailable`."""
    made = secrets.token_hex(KEY_BYTES)
    taken, kept = link.ask([("SET", keys.links_key(), made, "NX"), ("GET", keys.links_key())])
    return made.encode() if taken is not None or kept is None else bytes(kept)


def used_by(link: Link, token: str) -> Used | None:
    """Return who acknowledged by a link, None while nobody did."""
    stored = link.one("GET", keys.link_used(token))
    return _DECODER.decode(stored) if stored is not None else None


def use_command(token: str, acknowledged: AckLink, now: datetime) -> Command:
    """Return what remembers that a link was used, until it would have expired."""
    used = msgspec.json.encode(Used(person=acknowledged.person, at=now))
    left_ms = max(to_ms(acknowledged.expires_at) - to_ms(now), 1)
    return ("SET", keys.link_used(token), used, "NX", "PX", left_ms)
