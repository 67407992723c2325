"""What a store in memory holds, and how an incident is kept in it. Pure."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from incidents.alert import AlertState
from incidents.clock import from_ms, to_ms
from incidents.commit import TIMER_CLEAR, TIMER_INCIDENT
from incidents.document.values import Part, Version
from incidents.facts import Fact, awaits_facts
from incidents.heartbeat import HeartbeatState
from incidents.incident import AlertTally, Incident, incident_number, open_actions
from incidents.maintenance import Maintenance
from incidents.memory.sorted import Scored, Window
from incidents.page import Page
from incidents.post_incident_actions import OpenAction
from incidents.quarantined import Quarantined
from incidents.shadow import Shadowed
from incidents.snapshot import Absorbing, Known
from incidents.statistics.summary import Summary, summary_of
from incidents.timeline import Entry
from incidents.values import AlertStatus, IncidentStatus


class Pointer(NamedTuple):
    """Which incident an identity points to, and until when (None: as long as it is open)."""

    incident_id: str
    version: int
    expires_ms: int | None


class Shadow:
    """An incident that a rule in shadow mode would have declared for an identity."""

    def __init__(self, began: Shadowed, first_ms: int) -> None:
        self.rule, self.criterion, self.severity = began.rule, began.criterion, began.severity
        self.identity = began.identity
        self.first_ms = self.last_ms = first_ms
        self.firing: set[str] = set()
        self.alerts = 0  # how often one began to fire

    def take(self, members: Iterable[str]) -> None:
        """Let alerts belong to it, which fire."""
        before = len(self.firing)
        self.firing.update(members)
        self.alerts += len(self.firing) - before


class State:
    """Everything that the store keeps, as plain values. What lapses by time lapses by the instant that is handed in."""

    def __init__(self, ruleset: str = "") -> None:
        self.ruleset = ruleset
        self.fence = 0
        self.incidents: dict[str, Incident] = {}  # in the order in which they were declared
        self.timelines: dict[str, list[Entry]] = {}
        self.documents: dict[tuple[str, Part], list[Version]] = {}
        self.tallies: dict[str, dict[str, int]] = {}
        self.attached: dict[str, set[str]] = {}
        self.identities: dict[str, Pointer] = {}
        self.numbers: dict[int, int] = {}
        self.services: dict[str, set[str]] = {}
        self.open: set[str] = set()
        self.absorbing: dict[str, Absorbing] = {}
        self.alerts: dict[str, AlertState] = {}
        self.alerts_seen: dict[str, int] = {}
        self.alerts_resolved: dict[str, int] = {}
        self.windows: dict[str, Window] = {}
        self.timers = Scored()
        self.escalations = Scored()
        self.pages: dict[str, Page] = {}  # those that are due
        self.deliveries: dict[str, int] = {}
        self.echoes: dict[str, tuple[str, int]] = {}  # -> incident, until when
        self.heartbeats: dict[str, HeartbeatState] = {}
        self.facts: dict[str, Fact] = {}
        self.wanted: dict[str, int] = {}  # questions to Prometheus
        self.awaiting: set[str] = set()  # incidents that wait for facts
        self.shadow: dict[str, Shadow] = {}  # the present one
        self.would_be: list[Shadow] = []  # all of them, the first first
        self.counters: Counter[str] = Counter()
        self.quarantine: dict[str, Quarantined] = {}
        self.probes: set[str] = set()
        self.maintenance: dict[str, Maintenance] = {}
        self.summaries: dict[str, Summary] = {}  # of incidents that were closed
        self.paged: Counter[str] = Counter()
        self.actions: dict[str, tuple[OpenAction, ...]] = {}  # the open post-incident actions of incidents

    # Reading

    def tally(self, incident_id: str) -> AlertTally:
        """Return the counts of an incident's alerts."""
        fields = self.tallies.get(incident_id, {})
        since = fields.get("clear_since")
        return AlertTally(
            firing=fields.get("firing", 0),
            resolved=fields.get("resolved", 0),
            clear_since=from_ms(since) if since else None,
        )

    def of_identity(self, identity_key: str, now: datetime) -> Incident | None:
        """Return the incident that an identity points to at an instant."""
        pointer = self.identities.get(identity_key)
        if pointer is None or (pointer.expires_ms is not None and pointer.expires_ms < to_ms(now)):
            return None
        return self.incidents.get(pointer.incident_id)

    def window(self, key: str, now: datetime) -> Window | None:
        """Return a window that has not lapsed."""
        window = self.windows.get(key)
        if window is not None and window.expires_ms is not None and window.expires_ms <= to_ms(now):
            del self.windows[key]
            return None
        return window

    def known(self, incident: Incident | None, folds: Iterable[str]) -> Known | None:
        """Return an incident with its counts, and when these folds began."""
        if incident is None:
            return None
        fields = self.tallies.get(incident.id, {})
        begun = {name: fields[f"open:{name}"] for name in folds if f"open:{name}" in fields}
        return Known(incident, self.tally(incident.id), begun)

    # Writing

    def keep_incident(self, incident: Incident, now_ms: int, *, new: bool) -> None:
        """Store an incident, with its identity, indexes and timers, which all follow from its value."""
        self.incidents[incident.id] = incident
        for service in incident.services:
            members = self.services.setdefault(service, set())
            (members.add if incident.is_open else members.discard)(incident.id)
        if incident.is_open:
            self._point(incident, now_ms)
            self.open.add(incident.id)
        else:
            self._close(incident, now_ms)
        if new:
            self.numbers[incident.declared_at.year] = incident_number(incident.id)
        self._absorb(incident)
        self._index_actions(incident)
        (self.awaiting.add if awaits_facts(incident) else self.awaiting.discard)(incident.id)
        self.escalate_as_told(incident)

    def _absorb(self, incident: Incident) -> None:
        if incident.is_open and incident.absorbs_until is not None:
            self.absorbing[incident.id] = Absorbing(identity=incident.identity, until=incident.absorbs_until)
        else:
            self.absorbing.pop(incident.id, None)

    def _index_actions(self, incident: Incident) -> None:
        found = open_actions(incident)
        if found:
            self.actions[incident.id] = found
        else:
            self.actions.pop(incident.id, None)

    def _close(self, incident: Incident, now_ms: int) -> None:
        self.open.discard(incident.id)
        self.summaries[incident.id] = summary_of(incident)
        self.timers.drop(TIMER_CLEAR + incident.id)
        self.timers.drop(TIMER_INCIDENT + incident.id)
        if not incident.merged_into:
            self._leave(incident, now_ms)

    def _point(self, incident: Incident, now_ms: int) -> None:
        """Let its identity lead to an open incident, and those of merged ones that no later incident has taken."""
        ours = {incident.id, *(each.id for each in incident.merged)}
        for name in incident.identity_keys:
            held = self.identities.get(name)
            is_held = held is not None and (held.expires_ms is None or held.expires_ms >= now_ms)
            if name == incident.identity_key or held is None or not is_held or held.incident_id in ours:
                self.identities[name] = Pointer(incident.id, incident.version, None)

    def _leave(self, incident: Incident, now_ms: int) -> None:
        """Let the identities of a closed incident lead to it for a while, unless they lead to a later one already."""
        kept_ms = int(incident.reopen_seconds * 1000) if incident.status is IncidentStatus.RESOLVED else 0
        for name in incident.identity_keys:
            pointer = self.identities.get(name)
            if pointer is None or pointer.incident_id != incident.id:
                continue
            if kept_ms > 0 and (pointer.expires_ms is None or pointer.expires_ms >= now_ms):
                self.identities[name] = Pointer(incident.id, incident.version, now_ms + kept_ms)
            else:
                del self.identities[name]

    def escalate_as_told(self, incident: Incident) -> None:
        """Set or take away the timer of the next paging step, as the incident says."""
        if incident.is_open and incident.paging is not None and incident.paging.next_at is not None:
            self.escalations.put(incident.id, to_ms(incident.paging.next_at))
        else:
            self.escalations.drop(incident.id)

    def join(self, name: str, into: str) -> None:
        """Join the timeline, the counts and the alerts of a merged incident to those of another."""
        entries = self.timelines.setdefault(into, [])
        moved = [entry for entry in self.timelines.get(name, ()) if entry not in entries]
        self.timelines[into] = sorted([*entries, *moved], key=lambda entry: entry.at)
        theirs, here = self.tallies.get(name, {}), self.tallies.setdefault(into, {})
        both = self.attached.get(name, set()) & self.attached.get(into, set())
        firing = sum(1 for key in both if key in self.alerts and self.alerts[key].status is AlertStatus.FIRING)
        here["firing"] = here.get("firing", 0) + theirs.get("firing", 0) - firing
        here["resolved"] = here.get("resolved", 0) + theirs.get("resolved", 0) - (len(both) - firing)
        here.update({field: max(at, here.get(field, 0)) for field, at in theirs.items() if field.startswith("fold:")})
        since = [fields["clear_since"] for fields in (theirs, here) if fields.get("clear_since")]
        here.pop("clear_since", None)
        if since and here["firing"] <= 0:
            here["clear_since"] = max(since)
        self.attached.setdefault(into, set()).update(self.attached.get(name, ()))
