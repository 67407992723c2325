"""The active decider: reads the stream after the cursor, decides, and commits with the cursor, under lease and fence.

    1 read after the cursor, with the timers that fell due; renew the lease
    2 watch and load what the batch needs
    3 decide (pure)
    4 commit everything and the cursor in one transaction, unless somebody else took over

It lingers, blocked on the stream, while events keep coming; RQ only starts it.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from incidents import keys
from incidents.archive import Archived
from incidents.commit import TIMER_BEATS, Commit
from incidents.errors import LeaseLost, StoreConflict, StoreUnavailable, TocsinError
from incidents.snapshot import Need, Plan, Snapshot
from incidents.store.archive import bring_back
from incidents.store.bundle import Bundle
from incidents.store.commit import commit_commands
from incidents.store.connection import Command, Link, checked
from incidents.store.lease import LEASE_MS, Lease
from incidents.store.load import load_commands, snapshot_of
from incidents.store.scripts import ALL
from incidents.store.states import States
from incidents.store.wake import LINGER, Waker
from rules.deciding.deciding import Deciding
from rules.deciding.work import DueTimer, Work
from workers.entries import Cursor, Entry, read_cursor
from workers.leaving import IS_EXPECTED, Leaving, keep_bounded
from workers.planning import Planning
from workers.poison import Offenders, set_aside, without_offenders
from workers.reading import Reading
from workers.suspects import Suspects
from workers.upkeep import EVERY_SECONDS, forget_old_alerts, gone_silent

LOG = structlog.get_logger()

CONFLICTS_AT_MOST = 50
STORE_AWAY_SECONDS = 0.1


class Decider:
    """Decides while it has the lease. One thread runs it; any may stop it."""

    def __init__(
        self,
        *,
        url: str,
        owner: str,
        waker: Waker,
        deciding_for: Callable[[str], Deciding],
        now: Callable[[], datetime],
        stale_after: timedelta = timedelta(hours=24),
        lease_ms: int = LEASE_MS,
    ) -> None:
        self._stale_after = stale_after
        self._link = Link(url, scripts=ALL)
        self._control = Link(url)
        self._lease = Lease(self._link, owner, lease_ms)
        self._suspects = Suspects(self._link)
        self._waker = waker
        self._deciding_for = deciding_for
        self._deciding: Deciding | None = None
        self._now = now
        self._stop = threading.Event()
        self._cursor = Cursor()
        self._reading = Reading(self._link, self._lease, now)
        self._planning = Planning()
        self._states = States()
        self._renewed = 0.0
        self._upkeep_at = 0.0
        self._heartbeats_looked_at = False

    def stop(self) -> None:
        """Ask the decider to end, at once even while it is blocked on the stream."""
        self._stop.set()
        try:
            if self._link.client_id:
                self._control.one("CLIENT", "UNBLOCK", self._link.client_id)
        except StoreUnavailable:
            LOG.warning("store_away_at_stop")

    def linger(self, linger: timedelta = LINGER) -> None:
        """Decide for so long, or until stopped; does nothing while somebody else decides."""
        ends = time.monotonic() + linger.total_seconds()
        handed_on = False
        while not self._stop.is_set() and not handed_on:
            try:
                if not self._take_over():
                    return
                self._until(ends)
                self._hand_on()
                handed_on = True
            except StoreUnavailable as error:
                # Leaving the job now would end the worker: RQ could not record the job's end either.
                LOG.warning("store_away", error=str(error))
                self._link.drop()
                self._stop.wait(STORE_AWAY_SECONDS)
                ends = max(ends, time.monotonic() + 1.0)
            except LeaseLost as error:
                LOG.warning("lease_lost", error=str(error))
                self._reading.pace.too_slow()
                return

    def _take_over(self) -> bool:
        if not self._lease.acquire():
            return False
        self._renewed = time.monotonic()
        # Here is the decider that was wished for; should it die, another one may be asked for at once.
        _, cursor = checked(self._link.ask([("DEL", keys.wake_decider()), ("GET", keys.cursor())]))
        self._cursor = read_cursor(cursor)
        self._suspects.taken_over(self._cursor)
        return True

    def _hand_on(self) -> None:
        """Ask for a successor before giving the lease up, so that nothing waits for a ticker."""
        self._suspects.clear()
        if not self._stop.is_set():
            self._waker.decider(anyway=True)
        self._lease.release()

    def _until(self, ends: float) -> None:
        """Look at least once: a host so slow that the time is over before the first look would never come to one."""
        looked = False
        while not self._stop.is_set() and (not looked or time.monotonic() < ends):
            looked = True
            entries, timers = self._look()
            if entries or timers or self._suspects.careful:
                began = time.monotonic()
                self._process(entries, timers)
                self._reading.pace.took(sum(entry.events for entry in entries), time.monotonic() - began)
            if time.monotonic() >= self._upkeep_at:
                self._upkeep_at = time.monotonic() + EVERY_SECONDS
                self._keep_up()

    def _keep_up(self) -> None:
        forget_old_alerts(self._link, self._now(), self._lease.fence)
        keep_bounded(self._link, self._cursor)
        silent, moved = gone_silent(self._link, self._now(), self._stale_after)
        if silent:
            self._settle(Work((), silent), (), self._cursor, also=moved)

    def _look(self) -> tuple[Sequence[Entry], tuple[DueTimer, ...]]:
        entries, timers = self._reading.read(self._cursor, careful=self._suspects.careful)
        self._renewed = time.monotonic()
        if not self._heartbeats_looked_at:
            # What is listed is expected from now on, even if it never came; and new rules wait for other times.
            self._heartbeats_looked_at = True
            timers = (*timers, DueTimer(TIMER_BEATS, self._now()))
        return entries, timers

    # Deciding and committing

    def _process(self, entries: Sequence[Entry], timers: tuple[DueTimer, ...]) -> None:
        if self._suspects.careful:
            self._process_carefully(entries, timers)
            return
        arrivals = self._planning.arrivals(entries)
        skip, done = self._cursor.done, Cursor(entries[-1].id) if entries else self._cursor
        self._settle(Work(arrivals[skip:] if skip else arrivals, timers), entries, done)

    def _process_carefully(self, entries: Sequence[Entry], timers: tuple[DueTimer, ...]) -> None:
        """One event at a time, marked before: whoever takes over after a death knows which one it was."""
        if timers:
            self._settle(Work((), timers), (), self._cursor)
        for entry in entries:
            if entry.unreadable is not None:
                self._settle(Work(), [entry], Cursor(entry.id))
            for index, arrival in enumerate(entry.arrivals):
                if index < self._cursor.done:
                    continue
                deadly = self._suspects.mark(Cursor(self._cursor.entry_id, index))
                last = index + 1 == len(entry.arrivals)
                done = Cursor(entry.id) if last else Cursor(self._cursor.entry_id, index + 1)
                if deadly:
                    self._settle(Work(), (), done, Offenders(((arrival, "the decider died while judging it"),)))
                else:
                    self._settle(Work((arrival,)), (), done)
        self._suspects.passed(len(entries))

    def _settle(
        self,
        work: Work,
        entries: Sequence[Entry],
        done: Cursor,
        offenders: Offenders | None = None,
        also: Sequence[Command] = (),
    ) -> None:
        """Decide and commit a piece of work, however often somebody changes what it rests on."""
        deciding = self._current()
        unreadable = tuple(entry.unreadable for entry in entries if entry.unreadable is not None)
        poison = offenders or Offenders((), unreadable=unreadable)
        leaving = Leaving(work, poison)
        plan: Plan | None = None
        for _ in range(CONFLICTS_AT_MOST):
            now = self._now()
            judge: Callable[[Work], object] = deciding.plan
            try:
                plan = plan or self._planning.plan(deciding, work)
                snapshot = self._load(plan, now, leaving)
                if snapshot.ruleset != deciding.rule_set.hash:
                    deciding, plan = self._reloaded(snapshot.ruleset), None
                    continue
                judge = partial(deciding.decide, snapshot=snapshot, now=now)
                commit = deciding.decide(work, snapshot, now, poison.to_tell(), leaving.notes)
            except Need as need:
                plan = plan or Plan()
                plan.merge(need.plan)
                continue
            except TocsinError:
                raise
            except Exception as error:  # noqa: BLE001 - the job boundary: the batch is bisected and the culprit kept
                work, poison = without_offenders(judge, work, error, poison)
                plan = None
                continue
            set_aside(commit, poison)
            left = leaving.commands(commit, self._cursor, done, deciding.rule_set.hash, poison)
            if self._commit(commit, done, left, also):
                return
        raise StoreConflict("the store kept changing under the decider")

    def _load(self, plan: Plan, now: datetime, leaving: Leaving) -> Snapshot:
        while True:
            try:
                return self._loaded(plan, now, leaving)
            except Archived as archived:
                self._link.one("UNWATCH")
                bring_back(self._link, archived.incident_id)

    def _loaded(self, plan: Plan, now: datetime, leaving: Leaving) -> Snapshot:
        watch, *loads = load_commands(plan, now)
        bundle = Bundle([*loads, IS_EXPECTED])
        _, watched, *answered = checked(self._link.ask([("UNWATCH",), watch, *bundle.commands]))
        *loaded, expected = bundle.replies(answered)
        leaving.expected(expected)
        snapshot = snapshot_of(plan, [watched, *loaded], self._states)
        if snapshot.fence != self._lease.fence:
            raise LeaseLost(f"the fence is at {snapshot.fence}, ours was {self._lease.fence}")
        return snapshot

    def _reloaded(self, ruleset: str) -> Deciding:
        self._deciding = self._deciding_for(ruleset)
        self._heartbeats_looked_at = False
        return self._deciding

    def _current(self) -> Deciding:
        if self._deciding is None:
            stored = self._link.one("GET", keys.rules_current())
            self._deciding = self._deciding_for(stored.decode() if stored else "")
        return self._deciding

    def _commit(self, commit: Commit, done: Cursor, left: Sequence[Command], also: Sequence[Command]) -> bool:
        """Commit with the cursor; False when something watched has changed. A lease that ran out is never committed."""
        moved: list[Command] = [("SET", keys.cursor(), str(done)), self._lease.renewal_in_commit(), *left]
        # What moves the cursor stands by itself: a full store refuses it, and with it the whole transaction.
        written = [*commit_commands(commit, self._states), *also]
        commands = [("MULTI",), *moved, *Bundle(written).commands, ("EXEC",)]
        if time.monotonic() - self._renewed > self._lease.ms / 1000:
            raise LeaseLost("paused for longer than the lease lasts")
        replies = self._link.ask(commands, meanwhile=self._meanwhile(done))
        checked(replies)
        if replies[-1] is None:
            return False
        self._renewed = time.monotonic()
        self._cursor = done
        return True

    def _meanwhile(self, done: Cursor) -> Callable[[], None] | None:
        """Return what there is to do while the store commits: with a backlog, the next batch is prepared."""
        moves = done.entry_id != self._cursor.entry_id and not done.done
        if not (moves and self._reading.is_backlog) or self._suspects.careful or self._stop.is_set():
            return None
        take_apart = self._reading.ahead(done.entry_id)

        def prepare() -> None:
            take_apart()
            if self._deciding is not None:
                self._planning.ahead(self._deciding, self._reading.next_entries)

        return prepare
