"""Deciding over a batch: events, a snapshot of the store and the rules give one commit. Pure.

Where deciding meets something that was not loaded it raises `Need`; the caller loads more, and it is decided anew.
"""

from collections.abc import Sequence
from datetime import datetime

from incidents.alert import PROBE_LABEL
from incidents.commit import TIMER_ABSORBED, TIMER_BEAT, TIMER_BEATS, TIMER_CLEAR, TIMER_INCIDENT, TIMER_REVIEW, Commit
from incidents.snapshot import Plan, Snapshot
from rules.deciding.batch import Batch, folds_of
from rules.deciding.facts import Meter, Meters
from rules.deciding.heartbeats import Beats, Pulse
from rules.deciding.incidents import IncidentRules, Overseer
from rules.deciding.notes import Notes
from rules.deciding.prepared import Watch, prepare
from rules.deciding.received import Reception, plan_received
from rules.deciding.timers import Timers
from rules.deciding.windows import plan_windows
from rules.deciding.work import Arrival, Received, Unjudged, Work
from rules.index import Matched, Matching
from rules.model import RuleSet, Subject

BEAT_TIMERS = frozenset({TIMER_BEAT, TIMER_BEATS})
INCIDENT_TIMERS = frozenset({TIMER_CLEAR, TIMER_INCIDENT, TIMER_REVIEW})
REMEMBERED = 20_000  # label sets whose matching is kept


class Deciding:
    """Decides with one rule set; keeps nothing between batches but what label sets match."""

    def __init__(self, rule_set: RuleSet, watch: Watch | None = None) -> None:
        self.rule_set = rule_set
        self._prepared = prepare(rule_set, self.match, watch)
        self._alerts = Matching(rule_set)
        self._actions = Matching(rule_set, Subject.ACTION)
        self._beats = Beats(rule_set)
        self._meters = Meters(rule_set)
        self._on_incidents = IncidentRules(rule_set)
        self._remembered: dict[str, tuple[dict[str, str], Matched]] = {}

    def match(self, key: str, labels: dict[str, str]) -> Matched:
        """Return which rules match an alert; the same labels of the same alert are matched once."""
        if PROBE_LABEL in labels:
            return Matched(labels, ())  # doctor's alert proves the way, and is nobody's incident
        kept = self._remembered.get(key)
        if kept is not None:
            if kept[0] is labels:
                return kept[1]
            if kept[0] == labels:
                self._remembered[key] = (labels, kept[1])  # the next question in this batch is about the same object
                return kept[1]
        if len(self._remembered) >= REMEMBERED:
            self._remembered.clear()
        matched = self._alerts.match(labels)
        self._remembered[key] = (labels, matched)
        return matched

    def plan(self, work: Work) -> Plan:
        """Return what deciding this work needs of the store."""
        plan = Plan()
        plan.absorbing = self._prepared.absorbs
        for event in work.arrivals:
            if isinstance(event, Arrival):
                self._plan_alert(plan, event)
            else:
                plan_received(plan, event, self._actions)
                if event.incoming.fact is not None:
                    self._meters.plan(plan, event.incoming.fact)
                arrival = event.as_alert
                if arrival is not None:
                    self._plan_alert(plan, arrival)
        for timer in work.timers:
            kind, _, name = timer.member.partition("|")
            if f"{kind}|" in INCIDENT_TIMERS:
                plan.ids.setdefault(name, {})
            elif f"{kind}|" in BEAT_TIMERS:
                plan.heartbeats = True
                plan.open = plan.open or (f"{kind}|" == TIMER_BEATS and self._on_incidents.any)
            elif f"{kind}|" == TIMER_ABSORBED:
                plan.attached[name] = None
            else:
                plan.alerts[name] = None
        return plan

    def _plan_alert(self, plan: Plan, arrival: Arrival) -> None:
        plan.alerts[arrival.key] = None
        plan.heartbeats = plan.heartbeats or bool(self._beats.fed_by(arrival))
        for hit in self.match(arrival.key, arrival.alert.labels).hits:
            plan.identities.setdefault(hit.identity_key, {}).update(folds_of(arrival))
            if hit.rule.withins or hit.rule.flaps:
                plan_windows(plan, hit, arrival.key)
            if hit.rule.measured:
                self._meters.plan_alert(plan, hit)

    def decide(
        self,
        work: Work,
        snapshot: Snapshot,
        now: datetime,
        to_tell: Sequence[Unjudged] = (),
        notes: Notes | None = None,
    ) -> Commit:
        """Return the commit for a batch of work, and tell of what could not be judged; raises `Need`.

        What is said of each event is noted where notes are given.
        """
        batch = Batch(self._prepared, snapshot, now)
        if notes is not None:
            notes.begin(batch.view.commit)
            batch.judge.notes = notes
        batch.view.slos, batch.view.asked_anyway = self._meters.slos, self._meters.questions
        reception = Reception(batch, self._actions, Meter(batch, self._meters, work.arrivals))
        pulse = Pulse(batch, self._beats)
        overseer = Overseer(batch, self._on_incidents) if self._on_incidents.any else None
        timers = Timers(batch, pulse, overseer)
        batch.require_all(_alerts_of(work), work.timers)
        for timer in work.timers:
            timers.run(timer)
            if notes is not None:
                notes.timer(timer)
        for event in work.arrivals:
            if isinstance(event, Received):
                reception.receive(event)
                became = batch.became
            else:
                batch.arrive(event)
                became = batch.became  # a heartbeat that is back ends its silence, which is another alert
                fed = self._beats.fed_by(event)
                if fed:
                    pulse.beat(event, fed)
            if batch.view.fires_anew:
                batch.judge.clear_no_more()
            if overseer is not None and batch.view.changed:
                overseer.look()
            if notes is not None:
                notes.event(became)
        for untold in to_tell:
            batch.judge.tell(untold)
        return batch.view.commit


def _alerts_of(work: Work) -> list[Arrival]:
    arrivals = (event if isinstance(event, Arrival) else event.as_alert for event in work.arrivals)
    return [arrival for arrival in arrivals if arrival is not None]
