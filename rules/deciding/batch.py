"""One batch on its way through the rules: alerts that fire, repeat and end, and timers that fall due. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache

from msgspec.structs import replace

from incidents.alert import AlertState, Change, observe
from incidents.commit import TIMER_ALERT, TIMER_CLEAR, TIMER_EXPIRY, TIMER_STALE
from incidents.events import ClearDue
from incidents.journal.lines import Became
from incidents.measures import Measures
from incidents.snapshot import Plan, Snapshot
from incidents.timeline import Entry, EntryKind, fold_name
from incidents.transitions import transition
from incidents.values import AlertStatus
from rules.deciding.findings import alert_of, arrival_of
from rules.deciding.judging import Judge, Watch, window_of
from rules.deciding.view import View
from rules.deciding.work import Arrival, DueTimer
from rules.index import Matched
from rules.model import RuleSet

PROBE_LABEL = "tocsin_probe"  # of doctor's synthetic alert
PROCESSED, DUPLICATE = Measures.EVENTS.field("processed"), Measures.EVENTS.field("duplicate")
Match = Callable[[str, dict[str, str]], Matched]


class Batch:
    """Works through a batch; `match` says which rules match an alert, by its key and labels."""

    def __init__(
        self, rule_set: RuleSet, match: Match, snapshot: Snapshot, now: datetime, watch: Watch | None = None
    ) -> None:
        self.view = View(snapshot, now)
        self.judge = Judge(rule_set, self.view, now, watch)
        self.now = now
        self.became = Became.TAKEN  # what the event that is being decided changed
        self._rule_set = rule_set
        self._match = match
        self._tally = self.view.commit.tally

    def require_attached(self, arrivals: Sequence[Arrival]) -> None:
        """Ask at once for every incident that the alerts of the batch belong to by what is remembered of them."""
        plan = Plan()
        snapshot = self.view.snapshot
        loaded = {known.incident.id for known in snapshot.identities.values() if known is not None}
        for arrival in arrivals:
            state = snapshot.alerts.get(arrival.key)
            for name in state.incidents if state is not None else ():
                if name not in loaded and name not in snapshot.ids:
                    plan.ids.setdefault(name, {}).update(folds_of(arrival))
        plan.require()

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
            self._resolved(arrival, state)
        elif change is Change.RESOLVED_UNSEEN:
            self.became = Became.RESOLVED_UNSEEN
            self.view.remember(arrival.key, state)
        elif self._is_to_be_judged_anew(change, state):
            self.became = Became.JUDGED_ANEW
            self._judge(arrival, state, fires_again=False)
        else:
            self.became = Became.REPEATED if change is Change.REPEATED else Became.LATE
            return False
        return True

    def _is_to_be_judged_anew(self, change: Change, state: AlertState) -> bool:
        """Whether a repeat meets rules that did not judge the alert yet."""
        firing = state.status is AlertStatus.FIRING
        return change is Change.REPEATED and firing and state.judged_by != self._rule_set.hash

    def _fired(self, arrival: Arrival, known: AlertState | None, state: AlertState) -> None:
        """An alert that belonged to an incident still open belongs to it again, whatever a tier waits for."""
        previous = known.incidents if known is not None else ()
        for name in previous:
            incident = self.view.incident(name)
            if incident is not None and incident.is_open:
                self.view.attach(arrival.key, name, arrival, was_in=True)
                state = replace(state, incidents=(*state.incidents, name))
        for hit in self._match(arrival.key, arrival.alert.labels).hits:
            if hit.rule.withins:
                self.view.enter_window(window_of(hit), hit.rule.withins, arrival.key)
        self._judge(arrival, state, fires_again=True, previous=previous)

    def _resolved(self, arrival: Arrival, state: AlertState) -> None:
        """A resolved alert never declares; it leaves the windows and the count of what fires."""
        # Some senders resolve without repeating what it was that fired.
        alert = alert_of(state)
        arrival = Arrival(arrival.key, state.source, alert, arrival.received_at, arrival.received_ms)
        for hit in self._match(arrival.key, state.labels).hits:
            if hit.rule.withins:
                self.view.leave_window(window_of(hit), hit.rule.withins, arrival.key, state.ends_at or self.now)
        for name in state.incidents:
            if self.view.incident(name) is not None:
                self.view.detach(name, arrival)
        self.view.commit.timer(TIMER_ALERT + arrival.key, None)
        self.view.commit.timer(TIMER_EXPIRY + arrival.key, None)
        self.view.remember(arrival.key, state)

    def _judge(self, arrival: Arrival, state: AlertState, *, fires_again: bool, previous: tuple[str, ...] = ()) -> None:
        """Hold a firing alert against every rule that matches it, and remember it."""
        key = arrival.key
        matched = self._match(key, state.labels)
        due: datetime | None = None
        for hit in matched.hits:
            verdict = self.judge.verdict(hit, firing_since=state.starts_at)
            if verdict.due is not None and (due is None or verdict.due < due):
                due = verdict.due
            name = self.judge.act(hit, verdict, matched, arrival, fires_again=fires_again)
            if name is not None and name not in state.incidents:
                self.view.attach(key, name, arrival, was_in=name in previous)
                state = replace(state, incidents=(*state.incidents, name))
        if due is not None:
            self.view.commit.timer(TIMER_ALERT + key, due)
        if PROBE_LABEL in state.labels:
            self.view.commit.probes.add(state.labels[PROBE_LABEL])
        self.view.remember(key, replace(state, judged_by=self._rule_set.hash))

    # Timers

    def count_timer(self, timer: DueTimer) -> None:
        """Take a timer that fell due away, and count it as an event."""
        self.view.commit.timer(timer.member, None)
        self._tally.count(Measures.EVENTS_RECEIVED)
        self._tally.count(Measures.EVENTS, "processed")
        self._tally.observe(Measures.TIMER_LATENESS, (self.now - timer.due_at).total_seconds())

    def run_timer(self, kind: str, name: str, due_at: datetime) -> None:
        """Look again at what a timer is about: it carries no truth of its own."""
        if kind == TIMER_CLEAR:
            self._clear_due(name)
        elif kind == TIMER_EXPIRY:
            self._expired(name, due_at)
        elif kind == TIMER_STALE:
            self._gone_silent(name)
        else:
            self._alert_due(name)

    def _clear_due(self, name: str) -> None:
        incident = self.view.incident(name)
        if incident is not None:
            done = transition(incident, ClearDue(), context=self.judge.context(name), now=self.now)
            self.view.take(name, done)

    def _alert_due(self, key: str) -> None:
        state = self.view.state(key)
        if state is not None and state.status is AlertStatus.FIRING:
            self._judge(arrival_of(key, state), state, fires_again=True)

    def _expired(self, key: str, at: datetime) -> None:
        """Nobody spoke of the alert until the instant that its sender gave: by the protocol it is resolved."""
        state = self.view.state(key)
        if state is None or state.status is not AlertStatus.FIRING:
            return
        ended = replace(state, status=AlertStatus.RESOLVED, ends_at=max(at, state.starts_at), received_at=self.now)
        self._resolved(arrival_of(key, ended), ended)

    def _gone_silent(self, key: str) -> None:
        """Say that an alert that should be firing was not heard of for long; people decide what that means."""
        state = self.view.state(key)
        if state is None or state.status is not AlertStatus.FIRING:
            return
        text = (
            f"{state.labels.get('alertname', 'An alert')} still counts as firing, but {state.source} went silent on it"
        )
        data = {"labels": state.labels, "source": state.source, "fingerprint": state.fingerprint}
        entry = Entry(at=self.now, kind=EntryKind.ALERT_STALE, text=text, data=data)
        self.view.commit.entries += [(incident, entry) for incident in state.incidents]


def folds_of(arrival: Arrival) -> dict[str, None]:
    """Return the folds that an alert may be counted into."""
    return _folds(arrival.source, arrival.alert.labels.get("alertname", "an alert"))


@lru_cache(maxsize=4096)
def _folds(source: str, alertname: str) -> dict[str, None]:
    kinds = (EntryKind.ALERT_FIRED, EntryKind.ALERT_RESOLVED)
    return dict.fromkeys(fold_name(kind, source, alertname) for kind in kinds)
