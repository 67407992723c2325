"""Keeps what people write in post-mortems: the present version, and every one before it. None is ever lost."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from incidents import keys
from incidents.errors import NotFound, TocsinError
from incidents.postmortem.values import Postmortem, PostmortemState
from incidents.store.archive import bring_back
from incidents.store.codec import encode
from incidents.store.commit import entry_command
from incidents.store.connection import Command, Link, Links, checked
from incidents.store.idempotency import along
from incidents.store.tries import until_done
from incidents.timeline import Entry

VERSIONS = 200  # of which the history tells at once

_decode = msgspec.json.Decoder(Postmortem).decode


class StalePostmortem(TocsinError):
    """Somebody changed a post-mortem since it was read; `present` is how it stands."""

    def __init__(self, incident_id: str, present: Postmortem) -> None:
        self.present = present
        super().__init__(f"the post-mortem of {incident_id} is at version {present.version}: somebody changed it")


class Changed(NamedTuple):
    """A post-mortem after a change, and the entry that tells of it."""

    postmortem: Postmortem
    entry: Entry


class Postmortems:
    """Reads and changes what is kept of post-mortems. For many threads."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def get(self, incident_id: str) -> Postmortem:
        """Return what is kept of the post-mortem of an incident; version 0 where nobody changed it yet."""
        with self._links.borrow() as link:
            bring_back(link, incident_id)
            return _read(link.one("GET", keys.postmortem(incident_id)))

    def versions(self, incident_id: str) -> tuple[Postmortem, ...]:
        """Return the versions before the present one, the latest first, no more than 200."""
        with self._links.borrow() as link:
            bring_back(link, incident_id)
            kept = link.one("LRANGE", keys.postmortem_versions(incident_id), -VERSIONS, -1)
        return tuple(_decode(value) for value in reversed(kept))

    def states(self, incident_ids: Sequence[str]) -> dict[str, PostmortemState]:
        """Return the states of the post-mortems of incidents; what nobody changed is a draft."""
        if not incident_ids:
            return {}
        with self._links.borrow() as link:
            kept = link.one("HMGET", keys.postmortems(), *incident_ids)
        return {
            name: PostmortemState(state.decode()) if state is not None else PostmortemState.DRAFT
            for name, state in zip(incident_ids, kept, strict=True)
        }

    def at_hand(self, incident_ids: Sequence[str]) -> dict[str, Postmortem]:
        """Return what is kept of the post-mortems of incidents, but for those in the archive: they stay there."""
        if not incident_ids:
            return {}
        with self._links.borrow() as link:
            kept = link.one("MGET", *(keys.postmortem(name) for name in incident_ids))
        return {name: _decode(value) for name, value in zip(incident_ids, kept, strict=True) if value is not None}

    def change(self, incident_id: str, version: int | None, make: Callable[[Postmortem], Changed]) -> Postmortem:
        """Let a change happen to the version that was read, None for any, and return what became of it.

        `make` may raise `TransitionNotAllowed`. Raises `NotFound`, `StalePostmortem`, `StoreConflict` after many tries.
        """
        with self._links.borrow() as link:
            bring_back(link, incident_id)
            attempt = partial(self._try, link, incident_id, version, make)
            return until_done(link, attempt, f"the post-mortem of {incident_id}")

    def _try(
        self, link: Link, incident_id: str, version: int | None, make: Callable[[Postmortem], Changed]
    ) -> Postmortem | None:
        key = keys.postmortem(incident_id)
        _, exists, stored = checked(link.ask([("WATCH", key), ("EXISTS", keys.incident(incident_id)), ("GET", key)]))
        if not exists:
            raise NotFound("incident", incident_id)
        before = _read(stored)
        if version is not None and version != before.version:
            raise StalePostmortem(incident_id, before)
        after, entry = make(before)
        kept = [("RPUSH", keys.postmortem_versions(incident_id), stored)] if stored is not None else []
        state: Command = ("HSET", keys.postmortems(), incident_id, after.state.value)
        commands = [("SET", key, encode(after)), state, *kept, entry_command(incident_id, entry), *along()]
        written = checked(link.ask([("MULTI",), *commands, ("EXEC",)]))[-1]
        return after if written is not None else None


def _read(stored: bytes | None) -> Postmortem:
    return _decode(stored) if stored is not None else Postmortem()
