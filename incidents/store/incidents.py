"""One incident at a time: what a person, a provider or a due step does to it, outside the decider's batches.

It goes through the same transition table and the same commands as the decider's commits, under WATCH.
"""

import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from incidents import events, keys
from incidents.archive import is_archive
from incidents.commit import Commit, commit_of, merge_of
from incidents.errors import NotFound, StaleVersion, StoreUnavailable, TransitionNotAllowed
from incidents.incident import AlertTally, Incident, incident_id
from incidents.oncall import OnCall
from incidents.store.archive import bring_back, counted
from incidents.store.codec import decode_incident, tally_of
from incidents.store.commit import commit_commands, escalation_command
from incidents.store.connection import Command, Link, Links, checked
from incidents.store.idempotency import along
from incidents.store.load import FIELDS
from incidents.store.telling import tellable
from incidents.store.tries import until_done
from incidents.transitions import Context, Transition, transition


class Done(NamedTuple):
    """What became of an event: the incident after it, the counts of its alerts, and the reason in a word."""

    incident: Incident
    alerts: AlertTally
    reason: str


Decide = Callable[[Incident | None, Context], Transition]


class Incidents:
    """Changes single incidents. For many threads.

    `oncall` answers the on-call settings of a rule set by its hash.
    """

    def __init__(self, links: Links, oncall: Callable[[str], OnCall]) -> None:
        self._links = links
        self._oncall = oncall

    def get(self, name: str) -> tuple[Incident, AlertTally]:
        """Return an incident with the counts of its alerts; raises `NotFound`."""
        with self._links.borrow() as link:
            stored, counts = checked(link.ask([("GET", keys.incident(name)), ("HMGET", keys.tally(name), *FIELDS)]))
            if stored is not None and is_archive(stored):
                # Whoever looks at one goes on to what is kept under its id. A full store shows it all the same.
                with contextlib.suppress(StoreUnavailable):
                    bring_back(link, name)
            if stored is None:
                raise NotFound("incident", name)
            incident, alerts = counted(stored, counts)
            return tellable(link, [incident])[0], alerts

    def apply(
        self,
        name: str,
        event: events.Event,
        *,
        now: datetime,
        also: Sequence[Command] = (),
        version: int | None = None,
    ) -> Done:
        """Let an event happen to an incident; `also` is written in the same transaction.

        With `version`, only to that version of it. Raises `NotFound`, `StaleVersion`, `TransitionNotAllowed`,
        `StoreUnavailable`, and `StoreConflict` after many tries.
        """
        with self._links.borrow() as link:
            return _shown(link, until_done(link, partial(self._try, link, name, event, now, also, version), name))

    def home(self, name: str) -> tuple[Incident, AlertTally]:
        """Return an incident, or the one that goes on in its place where it was merged; raises `NotFound`."""
        incident, alerts = self.get(name)
        while incident.merged_into:
            incident, alerts = self.get(incident.merged_into)
        return incident, alerts

    def merge(
        self, name: str, into: str, *, actor: str, note: str = "", now: datetime, version: int | None = None
    ) -> Done:
        """Merge an incident into another and return that one, as one change of both.

        Raises `NotFound`, `StaleVersion` (of the one that is merged), `TransitionNotAllowed`, `StoreUnavailable`, and
        `StoreConflict` after many tries.
        """
        with self._links.borrow() as link:
            attempt = partial(self._try_merge, link, (name, into), (actor, note), now, version)
            return _shown(link, until_done(link, attempt, f"{name} or {into}"))

    def declare(self, event: events.DeclaredByHand, *, now: datetime) -> Done:
        """Declare an incident by hand; raises `TransitionNotAllowed` while its identity has an open one."""
        with self._links.borrow() as link:
            return until_done(link, partial(self._try_declare, link, event, now), "the identity")

    def _try_merge(
        self, link: Link, names: tuple[str, str], said: tuple[str, str], now: datetime, version: int | None
    ) -> Done | None:
        loads: list[Command] = [("WATCH", *map(keys.incident, names), keys.rules_current())]
        loads += [("GET", keys.rules_current()), *(("GET", keys.incident(name)) for name in names)]
        loads += [("HMGET", keys.tally(name), *FIELDS) for name in names]
        _, ruleset, *answers = checked(link.ask(loads))
        stored = dict(zip(names, answers[:2], strict=True))
        for name, value in stored.items():
            if value is None:
                raise NotFound("incident", name)
            if is_archive(value):
                link.one("UNWATCH")
                bring_back(link, name)
                return None
        incident, into = (decode_incident(stored[name]) for name in names)
        if version is not None and incident.version != version:
            raise StaleVersion(names[0], incident.version, version)
        current = ruleset.decode() if ruleset else ""
        oncall = self._oncall(current)
        context, other = (Context(oncall=oncall, ruleset=current, alerts=tally_of(*counts)) for counts in answers[2:])
        commit, after = merge_of(incident, into, said, (context, other), now)
        return Done(after, other.alerts, f"merged into {names[1]}") if self._execute(link, commit, ()) else None

    def _try(
        self,
        link: Link,
        name: str,
        event: events.Event,
        now: datetime,
        also: Sequence[Command],
        version: int | None,
    ) -> Done | None:
        loaded = link.ask(
            [
                ("WATCH", keys.incident(name), keys.rules_current()),
                ("GET", keys.incident(name)),
                ("HMGET", keys.tally(name), *FIELDS),
                ("GET", keys.rules_current()),
            ]
        )
        _, stored, counts, ruleset = checked(loaded)
        if stored is None:
            raise NotFound("incident", name)
        if is_archive(stored):
            link.one("UNWATCH")
            bring_back(link, name)
            return None
        incident, alerts = decode_incident(stored), tally_of(*counts)
        if version is not None and incident.version != version:
            raise StaleVersion(name, incident.version, version)
        current = ruleset.decode() if ruleset else ""
        context = Context(oncall=self._oncall(current), ruleset=current, alerts=alerts)
        if isinstance(event, events.Reopen):
            self._refuse_second(link, incident)
        done = transition(incident, event, context=context, now=now)
        commit = commit_of(name, done, now, watched=context.oncall.watches_incidents)
        if incident.merged_into and commit.entries:
            home = _home_of(link, incident)
            commit.entries = [(home, entry) for _, entry in commit.entries]
        # A step that was no longer due may have left its timer behind: it is set again as the incident says.
        mended = [escalation_command(incident)] if done.incident is None and isinstance(event, events.StepDue) else []
        if self._execute(link, commit, [*also, *mended]):
            return Done(done.incident or incident, alerts, done.reason)
        return None

    def _try_declare(self, link: Link, event: events.DeclaredByHand, now: datetime) -> Done | None:
        pointer, number = keys.identity(event.identity_key), keys.number(now.year)
        _, held, last, ruleset = checked(
            link.ask(
                [
                    ("WATCH", pointer, number, keys.rules_current()),
                    ("GET", pointer),
                    ("GET", number),
                    ("GET", keys.rules_current()),
                ]
            )
        )
        current = ruleset.decode() if ruleset else ""
        if held is not None:
            self._refuse_open(link, held)
        context = Context(
            oncall=self._oncall(current), ruleset=current, new_id=incident_id(now.year, int(last or 0) + 1)
        )
        done = transition(None, event, context=context, now=now)
        commit = commit_of(context.new_id, done, now, declared=True, watched=context.oncall.watches_incidents)
        if done.incident is not None and self._execute(link, commit, ()):
            return Done(done.incident, AlertTally(), done.reason)
        return None

    def _refuse_open(self, link: Link, pointer: bytes) -> None:
        """Raise when the incident that a pointer names is open; leaves the link unwatched then."""
        name = pointer.decode().rpartition(":")[0]
        stored = link.one("GET", keys.incident(name))
        if stored is not None and decode_incident(stored).is_open:
            link.one("UNWATCH")
            raise TransitionNotAllowed("open", "DeclaredByHand", f"{name} has the same identity and is open")

    def _refuse_second(self, link: Link, incident: Incident) -> None:
        """Raise when another incident of the same identity is open: an identity has one at most."""
        if incident.merged_into:
            return
        pointer = keys.identity(incident.identity_key)
        _, held = checked(link.ask([("WATCH", pointer), ("GET", pointer)]))
        name = held.decode().rpartition(":")[0] if held else ""
        if name not in {"", incident.id}:
            hint = f"{name} has the same identity and came after it"
            raise TransitionNotAllowed(incident.status.value, "Reopen", hint)

    @staticmethod
    def _execute(link: Link, commit: Commit, also: Sequence[Command]) -> bool:
        """Write the commit; False when something watched has changed."""
        made = next(iter(commit.declared), "")
        replies = link.ask([("MULTI",), *commit_commands(commit), *also, *along(made), ("EXEC",)])
        checked(replies)
        return replies[-1] is not None


def _shown(link: Link, done: Done) -> Done:
    return done._replace(incident=tellable(link, [done.incident])[0])


def _home_of(link: Link, incident: Incident) -> str:
    """Return the id of the incident that goes on in the place of a merged one."""
    name = incident.id
    while incident.merged_into:
        name = incident.merged_into
        stored = link.one("GET", keys.incident(name))
        if stored is None:
            break
        incident = decode_incident(stored)
    return name
