"""The overrides that people make: kept under their hash, which the pointer to the rules in force names.

They change together with the pointer, in one transaction, so that the next commit of everybody is under them.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

from incidents import keys
from incidents.errors import NotFound, StoreConflict
from incidents.overrides import (
    MOST,
    MadeOverride,
    calendars_of,
    decoded,
    encoded,
    hash_of,
    joined,
    kept,
    overrides_of,
    rules_of,
    without,
)
from incidents.page import Page
from incidents.store.commit import page_commands
from incidents.store.connection import Command, Link, Links, checked
from incidents.store.idempotency import along
from incidents.store.rulesets import SUPERSEDED_SECONDS

TRIES = 20
_BYTES = 4

Made = tuple[MadeOverride, ...]


def _none(_: MadeOverride) -> Sequence[Page]:
    return ()


class Overrides:
    """Makes, ends and finds overrides. For many threads."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def listed(self) -> Made:
        """Return the overrides in force, in the order in which they were made; raises `StoreUnavailable`."""
        with self._links.borrow() as link:
            stored = link.one("GET", keys.rules_current())
            return _read(link, stored.decode() if stored else "")

    def make(
        self, new: Callable[[str], MadeOverride], now: datetime, tell: Callable[[MadeOverride], Sequence[Page]] = _none
    ) -> tuple[MadeOverride, Made]:
        """Put an override in force under a new id, and return it with those before it.

        What `tell` says of it is sent along. Raises `StoreConflict` where there are too many already.
        """
        made = new(f"OVR-{secrets.token_hex(_BYTES)}")

        def add(before: Made) -> Made:
            if len(before) >= MOST:
                raise StoreConflict(f"there are {MOST} overrides already: end some")
            return (*before, made)

        return made, self._change(add, now, lambda _: tell(made), made.id)

    def end(self, name: str, now: datetime, tell: Callable[[MadeOverride], Sequence[Page]] = _none) -> MadeOverride:
        """End an override now, or take it away where it has not begun; return it as it was. Raises `NotFound`.

        What `tell` says of one that was not over is sent along.
        """

        def end(before: Made) -> Made:
            return without(before, name, now)

        def told(before: Made) -> Sequence[Page]:
            return [page for each in before if each.id == name and each.until > now for page in tell(each)]

        before = self._change(end, now, told)
        found = next((each for each in before if each.id == name), None)
        if found is None:
            raise NotFound("override", name[:64])
        return found

    def _change(
        self, change: Callable[[Made], Made], now: datetime, told: Callable[[Made], Sequence[Page]], made: str = ""
    ) -> Made:
        """Change the overrides, and return them as they were before."""
        with self._links.borrow() as link:
            for _ in range(TRIES):
                _, stored = checked(link.ask([("WATCH", keys.rules_current()), ("GET", keys.rules_current())]))
                current = stored.decode() if stored else ""
                before = _read(link, current)
                try:
                    after = change(kept(before, now))
                except StoreConflict:
                    link.one("UNWATCH")
                    raise
                also = page_commands(told(before))
                replies = link.ask([("MULTI",), *_commands(current, after), *also, *along(made), ("EXEC",)])
                checked(replies)
                if replies[-1] is not None:
                    return before
        raise StoreConflict("the overrides kept changing")


def _commands(current: str, after: Made) -> list[Command]:
    old, new = overrides_of(current), hash_of(after)
    name = joined(rules_of(current), new, calendars_of(current))
    commands: list[Command] = [("SET", keys.rules_current(), name)]
    if old and old != new:
        commands.append(("EXPIRE", keys.overrides(old), SUPERSEDED_SECONDS))
    if new:
        commands.append(("SET", keys.overrides(new), encoded(after)))
    return commands


def _read(link: Link, current: str) -> Made:
    name = overrides_of(current)
    stored = link.one("GET", keys.overrides(name)) if name else None
    return decoded(stored) if stored else ()
