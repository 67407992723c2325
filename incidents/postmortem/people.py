"""Who took part in an incident: the roles that they held and what they did, from the record. Pure."""

from datetime import datetime

import msgspec

from incidents.postmortem.numbers import is_page
from incidents.postmortem.record import Record, text_in
from incidents.postmortem.spans import role_spans
from incidents.timeline import SYSTEM, EntryKind, TimelineEntry
from incidents.values import Role

# Of these kinds the actor is a source, or the rule's.
_NOT_BY_PEOPLE = frozenset(
    {EntryKind.ALERT_FIRED, EntryKind.ALERT_RESOLVED, EntryKind.ALERT_STALE, EntryKind.FINDING_ADDED}
)


class RoleHeld(msgspec.Struct, frozen=True, kw_only=True):
    """A role, and from when until when somebody held it; `until` None: still, when the record ends."""

    role: Role
    since: datetime
    until: datetime | None


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who took part: the roles held, how often they were paged, and how many entries are theirs."""

    person: str
    roles: tuple[RoleHeld, ...]
    paged: int
    entries: int
    first_at: datetime | None  # when they first did something


def participants_of(record: Record) -> tuple[Participant, ...]:
    """Return everybody who held a role, did something or was paged: those with roles first, then by when they came."""
    sources = _sources(record)
    spans = role_spans(record)
    roles: dict[str, list[RoleHeld]] = {}
    for span in spans:
        until = None if span.is_last else span.until
        roles.setdefault(span.person, []).append(RoleHeld(role=span.role, since=span.since, until=until))
    paged: dict[str, int] = {}
    did: dict[str, list[TimelineEntry]] = {}
    for entry in record.entries:
        if entry.kind is EntryKind.PAGE_SENT and is_page(entry):
            person = text_in(entry.data, "person")
            paged[person] = paged.get(person, 0) + 1
        if entry.kind not in _NOT_BY_PEOPLE and entry.actor not in sources:
            did.setdefault(entry.actor, []).append(entry)
    names = dict.fromkeys((*roles, *did, *paged))
    return tuple(
        Participant(
            person=name,
            roles=tuple(roles.get(name, ())),
            paged=paged.get(name, 0),
            entries=len(did.get(name, ())),
            first_at=did[name][0].at if name in did else None,
        )
        for name in names
        if name
    )


def _sources(record: Record) -> frozenset[str]:
    """Return who is no person: Tocsin itself, and the sources of alerts."""
    named = {SYSTEM, *(span.source for span in record.alerts)}
    for entry in record.entries:
        if entry.kind in _NOT_BY_PEOPLE or (entry.kind is EntryKind.INCIDENT_DECLARED and text_in(entry.data, "rule")):
            named.add(entry.actor)
    return frozenset(named)
