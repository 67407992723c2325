"""How the last attempt over each channel went, kept beside the pages."""

from datetime import datetime

import msgspec

from incidents import keys
from incidents.events import PageDelivered, PageFailed
from incidents.reaching import Attempt
from incidents.store.connection import Command, Links

MOST_REASON = 300  # characters
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Attempt)


def attempt_commands(event: object, now: datetime) -> list[Command]:
    """Return what remembers how an attempt went; nothing for an event that is no attempt over a channel."""
    if not isinstance(event, PageDelivered | PageFailed) or not event.channel:
        return []
    failed = (event.error or "failed")[:MOST_REASON] if isinstance(event, PageFailed) else ""
    return [("HSET", keys.channels_last(), event.channel, _ENCODER.encode(Attempt(at=now, failed=failed)))]


def last_attempts(links: Links) -> dict[str, Attempt]:
    """Return the last attempts by the name of the channel; raises `StoreUnavailable`."""
    with links.borrow() as link:
        flat = link.one("HGETALL", keys.channels_last())
    return {name.decode(): _DECODER.decode(value) for name, value in zip(flat[::2], flat[1::2], strict=True)}
