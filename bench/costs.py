"""What each step costs an alert: CPU of this process (and of the store) step by step, with nobody else at work.

Takes the parts of the receiver and of the decider one after the other, so that it says where the time goes even on a
machine that is busy with other things.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import workload
from processes import cpu_seconds
from programs import Programs
from systems import Store, started

from incidents import keys
from incidents.clock import utc_now
from incidents.commit import Commit
from incidents.snapshot import Need, Snapshot
from incidents.store.bundle import Bundle
from incidents.store.commit import commit_commands
from incidents.store.connection import Command, Links, checked
from incidents.store.intake import Intake
from incidents.store.load import load_commands, snapshot_of
from incidents.store.rulesets import RuleSets
from incidents.store.scripts import ALL
from incidents.store.states import States
from receiver.payloads import alertmanager
from rules.deciding.deciding import Deciding
from rules.deciding.work import Work
from rules.loading.rule_set import load_rule_set
from rules.loading.sections import SourceFile
from tocsin.garbage import look_seldom
from workers.entries import Cursor, read_entry
from workers.leaving import Leaving
from workers.poison import Offenders

PASSES = 12  # over all alerts, firing and resolved in turn; the first two declare the incidents and are not counted
UNCOUNTED = 2
EVENTS_AT_ONCE = 4000
PER_WEBHOOK = 50
FIRST_INSTANT = 1_700_000_000
NOBODY = Offenders(())


class Costs:
    """CPU seconds by step."""

    def __init__(self, store: Store) -> None:
        self.seconds: dict[str, float] = {}
        self.is_counting = False
        self._store = store.program.pid

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        """Count what the block uses."""
        store, own = cpu_seconds([self._store]), time.thread_time()
        try:
            yield
        finally:
            if self.is_counting:
                self.seconds[step] = self.seconds.get(step, 0.0) + time.thread_time() - own
                used = cpu_seconds([self._store]) - store
                self.seconds[f"store, {step}"] = self.seconds.get(f"store, {step}", 0.0) + used


def measure(directory: Path, *, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return microseconds of CPU an alert for each step, 50 alerts a webhook and 100 rules."""
    with started(directory / "costs") as programs:
        bench = _Bench(programs)
        for number in range(PASSES):
            tell(f"what each step costs, pass {number + 1} of {PASSES}")
            bench.costs.is_counting = number >= UNCOUNTED
            bench.one_pass(number)
        alerts = (PASSES - UNCOUNTED) * len(list(workload.alerts()))
        return {step: round(seconds / alerts * 1e6, 2) for step, seconds in bench.costs.seconds.items()}


class _Bench:
    def __init__(self, programs: Programs) -> None:
        store = Store(programs)
        self.costs = Costs(store)
        self._link = store.link()
        self._links = Links(store.url, scripts=ALL)
        self._intake = Intake(self._links, lambda: None)
        loaded = load_rule_set([SourceFile("rules.yml", workload.rules())], now=utc_now())
        if loaded.rule_set is None:
            raise AssertionError(loaded.errors[0])
        RuleSets(self._links).publish(loaded.rule_set.hash, [("rules.yml", workload.rules())], utc_now())
        self._deciding = Deciding(loaded.rule_set)
        self._bodies = list(workload.flip_bodies(PER_WEBHOOK))
        self._cursor = "0-0"
        self._states = States()
        look_seldom()  # as the decide worker does

    def one_pass(self, number: int) -> None:
        stamps = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(FIRST_INSTANT + number + each)) for each in (-1, 0)]
        times = workload.times(stamps[1]) if number % 2 == 0 else workload.times(stamps[0], stamps[1])
        for pair in self._bodies:
            self._take_in(pair[number % 2].replace(workload.TIMES, times).encode())
        while self._decide():
            pass

    def _take_in(self, body: bytes) -> None:
        with self.costs.of("receiver: parse"):
            parsed = alertmanager.parse(body)
        with self.costs.of("receiver: redact, encode, append"):
            self._intake.append_alerts(source="bench", alerts=parsed.alerts, received_at=utc_now())

    def _decide(self) -> bool:
        count = EVENTS_AT_ONCE // PER_WEBHOOK
        with self._links.borrow() as link, self.costs.of("decider: read"):
            streams = link.one("XREAD", "COUNT", count, "STREAMS", keys.stream(), self._cursor)
            entries = [read_entry(raw) for raw in streams[0][1]] if streams else []
        if not entries:
            return False
        with self.costs.of("decider: plan"):
            work = Work(tuple(arrival for entry in entries for arrival in entry.arrivals))
            plan = self._deciding.plan(work)
        leaving = Leaving(work, NOBODY)
        leaving.expected(1)
        while True:
            now = utc_now()
            snapshot = self._load(plan, now)
            try:
                with self.costs.of("decider: decide"):
                    commit = self._deciding.decide(work, snapshot, now, notes=leaving.notes)
                break
            except Need as need:
                plan.merge(need.plan)
        with self.costs.of("decider: note for the journal"):
            ends = Cursor(self._cursor), Cursor(entries[-1].id)
            left = leaving.commands(commit, *ends, self._deciding.rule_set.hash, NOBODY)
        self._commit(commit, entries[-1].id, left)
        return True

    def _load(self, plan: Any, now: Any) -> Snapshot:
        with self._links.borrow() as link, self.costs.of("decider: load"):
            watch, *loads = load_commands(plan, now)
            bundle = Bundle(loads)
            _, watched, *answered = checked(link.ask([("UNWATCH",), watch, *bundle.commands]))
            return snapshot_of(plan, [watched, *bundle.replies(answered)], self._states)

    def _commit(self, commit: Commit, done: str, left: Sequence[Command]) -> None:
        with self._links.borrow() as link, self.costs.of("decider: commit"):
            moved = [("SET", keys.cursor(), f"{done}|0"), ("XTRIM", keys.stream(), "MINID", "~", done)]
            checked(
                link.ask(
                    [("MULTI",), *moved, *left, *Bundle(commit_commands(commit, self._states)).commands, ("EXEC",)]
                )
            )
        self._cursor = done
