"""Reads the post-incident actions of all incidents; it writes nothing, they are kept with their incidents."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from incidents import keys
from incidents.incident import Incident
from incidents.post_incident_actions import ActionState, PostIncidentAction
from incidents.store.codec import decode_incident
from incidents.store.connection import Link, Links
from incidents.store.reads import UnknownCursor

CHUNK = 200
LOOKED_AT = 5_000  # incidents that one question looks at, the newest first
NEVER = date.max


class Of(NamedTuple):
    """A post-incident action with the incident that it came of."""

    incident: Incident
    action: PostIncidentAction

    @property
    def name(self) -> str:
        """Its name among those of all incidents: `INC-2026-0001/1`."""
        return f"{self.incident.id}/{self.action.id}"


class ActionPage(NamedTuple):
    """Some actions, and the cursor of the next page, None after the last."""

    actions: tuple[Of, ...]
    next: str | None


class PostIncidentActions:
    """Reads post-incident actions. For many threads."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def listed(
        self,
        *,
        now: datetime,
        states: frozenset[ActionState] = frozenset(),
        overdue: bool | None = None,
        reader: str | None = None,
        after: str = "",
        limit: int = 50,
    ) -> ActionPage:
        """Return actions of incidents that a reader may see: open ones first, by when they are due.

        Raises `UnknownCursor` for a cursor whose action is not among them any more.
        """
        with self._links.borrow() as link:
            is_open = states == {ActionState.OPEN} or overdue is True
            names = _with_open(link) if is_open else _with_any(link)
            found = [
                of
                for incident in _incidents(link, names)
                if not incident.merged_into and incident.is_seen_by(reader)
                for of in (Of(incident, action) for action in incident.post_incident_actions)
                if (not states or of.action.state in states)
                and (overdue is None or of.action.is_overdue(now) is overdue)
            ]
        found.sort(key=_place)
        start = _start(found, after)
        page = tuple(found[start : start + limit])
        return ActionPage(page, page[-1].name if page and start + limit < len(found) else None)


def _place(of: Of) -> tuple[bool, date, str, int]:
    action = of.action
    return action.state is not ActionState.OPEN, action.due or NEVER, of.incident.id, int(action.id)


def _start(found: list[Of], after: str) -> int:
    if not after:
        return 0
    place = next((place for place, of in enumerate(found) if of.name == after), None)
    if place is None:
        raise UnknownCursor(after)
    return place + 1


def _with_open(link: Link) -> list[str]:
    return [name.decode() for name in link.one("HKEYS", keys.post_incident_actions_open())]


def _with_any(link: Link) -> list[str]:
    return [name.decode() for name in link.one("ZREVRANGE", keys.post_incident_actions(), 0, LOOKED_AT - 1)]


def _incidents(link: Link, names: list[str]) -> Iterator[Incident]:
    for start in range(0, len(names), CHUNK):
        stored = link.one("MGET", *(keys.incident(name) for name in names[start : start + CHUNK]))
        yield from (decode_incident(value) for value in stored if value is not None)
