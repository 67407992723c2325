"""What deciding asks of the store, and what it gets to see of it: plain values that know no store. Pure."""

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from incidents.alert import AlertState
from incidents.facts import Fact
from incidents.heartbeat import HeartbeatState
from incidents.incident import AlertTally, Incident
from incidents.maintenance import Maintenance
from incidents.post_incident_actions import OpenAction

FIRING_NOW = timedelta(0)  # the span under which a window's firing alerts are counted
MEMBERS_LOADED = 1000  # of a window, to attach them to the incident that it declares


class WindowPlan(NamedTuple):
    """Which alerts may enter a window of a counting rule, and over which spans it counts."""

    withins: tuple[timedelta, ...]
    members: dict[str, None]


class Absorbing(msgspec.Struct, frozen=True, kw_only=True):
    """An open incident that takes other findings in: those of alerts that have all the labels of its identity."""

    identity: dict[str, str]
    until: datetime


class Plan:
    """What a batch needs; it may grow when deciding finds that more is needed."""

    def __init__(self) -> None:
        self.alerts: dict[str, None] = {}
        self.identities: dict[str, dict[str, None]] = {}  # identity key -> folds
        self.ids: dict[str, dict[str, None]] = {}  # incident id -> folds
        self.windows: dict[str, WindowPlan] = {}
        self.members: dict[str, timedelta] = {}  # windows whose members are wanted
        self.deliveries: dict[str, None] = {}  # keys of deliveries: did they take effect already?
        self.services: dict[str, None] = {}  # services whose open incidents are wanted
        self.tops: dict[str, int] = {}  # windows -> how many of their latest members are wanted, with scores
        self.attached: dict[str, None] = {}  # ids of incidents whose alerts are wanted
        self.facts: dict[str, None] = {}  # ids of facts
        self.echoes: dict[str, None] = {}  # keys under which our own pages are known at a provider
        self.heartbeats = False
        self.awaiting = False  # the incidents that wait for facts are wanted
        self.open = False  # the ids of all open incidents are wanted
        self.actions = False  # the open post-incident actions are wanted
        self.absorbing = False  # the open incidents that absorb are wanted

    def __bool__(self) -> bool:
        wanted = (self.alerts, self.identities, self.ids, self.windows, self.members, self.deliveries, self.services)
        flags = (self.heartbeats, self.awaiting, self.open, self.absorbing, self.actions)
        return any(wanted) or bool(self.tops or self.attached or self.facts or self.echoes) or any(flags)

    def add_window(self, key: str, withins: tuple[timedelta, ...], member: str | None = None) -> None:
        """Ask for the counts of a window, and whether an alert is in it."""
        window = self.windows.setdefault(key, WindowPlan(withins, {}))
        if member is not None:
            window.members[member] = None

    def require(self) -> None:
        """Raise `Need` unless the plan is empty."""
        if self:
            raise Need(self)

    def merge(self, other: "Plan") -> None:
        """Take in what deciding found missing."""
        self.alerts.update(other.alerts)
        for name, folds in other.identities.items():
            self.identities.setdefault(name, {}).update(folds)
        for incident_id, folds in other.ids.items():
            self.ids.setdefault(incident_id, {}).update(folds)
        for key, window in other.windows.items():
            self.windows.setdefault(key, WindowPlan(window.withins, {})).members.update(window.members)
        self.members.update(other.members)
        self.deliveries.update(other.deliveries)
        self.services.update(other.services)
        for key, count in other.tops.items():
            self.tops[key] = max(count, self.tops.get(key, 0))
        self.attached.update(other.attached)
        self.facts.update(other.facts)
        self.echoes.update(other.echoes)
        self.heartbeats = self.heartbeats or other.heartbeats
        self.awaiting = self.awaiting or other.awaiting
        self.open = self.open or other.open
        self.absorbing = self.absorbing or other.absorbing
        self.actions = self.actions or other.actions


class Need(Exception):
    """Deciding met something that was not loaded; `plan` names it."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("more of the store is needed")
        self.plan = plan


class Known(NamedTuple):
    """An incident as it was loaded: with the counts of its alerts and when its folds began (ms)."""

    incident: Incident
    alerts: AlertTally
    folds: dict[str, int]


class Snapshot(NamedTuple):
    """Everything that a decision may look at."""

    asked: frozenset[str]  # the alerts that were asked for, known or not
    ruleset: str
    fence: int
    number: int
    alerts: dict[str, AlertState]
    identities: dict[str, Known | None]
    ids: dict[str, Known | None]
    counts: dict[tuple[str, timedelta], int]
    scores: dict[tuple[str, str], float | None]
    members: dict[str, tuple[str, ...]]
    delivered: frozenset[str]
    echoes: dict[str, str]  # key under which our own page is known at a provider -> the incident
    services: dict[str, tuple[str, ...]]  # service -> ids of its open incidents
    heartbeats: dict[str, HeartbeatState]
    tops: dict[str, tuple[tuple[str, float], ...]]  # window -> its latest members with their scores, latest first
    attached: dict[str, tuple[str, ...]]  # incident id -> its alerts
    absorbing: dict[str, Absorbing]  # incident id -> what it absorbs
    facts: dict[str, Fact | None]  # None: never heard of
    awaiting: tuple[str, ...]  # ids of incidents that wait for facts
    open: tuple[str, ...]  # ids of all open incidents, where they were asked for
    has_actions: bool  # whether any post-incident action is open
    actions: tuple[OpenAction, ...] | None  # those that are, where they were asked for
    maintenance: tuple[Maintenance, ...]  # those that came by the API
