"""Timers that fall due, within a batch: each says only "look again", and carries no truth of its own. Pure."""

from datetime import datetime

from msgspec.structs import replace

from incidents.commit import (
    TIMER_ABSORBED,
    TIMER_AGAIN,
    TIMER_BEAT,
    TIMER_BEATS,
    TIMER_CLEAR,
    TIMER_EXPIRY,
    TIMER_INCIDENT,
    TIMER_REVIEW,
    TIMER_STALE,
    clear_timer,
)
from incidents.events import ClearDue, ReviewDue
from incidents.incident import Incident
from incidents.measures import Measures
from incidents.snapshot import Plan
from incidents.timeline import Entry, EntryKind
from incidents.transitions import transition
from incidents.values import AlertStatus
from rules.deciding.batch import Batch
from rules.deciding.findings import arrival_of
from rules.deciding.heartbeats import Pulse
from rules.deciding.incidents import Overseer
from rules.deciding.work import DueTimer

LATE_SECONDS = 5.0  # what runs later than this says so


class Timers:
    """Runs the timers of a batch: those of alerts and storms, of heartbeats, and of incidents."""

    def __init__(self, batch: Batch, pulse: Pulse, overseer: Overseer | None) -> None:
        self._batch = batch
        self._view = batch.view
        self._now = batch.now
        self._pulse = pulse
        self._overseer = overseer

    def run(self, timer: DueTimer) -> None:
        """Look again at what a timer is about; what is written says so where it comes late."""
        kind, _, name = timer.member.partition("|")
        kind += "|"
        if kind == TIMER_BEATS:
            self._look_at_all()
            return
        entries = self._view.commit.entries
        before = len(entries)
        self._count(timer)
        self._look(kind, name, timer.due_at)
        if self._view.fires_anew:
            self._batch.judge.clear_no_more()
        if self._overseer is not None and self._view.changed:
            self._overseer.look()
        late = (self._now - timer.due_at).total_seconds()
        if late > LATE_SECONDS and len(entries) > before:
            entries[before:] = [(incident, said_late(entry, late)) for incident, entry in entries[before:]]

    def _look_at_all(self) -> None:
        """Look at all of them, as a decider begins or rules change: no timer of the store, so no event."""
        self._pulse.look_at_all()
        if self._overseer is not None:
            self._overseer.look_at_all()

    def _count(self, timer: DueTimer) -> None:
        """Take a timer that fell due away, and count it as an event."""
        commit = self._view.commit
        commit.timer(timer.member, None)
        commit.tally.count(Measures.EVENTS_RECEIVED)
        commit.tally.count(Measures.EVENTS, "processed")
        commit.tally.observe(Measures.TIMER_LATENESS, (self._now - timer.due_at).total_seconds())

    def _look(self, kind: str, name: str, due_at: datetime) -> None:
        if kind == TIMER_BEAT:
            self._pulse.silent(name)
        elif kind == TIMER_INCIDENT:
            self._view.changed[name] = None
        elif kind == TIMER_CLEAR:
            self._clear_due(name)
        elif kind == TIMER_REVIEW:
            self._review_due(name)
        elif kind == TIMER_ABSORBED:
            self._storm_over(name)
        elif kind == TIMER_AGAIN:
            self._batch.judge_again(name)
        elif kind == TIMER_EXPIRY:
            self._expired(name, due_at)
        elif kind == TIMER_STALE:
            self._gone_silent(name)
        else:
            self._alert_due(name)

    # Of incidents

    def _clear_due(self, name: str) -> None:
        incident = self._view.incident(name)
        if incident is not None:
            done = transition(incident, ClearDue(), context=self._batch.judge.context(name), now=self._now)
            self._view.take(name, done)
            self._clear_later(done.incident or incident)

    def _clear_later(self, incident: Incident) -> None:
        """Look again where the alerts are clear, and another finding asks for that for longer."""
        due = clear_timer(incident, self._view.tally(incident.id).clear_since) if incident.is_open else None
        if due is not None and due > self._now:
            self._view.commit.timer(TIMER_CLEAR + incident.id, due)

    def _review_due(self, name: str) -> None:
        incident = self._view.incident(name)
        if incident is not None:
            done = transition(incident, ReviewDue(), context=self._batch.judge.context(name), now=self._now)
            self._view.take(name, done)

    # Of alerts and storms

    def _storm_over(self, name: str) -> None:
        """Let every alert that a storm absorbed be judged anew, now that it is over."""
        keys = self._view.snapshot.attached.get(name, ())
        plan = Plan()
        plan.alerts.update(dict.fromkeys(key for key in keys if key not in self._view.snapshot.asked))
        plan.require()
        for key in keys:
            state = self._view.state(key)
            if state is not None and state.absorbed_by == name and state.status is AlertStatus.FIRING:
                self._view.commit.timer(TIMER_AGAIN + key, self._now)

    def _alert_due(self, key: str) -> None:
        state = self._view.state(key)
        if state is not None and state.status is AlertStatus.FIRING:
            self._batch.hold_against_rules(arrival_of(key, state), state, fires_again=True)

    def _expired(self, key: str, at: datetime) -> None:
        """Nobody spoke of the alert until the instant that its sender gave: by the protocol it is resolved."""
        state = self._view.state(key)
        if state is None or state.status is not AlertStatus.FIRING:
            return
        ended = replace(state, status=AlertStatus.RESOLVED, ends_at=max(at, state.starts_at), received_at=self._now)
        self._batch.resolve(arrival_of(key, ended), ended)

    def _gone_silent(self, key: str) -> None:
        """Say that an alert that should be firing was not heard of for long; people decide what that means."""
        state = self._view.state(key)
        if state is None or state.status is not AlertStatus.FIRING:
            return
        text = (
            f"{state.labels.get('alertname', 'An alert')} still counts as firing, but {state.source} went silent on it"
        )
        data = {"labels": state.labels, "source": state.source, "fingerprint": state.fingerprint}
        entry = Entry(at=self._now, kind=EntryKind.ALERT_STALE, text=text, data=data)
        self._view.commit.entries += [(incident, entry) for incident in self._view.homes(state.incidents)]


def said_late(entry: Entry, seconds: float) -> Entry:
    """Return an entry that says how much too late its timer ran."""
    return replace(entry, data={**entry.data, "late_seconds": round(seconds, 1)})
