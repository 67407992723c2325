"""Plays the past through a rule set, on the code of production under a virtual clock. Pure.

What people did to incidents is not in the past of alerts, so it is assumed, and said in the report: whoever is paged
acknowledges after some minutes, and what only a person may resolve is resolved an hour after its last alert ended.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

import msgspec

from incidents import events
from incidents.errors import TransitionNotAllowed
from incidents.incident import Incident
from incidents.page import Page
from incidents.timeline import EntryKind
from incidents.transitions import clear_for
from incidents.values import AlertStatus, PageReason
from rules.backtest.outcome import Outcome, RuleLoad, WouldPage, local_time, would_be
from rules.deciding.heartbeats import Beats
from rules.deciding.work import Arrival, Received
from rules.evaluate import Outcome as Said
from rules.evaluate import Verdict
from rules.index import Hit
from rules.model import RuleSet
from rules.simulation.events import Silent, Told
from rules.simulation.simulation import MILLISECOND, Simulation

PERSON = "a person (assumed)"
TOLD_EVERY = 200  # deliveries


class Assumed(msgspec.Struct, frozen=True, kw_only=True):
    """What people are taken to have done."""

    acknowledged_after: timedelta = timedelta(minutes=3)
    resolved_after: timedelta = timedelta(hours=1)


class _Expected(NamedTuple):
    at: datetime
    order: int
    incident: str
    resolves: bool


def play(
    rule_set: RuleSet,
    history: Iterable[Arrival | Received],
    *,
    since: datetime,
    until: datetime,
    assumed: Assumed | None = None,
    beats_go_on: bool = False,
    progress: Callable[[datetime], None] | None = None,
) -> Outcome:
    """Return what rules would have made of events, which come in the order of time.

    `beats_go_on` is for a history without repeats, such as that of `ALERTS`: a heartbeat is silent once its alert ends.
    """
    player = _Player(rule_set, since, assumed or Assumed(), beats_go_on=beats_go_on)
    for number, (instant, together) in enumerate(groupby(history, key=_received_at)):
        player.take(instant, tuple(together))
        if progress is not None and not number % TOLD_EVERY:
            progress(instant)
    player.advance(until)
    if progress is not None:
        progress(until)
    return player.outcome(until)


def _received_at(event: Arrival | Received) -> datetime:
    return event.received_at


def _without_reviews(rule_set: RuleSet) -> RuleSet:
    """Return the rules without reminders of status reports: nobody writes any, so each incident would ever remind."""
    asked = rule_set.oncall.severities
    rarely = {severity: msgspec.structs.replace(each, update_every=None) for severity, each in asked.items()}
    oncall = msgspec.structs.replace(rule_set.oncall, severities=rarely)
    return msgspec.structs.replace(rule_set, oncall=oncall)


class _Player:
    def __init__(self, rule_set: RuleSet, since: datetime, assumed: Assumed, *, beats_go_on: bool) -> None:
        self._rule_set = rule_set
        self._since = since
        self._assumed = assumed
        self._beats = Beats(rule_set) if beats_go_on else None
        self._held: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        quiet = _without_reviews(rule_set)
        self._simulation = Simulation(quiet, since, watch=self._hear, beats_go_on=beats_go_on)
        self._expected: list[_Expected] = []
        self._order = 0
        self._sent = 0
        self._events = 0
        self._alerts: set[str] = set()
        self._pages: list[WouldPage] = []
        self._causes: dict[str, str] = {}  # of the paging of each incident
        self._first_at: datetime | None = None

    def _hear(self, hit: Hit, verdict: Verdict, now: datetime) -> None:
        del now
        if verdict.outcome is Said.ERROR:
            self._errors[hit.rule.id] += 1
        elif verdict.outcome in {Said.HOLDS, Said.SHADOW}:
            self._held[hit.rule.id] += 1

    # Time

    def take(self, instant: datetime, together: Sequence[Arrival | Received]) -> None:
        """Let the time pass until an instant, and what was received then happen, as one delivery does."""
        self.advance(instant)
        self._simulation.feed_batch(together)
        self._events += len(together)
        self._first_at = self._first_at or instant
        for event in together:
            arrival = event if isinstance(event, Arrival) else event.as_alert
            if arrival is not None:
                self._follow(arrival)
        self._harvest()

    def _follow(self, arrival: Arrival) -> None:
        if arrival.alert.status is AlertStatus.FIRING:
            self._alerts.add(arrival.key)
            return
        if self._beats is not None:
            self._silence(arrival)
        state = self._simulation.store.alerts.get(arrival.key)
        for name in state.incidents if state is not None else ():
            incident = self._simulation.store.incidents[name]
            if incident.is_open and clear_for(incident) is None and not self._simulation.store.tally(name).firing:
                self._expect(name, self._assumed.resolved_after, resolves=True)

    def _silence(self, arrival: Arrival) -> None:
        firing = arrival._replace(alert=msgspec.structs.replace(arrival.alert, status=AlertStatus.FIRING))
        for name in self._beats.fed_by(firing) if self._beats is not None else ():
            if name in self._simulation.store.heartbeats:
                self._simulation.feed(Silent(name))

    def advance(self, instant: datetime) -> None:
        """Let the time pass, one due thing after the other, so that people are assumed to act when they would."""
        simulation = self._simulation
        while True:
            due = simulation.store.next_due()
            dues = [max(due, simulation.now + MILLISECOND)] if due is not None else []
            dues += [self._expected[0].at] if self._expected else []
            if not dues or min(dues) > instant:
                break
            simulation.advance_to(min(dues))
            self._harvest()
            while self._expected and self._expected[0].at <= simulation.now:
                self._act(heapq.heappop(self._expected))
        simulation.advance_to(instant)

    # What people do

    def _expect(self, name: str, after: timedelta, *, resolves: bool) -> None:
        self._order += 1
        heapq.heappush(self._expected, _Expected(self._simulation.now + after, self._order, name, resolves))

    def _act(self, expected: _Expected) -> None:
        incident = self._simulation.store.incidents[expected.incident]
        if not incident.is_open:
            return
        event: events.Event = events.Acknowledge(actor=PERSON)
        if expected.resolves:
            tally = self._simulation.store.tally(incident.id)
            clear = tally.clear_since
            if tally.firing or clear is None or self._simulation.now - clear < self._assumed.resolved_after:
                return
            event = events.Resolve(actor=PERSON, override="assumed")
        elif incident.paging is None or incident.paging.next_at is None:
            return
        try:
            self._simulation.feed(Told(incident.id, event))
        except TransitionNotAllowed:
            return
        self._harvest()

    def _harvest(self) -> None:
        """Note the pages that were sent since the last look."""
        sent = self._simulation.sent
        for each in sent[self._sent :]:
            if each.page.over or each.outcome == "suppressed":  # it woke nobody
                continue
            incident = self._simulation.store.incidents[each.page.incident_id]
            cause = self._cause(each.page, incident)
            person = self._rule_set.oncall.people.get(each.page.person)
            self._pages.append(
                WouldPage(
                    incident=incident.id,
                    rule=cause,
                    severity=incident.severity,
                    person=each.page.person,
                    reason=each.page.reason.value,
                    at=each.at,
                    local=local_time(each.at, person.timezone if person else "UTC"),
                )
            )
            self._expect(incident.id, self._assumed.acknowledged_after, resolves=False)
        self._sent = len(sent)

    def _cause(self, page: Page, incident: Incident) -> str:
        """Return the rule for which somebody is paged: the one that declared, made it graver, or called for backup.

        A page that goes on for want of an acknowledgement has the cause of the one before.
        """
        if page.reason in {PageReason.ESCALATED, PageReason.BACKUP} and incident.findings:
            self._causes[incident.id] = max(incident.findings, key=lambda finding: finding.at).rule
        elif page.reason is not PageReason.UNACKNOWLEDGED:
            self._causes[incident.id] = incident.rule or ""
        return self._causes.get(incident.id, incident.rule or "")

    # The end

    def outcome(self, until: datetime) -> Outcome:
        """Return what came of it."""
        store = self._simulation.store
        held = set().union(*store.attached.values())
        declared = list(store.incidents.values())
        return Outcome(
            since=self._since,
            until=until,
            first_at=self._first_at,
            ruleset=self._rule_set.hash,
            events=self._events,
            alerts=len(self._alerts),
            alerts_without_incident=len(self._alerts - held),
            incidents=tuple(
                would_be(each, frozenset(store.attached.get(each.id, ())), self._reopened(each)) for each in declared
            ),
            pages=tuple(self._pages),
            rules=self._loads(declared),
        )

    def _reopened(self, incident: Incident) -> int:
        return sum(entry.kind is EntryKind.REOPENED for entry in self._simulation.store.timelines[incident.id])

    def _loads(self, declared: list[Incident]) -> tuple[RuleLoad, ...]:
        """Return the load of each rule, the loudest first; a rule that never held is shown too."""
        incidents = Counter(incident.rule or "" for incident in declared)
        pages = Counter(page.rule for page in self._pages)
        nights = Counter(page.rule for page in self._pages if page.at_night)
        names = dict.fromkeys((*(rule.id for rule in self._rule_set.rules), *incidents, *pages))
        loads = [
            RuleLoad(
                rule=name,
                incidents=incidents[name],
                pages=pages[name],
                night_pages=nights[name],
                held=self._held[name],
                errors=self._errors[name],
            )
            for name in names
        ]
        return tuple(sorted(loads, key=lambda load: (-load.pages, -load.incidents, -load.held, load.rule)))
