"""What a transition may look at and what it did: the types that every row of the table shares. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from incidents.document.values import Version
from incidents.errors import TransitionNotAllowed
from incidents.incident import AlertTally, Incident, Objective
from incidents.measures import Tally
from incidents.oncall import OnCall
from incidents.page import Page
from incidents.timeline import Entry, EntryKind


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a transition may look at beside the incident and the event."""

    oncall: OnCall
    ruleset: str
    alerts: AlertTally = AlertTally()
    new_id: str = ""  # the id of the incident that would be declared


class Transition(NamedTuple):
    """What an event did; `incident` is None where nothing changed, and `reason` says why in a word."""

    incident: Incident | None
    entries: tuple[Entry, ...]
    pages: tuple[Page, ...]
    tally: Tally
    reason: str
    written: tuple[Version, ...] = ()  # new versions of written parts of the document


class UnmetObjectives(TransitionNotAllowed):
    """Somebody resolves while objectives are unmet, and gives no reason why that does not matter."""

    def __init__(self, status: str, unmet: tuple[Objective, ...]) -> None:
        self.unmet = unmet
        names = "; ".join(f"{objective.id} ({objective.text})" for objective in unmet)
        super().__init__(status, "Resolve", f"these objectives are unmet: {names}; give an override with the reason")


def changed(
    before: Incident, after: Incident, entries: tuple[Entry, ...], pages: tuple[Page, ...] = (), reason: str = "changed"
) -> Transition:
    """Return what an event did to an incident, as its next version."""
    return Transition(replace(after, version=before.version + 1), entries, pages, Tally(), reason)


def unchanged(reason: str) -> Transition:
    """Return that an event did nothing, and why."""
    return Transition(None, (), (), Tally(), reason)


def said(
    kind: EntryKind, actor: str, what: str, note: str, now: datetime, data: Mapping[str, Any] | None = None
) -> Entry:
    """Return the entry of something that a person did."""
    text = f"{what} by {actor}" + (f": {note}" if note else "")
    return Entry(at=now, kind=kind, actor=actor, text=text, data=dict(data or {}))
