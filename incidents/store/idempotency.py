"""What was answered to calls that bear a key of their caller's: the same call again gets the first answer again.

A call that is under way holds its key for a minute; what failed gives it back, so that trying again is a new try.
"""

from datetime import timedelta

import msgspec

from incidents import keys
from incidents.store.connection import Links

KEPT = timedelta(hours=24)
UNDER_WAY = timedelta(minutes=1)


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A call, and the answer to it; status 0 while it is under way."""

    v: int = 1
    call: str  # a digest of what was asked for
    status: int = 0
    headers: dict[str, str] = {}
    body: bytes = b""
    media_type: str = ""


_DECODER = msgspec.json.Decoder(Answered)


class Answers:
    """Keeps answers under keys of callers. For many threads."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def begin(self, actor: str, key: str, call: str) -> Answered | None:
        """Hold a key for a call, or return what is known under it: an answer, or a call that is under way."""
        name = keys.idempotency(actor, key)
        under_way = msgspec.json.encode(Answered(call=call))
        with self._links.borrow() as link:
            taken, known = link.ask(
                [("SET", name, under_way, "NX", "EX", int(UNDER_WAY.total_seconds())), ("GET", name)]
            )
        return None if taken is not None or known is None else _DECODER.decode(known)

    def keep(self, actor: str, key: str, answered: Answered) -> None:
        """Keep an answer for a day."""
        with self._links.borrow() as link:
            seconds = int(KEPT.total_seconds())
            link.one("SET", keys.idempotency(actor, key), msgspec.json.encode(answered), "EX", seconds)

    def give_back(self, actor: str, key: str) -> None:
        """Let a key be used anew, for nothing was done under it."""
        with self._links.borrow() as link:
            link.one("DEL", keys.idempotency(actor, key))
