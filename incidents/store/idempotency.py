"""What was answered to calls that bear a key of their caller's: the same call again gets the first answer again.

A call that is under way holds its key for a minute; what failed gives it back, so that trying again is a new try.
What a call changes is written together with the word that it was done (`along`), so that a process that dies between
the change and its answer does not let the same happen twice.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import NamedTuple

import msgspec

from incidents import keys
from incidents.errors import StoreUnavailable
from incidents.store.connection import Command, Links

KEPT = timedelta(hours=24)
UNDER_WAY = timedelta(minutes=1)
LATEST = UNDER_WAY * 0.8  # after so long a call changes nothing any more: its key may soon be another's


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A call, and the answer to it; status 0 while there is none. `done`: it was done, and made `target`."""

    v: int = 1
    call: str  # a digest of what was asked for
    status: int = 0
    headers: dict[str, str] = {}
    body: bytes = b""
    media_type: str = ""
    done: bool = False
    target: str = ""


class _Held(NamedTuple):
    key: str
    call: str
    until: float  # on the monotonic clock


_DECODER = msgspec.json.Decoder(Answered)
_HELD: ContextVar[_Held | None] = ContextVar("held", default=None)


def along(target: str = "") -> list[Command]:
    """Return what the transaction of the call that this thread is in writes along; `target` is what it makes.

    Raises `StoreUnavailable` where the call took so long that its key may be another's by now.
    """
    held = _HELD.get()
    if held is None:
        return []
    if time.monotonic() > held.until:
        raise StoreUnavailable("the call took too long, and nothing was written")
    return [_set(held.key, Answered(call=held.call, done=True, target=target))]


def _set(key: str, answered: Answered) -> Command:
    return ("SET", key, msgspec.json.encode(answered), "EX", int(KEPT.total_seconds()))


class Answers:
    """Keeps answers under keys of callers. For many threads."""

    def __init__(self, links: Links, *, latest: timedelta = LATEST) -> None:
        self._links = links
        self._latest = latest

    def begin(self, actor: str, key: str, call: str) -> Answered | None:
        """Hold a key for a call, or return what is known under it: an answer, or a call that is under way."""
        name = keys.idempotency(actor, key)
        under_way = msgspec.json.encode(Answered(call=call))
        with self._links.borrow() as link:
            taken, known = link.ask(
                [("SET", name, under_way, "NX", "EX", int(UNDER_WAY.total_seconds())), ("GET", name)]
            )
        return None if taken is not None or known is None else _DECODER.decode(known)

    @contextmanager
    def holding(self, actor: str, key: str, call: str) -> Iterator[None]:
        """Let what this thread changes in the block be written together with the word that the call was done."""
        until = time.monotonic() + self._latest.total_seconds()
        token = _HELD.set(_Held(keys.idempotency(actor, key), call, until))
        try:
            yield
        finally:
            _HELD.reset(token)

    def keep(self, actor: str, key: str, answered: Answered) -> None:
        """Keep an answer for a day."""
        with self._links.borrow() as link:
            link.one(*_set(keys.idempotency(actor, key), answered))

    def give_back(self, actor: str, key: str) -> None:
        """Let a key be used anew, unless something was done under it."""
        name = keys.idempotency(actor, key)
        with self._links.borrow() as link:
            known = link.one("GET", name)
            if known is not None and not _DECODER.decode(known).done:
                link.one("DEL", name)
