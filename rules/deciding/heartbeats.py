"""Heartbeats: signals that must keep coming. Each beat sets a timer; a timer that falls due is silence. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from incidents.alert import Alert, AlertState, alert_key
from incidents.commit import TIMER_BEAT
from incidents.heartbeat import SOURCE, HeartbeatState, silence_of
from incidents.values import AlertStatus
from rules.deciding.batch import Batch
from rules.deciding.known import Known
from rules.deciding.work import Arrival
from rules.evaluate import evaluate_safely
from rules.index import Hit, Matched, Matching
from rules.matchers import Op, test_of
from rules.model import Heartbeat, RuleSet, Subject

WATCHDOG = "Watchdog"
NAME_LENGTH = 64


class Beats:
    """Which alerts feed which heartbeats, and which rules look at their silence; one for a rule set."""

    def __init__(self, rule_set: RuleSet) -> None:
        self.listed = {heartbeat.id: heartbeat for heartbeat in rule_set.heartbeats}
        self._tests = [
            (heartbeat.id, [(matcher.name, test_of(matcher)) for matcher in heartbeat.matchers])
            for heartbeat in rule_set.heartbeats
        ]
        self._rules = Matching(rule_set, Subject.HEARTBEAT)

    def fed_by(self, arrival: Arrival) -> list[str]:
        """Return the heartbeats that a firing alert feeds; a Watchdog that nobody listed is one of its own."""
        if arrival.alert.status is not AlertStatus.FIRING:
            return []
        labels = arrival.alert.labels
        if not self._tests and labels.get("alertname") != WATCHDOG:  # what nearly every alert comes to
            return []
        fed = [name for name, tests in self._tests if all(test(labels.get(label, "")) for label, test in tests)]
        if not fed and labels.get("alertname") == WATCHDOG:
            fed = [f"watchdog-{labels.get('cluster') or arrival.source}"[:NAME_LENGTH]]
        return fed

    def match(self, state: HeartbeatState) -> Matched:
        """Return the rules that look at a heartbeat."""
        return self._rules.match({**state.labels, "heartbeat": state.id})


class _Found(NamedTuple):
    hit: Hit
    matched: Matched


class Pulse:
    """Takes beats and silences in, within a batch."""

    def __init__(self, batch: Batch, beats: Beats) -> None:
        self._batch = batch
        self._view = batch.view
        self._beats = beats

    def beat(self, arrival: Arrival, names: list[str]) -> None:
        """Note that the heartbeats were heard; one that was missed is back."""
        for name in names:
            before = self._view.heartbeat(name)
            labels = dict(arrival.alert.labels)
            listed = name in self._beats.listed
            state = HeartbeatState(id=name, labels=labels, last_at=arrival.received_at, heard=True, listed=listed)
            if before is not None and before.missed:
                self._end_silence(before)
            self._keep(state)

    def silent(self, name: str) -> None:
        """Look again at a heartbeat whose time has passed."""
        state = self._view.heartbeat(name)
        if state is None:
            return
        key, alert = self._silence(state, AlertStatus.FIRING)
        arrival = Arrival(key, SOURCE, alert, self._batch.now, int(self._batch.now.timestamp() * 1000))
        due: datetime | None = None
        for hit, matched in self._found(state):
            verdict = self._batch.judge.verdict(hit, silent_since=state.last_at)
            if verdict.due is not None and (due is None or verdict.due < due):
                due = verdict.due
            incident = self._batch.judge.act(hit, verdict, matched, arrival, fires_again=True)
            if incident is not None:
                state = replace(state, missed=True)
                self._attach(key, arrival, state, incident)
        self._view.remember_heartbeat(state)
        self._view.commit.timer(TIMER_BEAT + name, due)

    def look_at_all(self) -> None:
        """Begin to expect what is listed, forget what no longer is, and set every timer by the rules in force."""
        for name, heartbeat in self._beats.listed.items():
            if self._view.heartbeat(name) is None:
                labels = _labels_of(heartbeat)
                self._keep(HeartbeatState(id=name, labels=labels, last_at=self._batch.now, heard=False, listed=True))
        for state in self._view.heartbeats():
            if state.listed and state.id not in self._beats.listed:
                if state.missed:
                    self._end_silence(state)
                self._view.forget_heartbeat(state.id)
                self._view.commit.timer(TIMER_BEAT + state.id, None)
            else:
                self._keep(state)

    def _keep(self, state: HeartbeatState) -> None:
        """Remember a heartbeat, and when silence would first mean something to a rule."""
        self._view.remember_heartbeat(state)
        verdicts = (
            evaluate_safely(hit, Known(None, state.last_at, None, None, self._view, hit), state.last_at)
            for hit, _ in self._found(state)
        )
        due = [verdict.due for verdict in verdicts if verdict.due is not None]
        self._view.commit.timer(TIMER_BEAT + state.id, max(min(due), self._batch.now) if due else None)

    def _found(self, state: HeartbeatState) -> Iterator[_Found]:
        matched = self._beats.match(state)
        for hit in matched.hits:
            yield _Found(hit, matched)

    def _attach(self, key: str, arrival: Arrival, state: HeartbeatState, incident: str) -> None:
        """Let the silence belong to the incident that it declared, as an alert that fires."""
        known = self._view.state(key)
        firing = known is not None and known.status is AlertStatus.FIRING
        before = self._view.homes(known.incidents) if known is not None else ()
        held = before if firing else ()
        if incident in held:
            return
        was_in = not firing and incident in before
        self._view.attach(key, incident, arrival, was_in=was_in)
        remembered = AlertState(
            source=SOURCE,
            fingerprint=arrival.alert.fingerprint,
            status=AlertStatus.FIRING,
            labels=arrival.alert.labels,
            annotations=arrival.alert.annotations,
            starts_at=state.last_at,
            received_at=self._batch.now,
            incidents=(*held, incident),
        )
        self._view.remember(key, remembered)

    def _end_silence(self, state: HeartbeatState) -> None:
        key, alert = self._silence(state, AlertStatus.RESOLVED)
        now = self._batch.now
        self._batch.observe(Arrival(key, SOURCE, alert, now, int(now.timestamp() * 1000)))

    def _silence(self, state: HeartbeatState, status: AlertStatus) -> tuple[str, Alert]:
        alert = silence_of(state, status, self._batch.now if status is AlertStatus.RESOLVED else None)
        key = alert_key(SOURCE, alert.fingerprint)
        self._view.require_alert(key)
        return key, alert


def _labels_of(heartbeat: Heartbeat) -> dict[str, str]:
    """Return the labels that a heartbeat is known to have before it was ever heard."""
    return {matcher.name: matcher.value for matcher in heartbeat.matchers if matcher.op is Op.EQUAL and matcher.value}
