"""The status page for those who have to know: what its link says, and what it shows of communications. Pure.

Who holds the link needs no other credential; it shows summary, state and communications, and nothing else.
"""

from datetime import datetime, timedelta

import msgspec

from incidents import sealed
from incidents.alert import short_hash
from incidents.clock import from_ms, to_ms
from incidents.sealed import BadLink
from incidents.timeline import TimelineEntry

LONGEST = timedelta(days=7)
MOST_LINKS = 100  # of one incident that hold at once
MAX_TOKEN = 1000
_ID_DIGITS = 10
_SALT = "status page"


class StatusLink(msgspec.Struct, frozen=True, kw_only=True):
    """What a link says: which incident, who shared it, what was told to whom (empty: to anybody), and until when.

    `group` is the one by which whoever shared it may; empty for the holder of a token.
    """

    incident: str
    by: str
    audience: str
    made_at: datetime
    expires_at: datetime
    group: str = ""


class KeptLink(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is remembered of a link, to list it and to end it: everything but the link itself, which is a secret."""

    id: str
    by: str
    audience: str
    made_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    group: str = ""

    def holds(self, now: datetime) -> bool:
        """Whether it has neither expired nor been ended."""
        return self.ended_at is None and now < self.expires_at


def id_of(token: str) -> str:
    """Return the id of a link, from which the link cannot be told."""
    return short_hash(token)[:_ID_DIGITS]


def kept_as(link: StatusLink, token: str) -> KeptLink:
    """Return what is remembered of a link."""
    return KeptLink(
        id=id_of(token),
        by=link.by,
        audience=link.audience,
        made_at=link.made_at,
        expires_at=link.expires_at,
        group=link.group,
    )


def seal(link: StatusLink, key: bytes) -> str:
    """Return a link as the last part of an address."""
    content = [link.incident, link.by, link.audience, to_ms(link.made_at), to_ms(link.expires_at)]
    if link.group:
        content.append(link.group)
    return sealed.seal(content, key, _SALT)


def unseal(token: str, key: bytes) -> StatusLink:
    """Read a link, expired or not; raises `BadLink` where the signature does not hold."""
    try:
        incident, by, audience, made_ms, expires_ms, *group = sealed.unseal(token, key, _SALT, MAX_TOKEN)
    except ValueError as error:
        raise BadLink("the link is not one that this version makes") from error
    return StatusLink(
        incident=incident,
        by=by,
        audience=audience,
        made_at=from_ms(made_ms),
        expires_at=from_ms(expires_ms),
        group=group[0] if group else "",
    )


def said_in(entry: TimelineEntry, audience: str = "") -> str:
    """Return what an audience was told by an entry, in those words alone; empty where it tells of anything else."""
    told = str(entry.data.get("audience") or "")
    if not told or audience not in {"", told}:
        return ""
    channels = entry.data.get("channels")
    over = ", ".join(map(str, channels)) if isinstance(channels, list) else str(entry.data.get("channel") or "")
    over = over or str(entry.data.get("channel") or "")
    how = "is telling" if entry.data.get("send") else "told"
    head = f"{entry.actor} {how} {told}{f' over {over}' if over else ''}: "
    return entry.text.removeprefix(head) if entry.text.startswith(head) else ""
