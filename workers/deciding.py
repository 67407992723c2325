"""Deciding over a batch: events, a snapshot of the store and the rules give one commit. Pure.

Where deciding meets something that was not loaded it raises `Need`; the caller loads more, and it is decided anew.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from incidents import keys
from incidents.alert import AlertState, Change, observe
from incidents.events import ClearDue, FindingHeld
from incidents.incident import Incident
from incidents.measures import Measures
from incidents.store.commit import TIMER_ALERT, TIMER_CLEAR, Commit
from incidents.store.load import Plan, Snapshot
from incidents.timeline import EntryKind, fold_name
from incidents.transitions import Context, transition
from incidents.values import AlertStatus, IncidentStatus
from rules.evaluate import Outcome, Verdict, evaluate_safely
from rules.index import Hit, Matched, Matching
from rules.model import Mode, RuleSet
from workers.findings import arrival_of, finding_of, severity_found, severity_wanted, unjudged
from workers.view import View
from workers.work import Arrival, DueTimer, Work

REMEMBERED = 20_000  # label sets whose matching is kept
PROBE_LABEL = "tocsin_probe"  # of doctor's synthetic alert


class AlertFacts(NamedTuple):
    """What is known of one firing alert when a rule judges it."""

    firing_since: datetime | None
    view: View
    hit: Hit

    def count(self, within: timedelta) -> int:
        """Return how many different alerts of the rule and identity were firing within a span."""
        return self.view.count(_window(self.hit), within)


class Unjudged(NamedTuple):
    """An event that could not be judged, and why."""

    source: str
    received_at: datetime
    reason: str


class Deciding:
    """Decides with one rule set; keeps nothing between batches but what label sets match."""

    def __init__(self, rule_set: RuleSet) -> None:
        self.rule_set = rule_set
        self._matching = Matching(rule_set)
        self._remembered: dict[str, tuple[dict[str, str], Matched]] = {}

    def match(self, key: str, labels: dict[str, str]) -> Matched:
        """Return which rules match an alert; the same labels of the same alert are matched once."""
        if PROBE_LABEL in labels:
            return Matched(labels, ())  # doctor's alert proves the way, and is nobody's incident
        kept = self._remembered.get(key)
        if kept is not None and kept[0] == labels:
            return kept[1]
        if len(self._remembered) >= REMEMBERED:
            self._remembered.clear()
        matched = self._matching.match(labels)
        self._remembered[key] = (labels, matched)
        return matched

    def plan(self, work: Work) -> Plan:
        """Return what deciding this work needs of the store."""
        plan = Plan()
        for arrival in work.arrivals:
            plan.alerts[arrival.key] = None
            hits = self.match(arrival.key, arrival.alert.labels).hits
            for hit in hits:
                plan.identities.setdefault(hit.identity_key, {}).update(_folds(arrival))
                if hit.rule.withins:
                    plan.add_window(keys.window(hit.rule.window_id, hit.identity_key), hit.rule.withins, arrival.key)
        for timer in work.timers:
            kind, _, name = timer.member.partition("|")
            if f"{kind}|" == TIMER_ALERT:
                plan.alerts[name] = None
            else:
                plan.ids.setdefault(name, {})
        return plan

    def decide(self, work: Work, snapshot: Snapshot, now: datetime, to_tell: Sequence[Unjudged] = ()) -> Commit:
        """Return the commit for a batch of work, and tell of what could not be judged; raises `Need`."""
        batch = _Batch(self, snapshot, now)
        batch.require_attached(work.arrivals)
        for timer in work.timers:
            batch.run_timer(timer)
        for arrival in work.arrivals:
            batch.arrive(arrival)
        for untold in to_tell:
            batch.tell(untold)
        return batch.view.commit


def _folds(arrival: Arrival) -> dict[str, None]:
    alertname = arrival.alert.labels.get("alertname", "an alert")
    kinds = (EntryKind.ALERT_FIRED, EntryKind.ALERT_RESOLVED)
    return dict.fromkeys(fold_name(kind, arrival.source, alertname) for kind in kinds)


class _Batch:
    """One batch on its way through the rules."""

    def __init__(self, deciding: Deciding, snapshot: Snapshot, now: datetime) -> None:
        self.deciding = deciding
        self.rule_set = deciding.rule_set
        self.view = View(snapshot, now)
        self.tally = self.view.commit.tally
        self.now = now

    def require_attached(self, arrivals: Sequence[Arrival]) -> None:
        """Ask at once for every incident that the alerts of the batch belong to by what is remembered of them."""
        plan = Plan()
        snapshot = self.view.snapshot
        loaded = {known.incident.id for known in snapshot.identities.values() if known is not None}
        for arrival in arrivals:
            state = snapshot.alerts.get(arrival.key)
            for name in state.incidents if state is not None else ():
                if name not in loaded and name not in snapshot.ids:
                    plan.ids.setdefault(name, {}).update(_folds(arrival))
        plan.require()

    def arrive(self, arrival: Arrival) -> None:
        """Take one delivery of one alert in."""
        known = self.view.state(arrival.key)
        change, state = observe(known, arrival.alert, source=arrival.source, received_at=arrival.received_at)
        self.view.commit.seen[arrival.key] = arrival.received_ms
        if change is Change.REPEATED and state.status is AlertStatus.FIRING and state.judged_by != self.rule_set.hash:
            self._judge_and_remember(arrival, state, fires_again=False)
            self.tally.count(Measures.EVENTS, "processed")
            return
        if change in (Change.REPEATED, Change.LATE):
            self.tally.count(Measures.EVENTS, "duplicate")
            return
        if change is Change.FIRED:
            self._fired(arrival, known, state)
        elif change is Change.RESOLVED:
            self._resolved(arrival, state)
        else:
            self.view.remember(arrival.key, state)
        self.tally.count(Measures.EVENTS, "processed")

    def _fired(self, arrival: Arrival, known: AlertState | None, state: AlertState) -> None:
        """An alert that belonged to an incident still open belongs to it again, whatever a tier waits for."""
        for name in known.incidents if known is not None else ():
            incident = self.view.incident(name)
            if incident is not None and incident.is_open:
                self.view.attach(arrival.key, name, arrival, was_in=True)
                state = replace(state, incidents=(*state.incidents, name))
        for hit in self.deciding.match(arrival.key, arrival.alert.labels).hits:
            if hit.rule.withins:
                self.view.enter_window(_window(hit), hit.rule.withins, arrival.key)
        previous = known.incidents if known is not None else ()
        self._judge_and_remember(arrival, state, fires_again=True, previous=previous)

    def _resolved(self, arrival: Arrival, state: AlertState) -> None:
        """A resolved alert never declares; it leaves the windows and the count of what fires."""
        for hit in self.deciding.match(arrival.key, state.labels).hits:
            if hit.rule.withins:
                ends_at = state.ends_at or self.now
                self.view.leave_window(_window(hit), hit.rule.withins, arrival.key, ends_at)
        for name in state.incidents:
            if self.view.incident(name) is not None:
                self.view.detach(name, arrival)
        self.view.commit.timer(TIMER_ALERT + arrival.key, None)
        self.view.remember(arrival.key, state)

    def run_timer(self, timer: DueTimer) -> None:
        """Look again at what a timer is about: it carries no truth of its own."""
        kind, _, name = timer.member.partition("|")
        self.view.commit.timer(timer.member, None)
        self.tally.count(Measures.EVENTS_RECEIVED)
        self.tally.count(Measures.EVENTS, "processed")
        self.tally.observe(Measures.TIMER_LATENESS, (self.now - timer.due_at).total_seconds())
        if f"{kind}|" == TIMER_CLEAR:
            self._clear_due(name)
        else:
            self._alert_due(name)

    def _clear_due(self, name: str) -> None:
        incident = self.view.incident(name)
        if incident is None:
            return
        done = transition(incident, ClearDue(), context=self._context(name), now=self.now)
        self.view.take(name, done)

    def _alert_due(self, key: str) -> None:
        state = self.view.state(key)
        if state is None or state.status is not AlertStatus.FIRING:
            return
        self._judge_and_remember(arrival_of(key, state), state, fires_again=True)

    # Judging

    def _judge_and_remember(
        self, arrival: Arrival, state: AlertState, *, fires_again: bool, previous: tuple[str, ...] = ()
    ) -> None:
        """Hold a firing alert against every rule that matches it."""
        key = arrival.key
        matched = self.deciding.match(key, state.labels)
        due: datetime | None = None
        for hit in matched.hits:
            verdict = self._verdict(hit, state)
            if verdict.due is not None and (due is None or verdict.due < due):
                due = verdict.due
            name = self._act(hit, verdict, matched, arrival, fires_again=fires_again)
            if name is not None and name not in state.incidents:
                self.view.attach(key, name, arrival, was_in=name in previous)
                state = replace(state, incidents=(*state.incidents, name))
        if due is not None:
            self.view.commit.timer(TIMER_ALERT + key, due)
        if PROBE_LABEL in state.labels:
            self.view.commit.probes.add(state.labels[PROBE_LABEL])
        self.view.remember(key, replace(state, judged_by=self.rule_set.hash))

    def _verdict(self, hit: Hit, state: AlertState) -> Verdict:
        verdict = evaluate_safely(hit, AlertFacts(state.starts_at, self.view, hit), self.now)
        self.tally.count(Measures.RULE_DECISIONS, hit.rule.id, verdict.outcome.value)
        if verdict.outcome is Outcome.ERROR:
            self.tally.count(Measures.RULE_ERRORS, hit.rule.id)
        return verdict

    def _act(self, hit: Hit, verdict: Verdict, matched: Matched, arrival: Arrival, *, fires_again: bool) -> str | None:
        """Do what the verdict asks for; return the open incident that the alert belongs to by this rule."""
        if verdict.outcome is Outcome.ERROR:
            return self.tell(Unjudged(arrival.source, arrival.received_at, f"rule {hit.rule.id}: {verdict.reason}"))
        current = self._current(hit.identity_key, hit.rule.reopen_within)
        if verdict.outcome is not Outcome.HOLDS or verdict.tier is None or hit.rule.mode is not Mode.ENFORCE:
            # What a rule has found already, its other alerts belong to before they hold by themselves.
            mine = current is not None and current.is_open and severity_found(current, hit.rule.id) is not None
            return current.id if current is not None and mine and hit.rule.mode is Mode.ENFORCE else None
        severity = severity_wanted(current, verdict.tier)
        if verdict.tier.attach_only or severity is None:
            return current.id if current is not None and current.is_open else None
        known = severity_found(current, hit.rule.id) if current is not None and current.is_open else None
        if current is not None and known is not None and known.rank <= severity.rank:
            return current.id
        event = finding_of(
            hit, verdict, severity, matched, arrival, ruleset=self.rule_set.hash, fires_again=fires_again
        )
        return self._hold(event, current, hit)

    def _hold(self, event: FindingHeld, current: Incident | None, hit: Hit) -> str | None:
        declared = current is None
        name = self.view.next_id() if current is None else current.id
        done = transition(current, event, context=self._context(name), now=self.now)
        self.view.take(name, done, declared=declared)
        after = done.incident or current
        if declared and hit.rule.withins:
            self._attach_window(_window(hit), hit.rule.withins[-1], name)
        return name if after is not None and after.is_open else None

    def _attach_window(self, key: str, within: timedelta, name: str) -> None:
        """Let the alerts that were counted belong to the incident that their number declared."""
        members = self.view.members(key, within)
        plan = Plan()
        plan.alerts.update(dict.fromkeys(member for member in members if member not in self.view.snapshot.asked))
        plan.require()
        for member in members:
            state = self.view.state(member)
            if state is not None and state.status is AlertStatus.FIRING and name not in state.incidents:
                self.view.attach(member, name, arrival_of(member, state), was_in=False)
                self.view.remember(member, replace(state, incidents=(*state.incidents, name)))

    def tell(self, untold: Unjudged) -> str:
        """Tell people that an event could not be judged; return the incident that does."""
        event = unjudged(untold.source, untold.reason, ruleset=self.rule_set.hash, received_at=untold.received_at)
        current = self._current(event.identity_key, timedelta(seconds=event.reopen_seconds))
        if current is not None and current.is_open:
            return current.id
        name = self.view.next_id() if current is None else current.id
        done = transition(current, event, context=self._context(name), now=self.now)
        self.view.take(name, done, declared=current is None)
        return name

    def _current(self, identity_key: str, reopen_within: timedelta) -> Incident | None:
        """Return the incident of an identity that is open, or was resolved so shortly ago that it would reopen."""
        incident = self.view.of_identity(identity_key)
        if incident is None or incident.is_open:
            return incident
        ended = incident.resolved_at
        recent = ended is not None and self.now - ended <= reopen_within
        return incident if incident.status is IncidentStatus.RESOLVED and recent else None

    def _context(self, name: str) -> Context:
        return Context(
            oncall=self.rule_set.oncall, ruleset=self.rule_set.hash, alerts=self.view.tally(name), new_id=name
        )


def _window(hit: Hit) -> str:
    return keys.window(hit.rule.window_id, hit.identity_key)
