"""One batch on its way through the rules: alerts that fire, repeat and end. Pure."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from msgspec.structs import replace

from incidents.alert import PROBE_LABEL, AlertState, Change, observe
from incidents.commit import (
    TIMER_AGAIN,
    TIMER_ALERT,
    TIMER_EXPIRY,
)
from incidents.incident import Incident
from incidents.journal.lines import Became
from incidents.measures import Measures
from incidents.shadow import Shadowed, shadow_id
from incidents.snapshot import FIRING_NOW, Plan, Snapshot
from incidents.timeline import EntryKind, fold_name
from incidents.values import AlertStatus
from rules.deciding.findings import alert_of, arrival_of
from rules.deciding.judging import Judge
from rules.deciding.prepared import Prepared
from rules.deciding.view import View
from rules.deciding.windows import plan_windows
from rules.deciding.work import Arrival, DueTimer
from rules.index import Hit, Matched
from rules.model import Mode

TIMERS_OF_ALERTS = frozenset({TIMER_ALERT, TIMER_EXPIRY, TIMER_AGAIN})
PROCESSED, DUPLICATE = Measures.EVENTS.field("processed"), Measures.EVENTS.field("duplicate")


class Batch:
    """Works through a batch."""

    def __init__(self, prepared: Prepared, snapshot: Snapshot, now: datetime) -> None:
        self.view = View(snapshot, now)
        self.judge = Judge(prepared, self.view, now)
        self.now = now
        self.became = Became.TAKEN  # what the event that is being decided changed
        self._judged_by = prepared.judged_by
        self._match = prepared.match
        self._tally = self.view.commit.tally
        self._absorbs = prepared.absorbs

    def require_all(self, arrivals: Sequence[Arrival], timers: Sequence[DueTimer]) -> None:
        """Ask at once for everything that is known to be needed: alerts alone, when they come, say less than all.

        These are the incidents that alerts belong to by what is remembered of them, what the rules need that look at
        the alerts of timers, and the storms that may take alerts in.
        """
        plan = Plan()
        snapshot = self.view.snapshot
        loaded = {known.incident.id for known in snapshot.identities.values() if known is not None}
        for arrival in arrivals:
            state = snapshot.alerts.get(arrival.key)
            for name in state.incidents if state is not None else ():
                if name not in loaded and name not in snapshot.ids:
                    plan.ids.setdefault(name, {}).update(folds_of(arrival))
            if snapshot.absorbing:
                self._plan_storms(plan, arrival)
        for timer in timers:
            kind, _, key = timer.member.partition("|")
            state = snapshot.alerts.get(key) if f"{kind}|" in TIMERS_OF_ALERTS else None
            if state is not None and state.status is AlertStatus.FIRING:
                self._plan_remembered(plan, key, state)
        plan.require()

    def _plan_remembered(self, plan: Plan, key: str, state: AlertState) -> None:
        """Ask for what judging a remembered alert needs, as far as it was not asked for."""
        snapshot = self.view.snapshot
        arrival = arrival_of(key, state)
        wanted = Plan()
        for hit in self._match(key, state.labels).hits:
            if hit.identity_key not in snapshot.identities:
                wanted.identities.setdefault(hit.identity_key, {}).update(folds_of(arrival))
            plan_windows(wanted, hit, key)
        names = (*state.incidents, *((state.absorbed_by,) if state.absorbed_by else ()))
        wanted.ids.update({name: folds_of(arrival) for name in names if name not in snapshot.ids})
        for name, window in tuple(wanted.windows.items()):
            # A window may be asked for by itself, or for other members than the alert.
            known = all((name, member) in snapshot.scores for member in window.members)
            if known and (name, FIRING_NOW) in snapshot.counts:
                del wanted.windows[name]
        wanted.tops = {name: count for name, count in wanted.tops.items() if name not in snapshot.tops}
        plan.merge(wanted)
        if snapshot.absorbing:
            self._plan_storms(plan, arrival)

    def _plan_storms(self, plan: Plan, arrival: Arrival) -> None:
        labels = self._match(arrival.key, arrival.alert.labels).labels
        for name, storm in self.view.snapshot.absorbing.items():
            if name not in self.view.snapshot.ids and storm.identity.items() <= labels.items():
                plan.ids.setdefault(name, {}).update(folds_of(arrival))

    def arrive(self, arrival: Arrival) -> None:
        """Take one delivery of one alert in, as one event."""
        self._tally.fields[PROCESSED if self.observe(arrival) else DUPLICATE] += 1

    def observe(self, arrival: Arrival) -> bool:
        """Let an alert take effect; False when it says nothing new."""
        known = self.view.state(arrival.key)
        change, state = observe(known, arrival.alert, source=arrival.source, received_at=arrival.received_at)
        self.view.commit.seen[arrival.key] = arrival.received_ms
        expires_at = arrival.alert.expires_at
        if expires_at is not None and state.status is AlertStatus.FIRING:
            self.view.commit.timer(TIMER_EXPIRY + arrival.key, expires_at)
        if change is Change.FIRED:
            self.became = Became.FIRED
            self._fired(arrival, known, state)
        elif change is Change.RESOLVED:
            self.became = Became.RESOLVED
            self.resolve(arrival, state)
        elif change is Change.RESOLVED_UNSEEN:
            self.became = Became.RESOLVED_UNSEEN
            self.view.remember(arrival.key, state)
        elif self._is_to_be_judged_anew(change, state):
            self.became = Became.JUDGED_ANEW
            self.hold_against_rules(arrival, state, fires_again=False)
        else:
            self.became = Became.REPEATED if change is Change.REPEATED else Became.LATE
            return False
        return True

    def _is_to_be_judged_anew(self, change: Change, state: AlertState) -> bool:
        """Whether a repeat meets rules that did not judge the alert yet."""
        firing = state.status is AlertStatus.FIRING
        return change is Change.REPEATED and firing and state.judged_by != self._judged_by

    def _fired(self, arrival: Arrival, known: AlertState | None, state: AlertState) -> None:
        """An alert that belonged to an incident still open belongs to it again, whatever a tier waits for."""
        previous = self.view.homes(known.incidents) if known is not None else ()
        for name in previous:
            incident = self.view.incident(name)
            if incident is not None and incident.is_open:
                self.view.attach(arrival.key, name, arrival, was_in=True)
                state = replace(state, incidents=(*state.incidents, name))
        matched = self._match(arrival.key, arrival.alert.labels)
        for hit in matched.hits:
            if hit.rule.withins:
                self.view.windows.enter(hit, arrival.key)
            if hit.rule.flaps and known is not None:
                self.view.windows.change(hit, arrival.key, state.starts_at)
        self.hold_against_rules(arrival, state, fires_again=True, previous=previous, matched=matched)

    def resolve(self, arrival: Arrival, state: AlertState) -> None:
        """A resolved alert never declares; it leaves the windows and the count of what fires."""
        # Some senders resolve without repeating what it was that fired.
        alert = alert_of(state)
        arrival = Arrival(arrival.key, state.source, alert, arrival.received_at, arrival.received_ms)
        for hit in self._match(arrival.key, state.labels).hits:
            if hit.rule.withins:
                self.view.windows.leave(hit, arrival.key, state.ends_at or self.now)
            if hit.rule.flaps:
                self.view.windows.change(hit, arrival.key, state.ends_at or self.now)
            if hit.rule.mode is Mode.SHADOW:
                self.view.commit.shadowed.append(Shadowed(shadow_id(hit.rule.id, hit.identity_key), arrival.key))
        state = self._at_home(state)
        for name in state.incidents:
            if self.view.incident(name) is not None:
                self.view.detach(name, arrival)
        self.view.commit.timer(TIMER_ALERT + arrival.key, None)
        self.view.commit.timer(TIMER_EXPIRY + arrival.key, None)
        self.view.remember(arrival.key, state)

    def hold_against_rules(
        self,
        arrival: Arrival,
        state: AlertState,
        *,
        fires_again: bool,
        previous: tuple[str, ...] = (),
        over: Incident | None = None,
        matched: Matched | None = None,
    ) -> None:
        """Hold a firing alert against every rule that matches it, and remember it; `over` is a storm that absorbed it
        and is over: that is not begun again by what is left of it.
        """
        key = arrival.key
        state = self._at_home(state)
        matched = matched or self._match(key, state.labels)
        due: datetime | None = None
        absorbed_by = ""
        for hit in matched.hits if not self._absorbs else absorbers_first(matched.hits):
            if over is not None and hit.identity_key == over.identity_key:
                continue
            verdict = self.judge.verdict(hit, state.starts_at, state.touched_at)
            if verdict.due is not None and (due is None or verdict.due < due):
                due = verdict.due
            storm = self.judge.storm_for(hit, verdict, matched) if self._absorbs else None
            name = self.judge.act(hit, verdict, matched, arrival, fires_again=fires_again, storm=storm)
            if storm is not None:
                absorbed_by = self._absorbed(key, storm)
            if name is not None and name not in state.incidents:
                self.view.attach(key, name, arrival, was_in=name in previous)
                state = replace(state, incidents=(*state.incidents, name))
        if due is not None:
            self.view.commit.timer(TIMER_ALERT + key, due)
        if PROBE_LABEL in state.labels:
            self.view.commit.probes.add(state.labels[PROBE_LABEL])
        self.view.remember(key, replace(state, judged_by=self._judged_by, absorbed_by=absorbed_by))

    def _at_home(self, state: AlertState) -> AlertState:
        """Return an alert as one of the incidents that go on in the place of those that were merged."""
        homes = self.view.homes(state.incidents)
        return state if homes is state.incidents else replace(state, incidents=homes)

    def _absorbed(self, key: str, storm: Incident) -> str:
        """Let an alert that a storm took in be judged anew when the storm is over."""
        self.view.commit.timer(TIMER_AGAIN + key, storm.absorbs_until)
        return storm.id

    def touched(self, key: str, state: AlertState) -> None:
        """Judge an alert anew where rules count from the first touch, which has just come."""
        if any(hit.rule.timed_by_touch for hit in self._match(key, state.labels).hits):
            self.judge_again(key)

    def judge_again(self, key: str) -> None:
        """Judge an alert that fires anew, for something that rules ask of it has changed: it is no new firing."""
        state = self.view.state(key)
        if state is None or state.status is not AlertStatus.FIRING:
            return
        storm = self.view.incident(state.absorbed_by) if state.absorbed_by else None
        over = storm if storm is not None and not storm.is_open else None
        self.hold_against_rules(arrival_of(key, state), state, fires_again=False, over=over)


def absorbers_first(hits: tuple[Hit, ...]) -> list[Hit]:
    """Return the rules that begin a storm before those that it takes in, otherwise in file order."""
    return sorted(hits, key=lambda hit: not hit.rule.absorbs)


def folds_of(arrival: Arrival) -> dict[str, None]:
    """Return the folds that an alert may be counted into."""
    return _folds(arrival.source, arrival.alert.labels.get("alertname", "an alert"))


@lru_cache(maxsize=4096)
def _folds(source: str, alertname: str) -> dict[str, None]:
    kinds = (EntryKind.ALERT_FIRED, EntryKind.ALERT_RESOLVED)
    return dict.fromkeys(fold_name(kind, source, alertname) for kind in kinds)
