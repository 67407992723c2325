"""What deciding sees of the store in the midst of a batch: the snapshot, and what the batch changed so far. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from incidents.alert import AlertState
from incidents.clock import to_ms
from incidents.commit import TIMER_CLEAR, Commit, clear_timer
from incidents.facts import Fact
from incidents.heartbeat import HeartbeatState
from incidents.incident import AlertTally, Incident, incident_id
from incidents.post_incident_actions import Overdue, overdue_of
from incidents.snapshot import Absorbing, Known, Need, Plan, Snapshot
from incidents.timeline import FOLD_FOR_MS, Entry, EntryKind, fold_name
from incidents.transitions import Transition
from rules.deciding.windows import Windows
from rules.deciding.work import Arrival
from rules.slos import Slo

WANTED_FOR = timedelta(hours=1)  # a question is asked on so long after an answer to it was last looked for
NEWS_AFTER = timedelta(seconds=15)  # when a first answer, or one that is overdue, may be there


class View:
    """One batch's copy of the store, and the commit that it fills."""

    def __init__(self, snapshot: Snapshot, now: datetime) -> None:
        self.now = now
        self.snapshot = snapshot
        self.commit = Commit(now)
        self.slos: Mapping[str, Slo] = {}
        self.asked_anyway: frozenset[str] = frozenset()  # questions that need not be asked for
        self._news_due: datetime | None = None
        self._number = snapshot.number
        self._states: dict[str, AlertState] = {}
        self._incidents: dict[str, Incident] = {}
        self._tallies: dict[str, AlertTally] = {}
        self._folds: dict[str, dict[str, int]] = {}
        self._by_identity: dict[str, str] = {}
        self.windows = Windows(snapshot, self.commit, now)
        self.changed: dict[str, None] = {}  # incidents that the batch changed
        self.fires_anew: dict[str, None] = {}  # incidents of which no alert fired before
        self.absorbing = dict(snapshot.absorbing)
        for identity_key, known in snapshot.identities.items():
            if known is not None:
                self._by_identity[identity_key] = known.incident.id
                self._know(known)
        for known in snapshot.ids.values():
            if known is not None:
                self._know(known)

    def _know(self, known: Known) -> None:
        name = known.incident.id
        self._incidents.setdefault(name, known.incident)
        self._tallies.setdefault(name, known.alerts)
        self._folds.setdefault(name, {}).update(known.folds)

    # Alerts

    def state(self, key: str) -> AlertState | None:
        """Return what is remembered of an alert."""
        return self._states.get(key) or self.snapshot.alerts.get(key)

    def remember(self, key: str, state: AlertState) -> None:
        """Remember an alert anew."""
        self._states[key] = state
        self.commit.states[key] = state

    def require_alert(self, key: str) -> None:
        """Raise `Need` unless it is known what is remembered of an alert."""
        if key not in self.snapshot.asked and key not in self._states:
            plan = Plan()
            plan.alerts[key] = None
            raise Need(plan)

    # Facts

    def is_known(self, name: str) -> bool:
        """Whether a fact was asked of the store."""
        return name in self.snapshot.facts or name in self.commit.facts

    def known_fact(self, name: str) -> Fact | None:
        """Return what Prometheus answered last to a question; raises `Need` where it was not asked for yet."""
        if not self.is_known(name):
            plan = Plan()
            plan.facts[name] = None
            raise Need(plan)
        return self.commit.facts.get(name) or self.snapshot.facts[name]

    def fact(self, name: str) -> Fact | None:
        """Return the same, and remember when to look again."""
        found = self.known_fact(name)
        soon = self.now + NEWS_AFTER
        due = soon if found is None or found.expected_at <= self.now else found.expected_at
        self._news_due = due if self._news_due is None else min(self._news_due, due)
        return found

    def want(self, promql: str) -> None:
        """Let a question be asked for a while, unless it is asked anyway."""
        if promql not in self.asked_anyway:
            self.commit.wanted[promql] = to_ms(self.now + WANTED_FOR)

    def news_due(self, due: datetime | None) -> datetime | None:
        """Return the earlier of an instant and of when the facts that were looked at are answered anew."""
        news, self._news_due = self._news_due, None
        return news if due is None or (news is not None and news < due) else due

    # Heartbeats

    def heartbeat(self, name: str) -> HeartbeatState | None:
        """Return what is remembered of a heartbeat."""
        if name in self.commit.heartbeats:
            return self.commit.heartbeats[name]
        return self.snapshot.heartbeats.get(name)

    def heartbeats(self) -> list[HeartbeatState]:
        """Return every heartbeat."""
        every = {**self.snapshot.heartbeats, **self.commit.heartbeats}
        return [state for state in every.values() if state is not None]

    def remember_heartbeat(self, state: HeartbeatState) -> None:
        """Remember a heartbeat anew."""
        self.commit.heartbeats[state.id] = state

    def forget_heartbeat(self, name: str) -> None:
        """Forget a heartbeat."""
        self.commit.heartbeats[name] = None

    # Incidents

    def incident(self, name: str) -> Incident | None:
        """Return an incident by its id, if there is one; raises `Need` where it was not asked for yet."""
        if name in self._incidents:
            return self._incidents[name]
        if name in self.snapshot.ids:
            return None
        plan = Plan()
        plan.ids[name] = {}
        raise Need(plan)

    def homes(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the incidents of an alert, each that was merged as the one that goes on in its place."""
        for name in names:
            incident = self.incident(name)
            if incident is not None and incident.merged_into:
                return tuple(dict.fromkeys(self.home(name) for name in names))
        return names

    def home(self, name: str) -> str:
        """Return the id of an incident or, where it was merged, of the one that goes on in its place."""
        incident = self.incident(name)
        while incident is not None and incident.merged_into:
            name = incident.merged_into
            incident = self.incident(name)
        return name

    def is_loaded(self, name: str) -> bool:
        """Whether it is known if there is an incident of this id."""
        return name in self._incidents or name in self.snapshot.ids

    def of_identity(self, identity_key: str) -> Incident | None:
        """Return the incident that an identity points to; raises `Need` where it was not asked for yet."""
        name = self._by_identity.get(identity_key)
        if name is not None:
            return self._incidents[name]
        if identity_key not in self.snapshot.identities:
            plan = Plan()
            plan.identities[identity_key] = {}
            raise Need(plan)
        return None

    def overdue_actions(self, rule: str) -> tuple[Overdue, ...]:
        """Return the overdue post-incident actions of a rule; raises `Need` where there are some and none is loaded."""
        if not self.snapshot.has_actions:
            return ()
        if self.snapshot.actions is None:
            plan = Plan()
            plan.actions = True
            raise Need(plan)
        return overdue_of(rule, self.snapshot.actions, self.now)

    def tally(self, name: str) -> AlertTally:
        """Return the counts of an incident's alerts."""
        return self._tallies.get(name, AlertTally())

    def next_id(self) -> str:
        """Return the id that the next declared incident would have."""
        return incident_id(self.now.year, self._number + 1)

    def take(self, name: str, done: Transition, *, declared: bool = False) -> None:
        """Take in what a transition did."""
        if declared:
            self._number += 1
        if done.incident is not None:
            self._incidents[name] = done.incident
            self._by_identity[done.incident.identity_key] = name
            self.changed[name] = None
            if done.incident.absorbs_until is not None:
                self._absorbs(done.incident, done.incident.absorbs_until)
        self.commit.take(name, done, declared=declared)

    def require_incidents(self, names: Iterable[str]) -> None:
        """Raise `Need` unless all these incidents were asked for, with all that are missing."""
        plan = Plan()
        plan.ids.update({name: {} for name in names if name not in self._incidents and name not in self.snapshot.ids})
        plan.require()

    def _absorbs(self, incident: Incident, until: datetime) -> None:
        if incident.is_open:
            self.absorbing[incident.id] = Absorbing(identity=incident.identity, until=until)
        else:
            self.absorbing.pop(incident.id, None)

    # The alerts of an incident

    def attach(self, key: str, name: str, arrival: Arrival | None, *, was_in: bool) -> None:
        """Count a firing alert into an incident, and write it on its timeline; `was_in`: it was, as a resolved one."""
        before = self.tally(name)
        self._tallies[name] = AlertTally(
            firing=before.firing + 1, resolved=before.resolved - (1 if was_in else 0), clear_since=None
        )
        self.commit.count_alert(name, firing=1, resolved=-1 if was_in else 0)
        self.commit.attached.setdefault(name, set()).add(key)
        if before.firing <= 0:
            self.commit.clear_since[name] = None
            self.commit.timer(TIMER_CLEAR + name, None)
            self.fires_anew[name] = None
        if arrival is not None:
            self.fold(name, EntryKind.ALERT_FIRED, arrival, "fired")

    def detach(self, name: str, arrival: Arrival) -> None:
        """Count an alert of an incident as resolved; when it was the last one, set the timer that may resolve it."""
        before = self.tally(name)
        clear_since = self.now if before.firing <= 1 else None
        self._tallies[name] = AlertTally(
            firing=before.firing - 1, resolved=before.resolved + 1, clear_since=clear_since
        )
        self.commit.count_alert(name, firing=-1, resolved=1)
        self.fold(name, EntryKind.ALERT_RESOLVED, arrival, "resolved")
        if clear_since is not None:
            self.commit.clear_since[name] = clear_since
            incident = self._incidents.get(name)
            if incident is not None and incident.is_open:
                self.commit.timer(TIMER_CLEAR + name, clear_timer(incident, clear_since))

    def fold(self, name: str, kind: EntryKind, arrival: Arrival, verb: str) -> None:
        """Write an alert on a timeline: the first of its like as an entry, the others as a count."""
        labels = arrival.alert.labels
        alertname = labels.get("alertname", "an alert")
        fold = fold_name(kind, arrival.source, alertname)
        folds = self._folds.setdefault(name, {})
        begun = folds.get(fold)
        if begun is None or arrival.received_ms - begun > FOLD_FOR_MS:
            begun = folds[fold] = arrival.received_ms
            self.commit.folds_begun.setdefault(name, {})[fold] = begun
            entry = _alert_entry(kind, arrival, f"{alertname} {verb}", f"{fold}@{begun}")
            self.commit.entries.append((name, entry))
        self.commit.count_fold(name, f"fold:{fold}@{begun}")


def _alert_entry(kind: EntryKind, arrival: Arrival, text: str, fold: str) -> Entry:
    alert = arrival.alert
    summary = alert.annotations.get("summary") or alert.annotations.get("description") or ""
    data = {
        "labels": alert.labels,
        "source": arrival.source,
        "fingerprint": alert.fingerprint,
        "starts_at": alert.starts_at,
        "ends_at": alert.ends_at,
        "url": alert.generator_url,
    }
    return Entry(
        at=arrival.received_at,
        kind=kind,
        actor=arrival.source,
        text=f"{text}: {summary}" if summary else text,
        data={name: value for name, value in data.items() if value},
        fold=fold,
    )
