"""The rule set that every host shares: its checked text under its hash, and one pointer that says which is in force."""

from collections.abc import Sequence
from datetime import datetime
from types import MappingProxyType

import msgspec

from incidents import calendars, keys
from incidents.calendars import Copies, Copy
from incidents.clock import to_ms
from incidents.errors import NotFound, StoreConflict
from incidents.overrides import MadeOverride, calendars_of, decoded, joined, overrides_of, rules_of
from incidents.store.connection import Command, Link, Links, checked

SUPERSEDED_SECONDS = 30 * 86400
TRIES = 20


class RuleText(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a rule set, name and text of each, and when they were checked.

    What is checked may depend on the day (who is on call in the next 90 days), so who compiles the text later
    checks it as of then: what was good once does not turn bad under a running system.
    """

    v: int = 1
    checked_at: datetime
    files: tuple[tuple[str, str], ...]


class ReloadStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the last reload went, and which rule set is in force."""

    successful: bool = True
    at_ms: int = 0  # of the last successful one
    ruleset: str = ""
    errors: tuple[str, ...] = ()


class Reloaded(msgspec.Struct, frozen=True, kw_only=True):
    """What a reload came to: the hash in force afterwards, and every error (then the old rules stayed)."""

    hash: str
    errors: tuple[str, ...] = ()


class RuleSets:
    """Stores and finds rule sets."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def current(self) -> str:
        """Return the name of what is in force (`incidents.overrides`), empty before the first."""
        with self._links.borrow() as link:
            value = link.one("GET", keys.rules_current())
        return value.decode() if value else ""

    def text(self, ruleset: str) -> RuleText:
        """Return the files of a rule set; raises `NotFound`."""
        with self._links.borrow() as link:
            value = link.one("GET", keys.rules_text(rules_of(ruleset)))
        if value is None:
            raise NotFound("rule set", ruleset)
        return msgspec.json.decode(value, type=RuleText)

    def overrides(self, ruleset: str) -> tuple[MadeOverride, ...]:
        """Return the overrides that the name of a rule set names; raises `NotFound`."""
        name = overrides_of(ruleset)
        if not name:
            return ()
        with self._links.borrow() as link:
            stored = link.one("GET", keys.overrides(name))
        if stored is None:
            raise NotFound("set of overrides", name)
        return decoded(stored)

    def calendars(self, ruleset: str) -> dict[str, Copy]:
        """Return what was read of the calendars that the name of a rule set names; raises `NotFound`."""
        name = calendars_of(ruleset)
        if not name:
            return {}
        with self._links.borrow() as link:
            stored = link.one("GET", keys.calendars(name))
        if stored is None:
            raise NotFound("set of calendars", name)
        return calendars.decoded(stored)

    def publish(
        self, ruleset: str, files: Sequence[tuple[str, str]], now: datetime, read: Copies = MappingProxyType({})
    ) -> None:
        """Put a checked rule set in force: every commit after this answers uses it, on every host.

        The overrides that people made stay, and so does what was read of calendars; `read` is what was read of those
        that stand among the files. Raises `StoreConflict` where they kept changing.
        """
        text = msgspec.json.encode(RuleText(checked_at=now, files=tuple(files)))
        status = ReloadStatus(successful=True, at_ms=to_ms(now), ruleset=ruleset)
        commands: list[Command] = [
            ("SET", keys.rules_text(ruleset), text),
            ("HSET", keys.rules_status(), "status", msgspec.json.encode(status)),
        ]
        with self._links.borrow() as link:
            for _ in range(TRIES):
                _, stored = checked(link.ask([("WATCH", keys.rules_current()), ("GET", keys.rules_current())]))
                before = stored.decode() if stored else ""
                moved = _with_calendars(link, before, ruleset, read)
                if before and rules_of(before) != ruleset:
                    moved.append(("EXPIRE", keys.rules_text(rules_of(before)), SUPERSEDED_SECONDS))
                replies = link.ask([("MULTI",), *commands, *moved, ("EXEC",)])
                checked(replies)
                if replies[-1] is not None:
                    return
        raise StoreConflict("the overrides kept changing")

    def publish_calendars(self, ruleset: str, read: Copies) -> bool:
        """Put what was read of calendars in force, in place of all from before; False where the rules changed since."""
        new = calendars.hash_of(read)
        with self._links.borrow() as link:
            _, stored = checked(link.ask([("WATCH", keys.rules_current()), ("GET", keys.rules_current())]))
            if (stored.decode() if stored else "") != ruleset:
                link.one("UNWATCH")
                return False
            commands: list[Command] = [
                ("SET", keys.rules_current(), joined(rules_of(ruleset), overrides_of(ruleset), new)),
                *_kept_calendars(calendars_of(ruleset), read),
            ]
            replies = link.ask([("MULTI",), *commands, ("EXEC",)])
            checked(replies)
            return replies[-1] is not None

    def refuse(self, errors: Sequence[str]) -> None:
        """Note that a reload failed; the rule set in force stays."""
        kept = msgspec.structs.replace(self.status(), successful=False, errors=tuple(errors[:100]))
        with self._links.borrow() as link:
            link.one("HSET", keys.rules_status(), "status", msgspec.json.encode(kept))

    def status(self) -> ReloadStatus:
        """Return how the last reload went."""
        with self._links.borrow() as link:
            value = link.one("HGET", keys.rules_status(), "status")
        return msgspec.json.decode(value, type=ReloadStatus) if value else ReloadStatus(successful=True)


def _with_calendars(link: Link, before: str, ruleset: str, read: Copies) -> list[Command]:
    """Return what puts a rule set in force, with the calendars from before and those that were read along with it."""
    old = calendars_of(before)
    if not read:
        return [("SET", keys.rules_current(), joined(ruleset, overrides_of(before), old))]
    stored = link.one("GET", keys.calendars(old)) if old else None
    every = (calendars.decoded(stored) if stored else {}) | dict(read)
    name = joined(ruleset, overrides_of(before), calendars.hash_of(every))
    return [("SET", keys.rules_current(), name), *_kept_calendars(old, every)]


def _kept_calendars(old: str, read: Copies) -> list[Command]:
    """Return what keeps calendars under their hash, and lets those from before go after a while."""
    new = calendars.hash_of(read)
    commands: list[Command] = [("EXPIRE", keys.calendars(old), SUPERSEDED_SECONDS)] if old and old != new else []
    return [*commands, ("SET", keys.calendars(new), calendars.encoded(read))] if new else commands
