"""A virtual clock over the production deciding and the store in memory: what would happen, and when. Pure.

At each instant the timers that fall due run first, then the events of that instant, then the paging steps. Pages are
taken at once unless their person is unreachable. Two things of the workers are left out: what cannot be decided raises
instead of going to quarantine, and alerts are neither forgotten nor called silent after days.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from incidents import events
from incidents.clock import from_ms, to_ms
from incidents.commit import TIMER_ALERT, TIMER_BEAT, TIMER_BEATS, Commit
from incidents.delivery import NO_CHANNEL, Ended, channels_of, delivered, given_up, is_noted, needless, suppressed
from incidents.incident import incident_id
from incidents.measures import Measures, Tally
from incidents.memory.store import MemoryStore
from incidents.page import CHANNEL_PREFIX, Page
from incidents.snapshot import Need
from rules.deciding.deciding import Deciding
from rules.deciding.prepared import Watch
from rules.deciding.work import Arrival, DueTimer, Received, Work
from rules.evaluate import Verdict
from rules.index import Hit
from rules.model import RuleSet
from rules.simulation.events import Beat, Event, Sent, Silent, Told, Unreachable, arrival

REFUSED = "unreachable, as the test says"
NEEDS_AT_MOST = 1000
MILLISECOND = timedelta(milliseconds=1)


class UnknownName(ValueError):
    """An event names a heartbeat, an incident or a person that there is not."""


class Looked(NamedTuple):
    """What a rule says of an event at an instant."""

    hit: Hit
    verdict: Verdict


class Simulation:
    """Feeds events to a rule set under a clock of its own.

    `watch` hears every verdict. With `beats_go_on`, every heartbeat comes in time until an event says that it is
    silent, and what Prometheus answered it goes on answering; otherwise beats and answers are events like any other.
    """

    def __init__(
        self, rule_set: RuleSet, start: datetime, *, watch: Watch | None = None, beats_go_on: bool = False
    ) -> None:
        self.rule_set = rule_set
        self.now = from_ms(to_ms(start))
        self.store = MemoryStore(rule_set.hash)
        self.sent: list[Sent] = []
        self._watch = watch
        self._heard: list[Looked] = []
        self._deciding = Deciding(rule_set, self._hear if watch is not None else None)
        self._looking: Deciding | None = None
        self._beats_go_on = beats_go_on
        self._silent: set[str] = set()
        self._unreachable: set[str] = set()
        self._again = False  # something due was looked at, and lacks less than a millisecond
        self._look_at_heartbeats()

    # Events

    def feed(self, event: Event) -> None:
        """Let an event happen: an arrival when it was received, anything else now.

        Raises `TransitionNotAllowed` for what a person may not do, and `UnknownName`.
        """
        match event:
            case Arrival() | Received():
                self.feed_batch((event,))
            case Told():
                self._tell(event)
            case Silent(name):
                self._be_silent(name)
            case Beat(name):
                self._beat(name)
            case Unreachable(person, again):
                self._require_person(person)
                (self._unreachable.discard if again else self._unreachable.add)(person)
        self._run_due()

    def feed_batch(self, arrivals: Sequence[Arrival | Received]) -> None:
        """Let events that were received at the same instant take effect together, as a delivery of many alerts does."""
        self.advance_to(arrivals[0].received_at)
        self._decide(Work(tuple(arrivals)))
        if self._silent:
            heard = self.store.heartbeats
            self._silent = {name for name in self._silent if name in heard and heard[name].last_at < self.now}
        self._run_due()

    def advance_to(self, instant: datetime) -> None:
        """Let the time pass, and whatever falls due on the way happen; an instant that has passed changes nothing."""
        while (due := self._next_due()) is not None and due <= instant:
            self.now = due
            self._run_due()
        self.now = max(self.now, instant)

    # Looking

    def look(self, key: str) -> list[Looked]:
        """Return what each rule that matches a firing alert says of it now; nothing changes."""
        return self._look_again(TIMER_ALERT + key)

    def look_at_heartbeat(self, name: str) -> list[Looked]:
        """Return what each rule says of the silence of a heartbeat now; nothing changes."""
        return self._look_again(TIMER_BEAT + name)

    def normalized(self, labels: Mapping[str, str]) -> Mapping[str, str]:
        """Return the labels of an alert as rules see them."""
        return self._deciding.match("", dict(labels)).labels

    def _look_again(self, timer: str) -> list[Looked]:
        if self._looking is None:
            self._looking = Deciding(self.rule_set, self._hear)
        before, self._heard = self._heard, []
        self._decided(self._looking, Work(timers=(DueTimer(timer, self.now),)))
        looked, self._heard = self._heard, before
        return looked

    def _hear(self, hit: Hit, verdict: Verdict, now: datetime) -> None:
        del now
        self._heard.append(Looked(hit, verdict))

    # Deciding

    def _decide(self, work: Work) -> None:
        self._heard.clear()
        if self._beats_go_on:
            self._answer_again()
        commit = self._decided(self._deciding, work)
        self.store.apply(commit)
        if self._watch is not None:
            for hit, verdict in self._heard:
                self._watch(hit, verdict, self.now)
        if self.store.pages:
            self._deliver()

    def _decided(self, deciding: Deciding, work: Work) -> Commit:
        plan = deciding.plan(work)
        for _ in range(NEEDS_AT_MOST):
            try:
                return deciding.decide(work, self.store.load(plan, self.now), self.now)
            except Need as need:
                plan.merge(need.plan)
                self._heard.clear()
        raise RuntimeError("deciding asks for more again and again")

    def _next_due(self) -> datetime | None:
        due = self.store.next_due()
        if due is None:
            return None
        return max(due, self.now + MILLISECOND if self._again else self.now)

    def _run_due(self) -> None:
        """Run what is due by now: timers, then paging steps; what they make due at once as well."""
        looked_at: set[tuple[str, int]] = set()
        now_ms = to_ms(self.now)
        while True:
            timers = [due for due in self.store.timers.until(now_ms, 500) if due not in looked_at]
            steps = [due for due in self.store.escalations.until(now_ms, 500) if due not in looked_at]
            self._again = not timers and not steps and (self.store.next_due() or self.now + MILLISECOND) <= self.now
            if not timers and not steps:
                return
            looked_at.update(timers, steps)
            if timers:
                self._run_timers([DueTimer(member, from_ms(due)) for member, due in timers])
            for name, _ in steps:
                self._step(name)

    def _run_timers(self, timers: list[DueTimer]) -> None:
        if self._beats_go_on:
            coming = [timer for timer in timers if self._still_comes(timer.member)]
            if coming:
                timers = [timer for timer in timers if timer not in coming]
                for timer in coming:
                    self._heard_of(timer.member.removeprefix(TIMER_BEAT))
                self._look_at_heartbeats()
        if timers:
            self._decide(Work(timers=tuple(timers)))

    # Signals that go on

    def _answer_again(self) -> None:
        facts = self.store.facts
        for name, fact in facts.items():
            if fact.at < self.now:
                facts[name] = replace(fact, at=self.now)

    def _still_comes(self, member: str) -> bool:
        return member.startswith(TIMER_BEAT) and member.removeprefix(TIMER_BEAT) not in self._silent

    def _heard_of(self, name: str) -> None:
        self.store.heartbeats[name] = replace(self.store.heartbeats[name], last_at=self.now, heard=True)

    def _look_at_heartbeats(self) -> None:
        self._decide(Work(timers=(DueTimer(TIMER_BEATS, self.now),)))

    def _be_silent(self, name: str) -> None:
        self._require_heartbeat(name)
        self._silent.add(name)
        self._heard_of(name)
        self._look_at_heartbeats()

    def _beat(self, name: str) -> None:
        self._require_heartbeat(name)
        self.feed_batch((arrival(self.store.heartbeats[name].labels, self.now),))
        if self.store.heartbeats[name].last_at < self.now:
            raise UnknownName(
                f"an alert with the labels of the heartbeat {name!r} does not feed it; write it as `firing`"
            )

    def _require_heartbeat(self, name: str) -> None:
        if name not in self.store.heartbeats:
            known = ", ".join(sorted(self.store.heartbeats)) or "none"
            raise UnknownName(f"there is no heartbeat {name!r} by then; there is {known}")

    def _require_person(self, name: str) -> None:
        oncall = self.rule_set.oncall
        known = [*oncall.people, *(CHANNEL_PREFIX + channel for channel in oncall.channels)]
        if name not in known:
            raise UnknownName(f"there is no person {name!r}; there is {', '.join(known[:20]) or 'nobody'}")

    # Incidents and pages

    def _tell(self, told: Told) -> None:
        if isinstance(told.event, events.DeclaredByHand):
            name = incident_id(self.now.year, self.store.numbers.get(self.now.year, 0) + 1)
            self._change(name, told.event, declared=True)
        elif told.incident in self.store.incidents:
            self._change(told.incident, told.event)
        else:
            raise UnknownName(f"there is no incident {told.incident!r} by then")

    def _step(self, name: str) -> None:
        incident = self.store.incidents.get(name)
        tally = Tally()
        if incident is not None and incident.paging is not None and incident.paging.next_at is not None:
            tally.observe(Measures.TIMER_LATENESS, (self.now - incident.paging.next_at).total_seconds())
        self._change(name, events.StepDue(), tally)

    def _change(self, name: str, event: events.Event, tally: Tally | None = None, *, declared: bool = False) -> None:
        """Let an event happen to one incident."""
        self.store.happen(name, event, oncall=self.rule_set.oncall, now=self.now, also=tally, declared=declared)
        if self.store.pages:
            self._deliver()

    def _deliver(self) -> None:
        while self.store.pages:
            page = self.store.pages.pop(next(iter(self.store.pages)))
            outcome, why, ended = self._end_of(page)
            self.sent.append(Sent(self.now, page, outcome, why))
            for one in ended:
                if not is_noted(page, one.event):
                    self.store.counters.update(one.tally.fields)
                else:
                    self._change(page.incident_id, one.event, one.tally)

    def _end_of(self, page: Page) -> tuple[str, str, Sequence[Ended]]:
        """Say what becomes of a page: the outcome, the reason, and what is written down."""
        why = needless(page, self.store.incidents[page.incident_id])
        if why:
            return "suppressed", why, (suppressed(page, why),)
        channels = channels_of(self.rule_set.oncall, page.person)
        page = replace(page, attempt=1)
        if not channels:
            return "failed", NO_CHANNEL, (given_up(page, None, NO_CHANNEL),)
        if page.person in self._unreachable:
            return "failed", REFUSED, (given_up(page, channels[-1], REFUSED),)
        return "delivered", "", (delivered(page, channels[0], self.now),)
