"""The page worker: claims pages that are due, has them delivered, records the results, and runs the next steps.

It needs no decider: a step that nobody acknowledged in time escalates as long as one page worker and the store live.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from incidents import keys
from incidents.clock import to_ms
from incidents.errors import NotFound, StoreConflict, StoreUnavailable
from incidents.events import StepDue
from incidents.measures import Measures, Tally
from incidents.oncall import OnCall
from incidents.store.commit import count_commands
from incidents.store.connection import Link, checked
from incidents.store.incidents import Incidents
from incidents.store.pages import LINGER_MS, claim, next_due_ms
from incidents.store.scripts import ALL
from incidents.store.wake import LINGER, Waker
from workers.delivering import Deliveries
from workers.dispatch import Dispatcher

LOG = structlog.get_logger()

WAIT_SECONDS = 0.5  # at most, between two looks at what is due
RESULT_SECONDS = 0.05  # while pages are under way, new ones are looked for this often
STORE_AWAY_SECONDS = 0.1
LAST_WORDS_SECONDS = 10.0  # for what is under way when the worker ends


class Pager:
    """Delivers pages and runs escalations. One thread runs it; any may stop it."""

    def __init__(
        self,
        *,
        url: str,
        owner: str,
        waker: Waker,
        incidents: Incidents,
        oncall: Callable[[str], OnCall],
        dispatcher: Dispatcher,
        external_url: str,
        now: Callable[[], datetime],
    ) -> None:
        self._link = Link(url, scripts=ALL)
        self._control = Link(url)
        self._owner = owner
        self._waker = waker
        self._incidents = incidents
        self._dispatcher = dispatcher
        self._now = now
        self._deliveries = Deliveries(
            link=self._link,
            incidents=incidents,
            oncall=oncall,
            dispatcher=dispatcher,
            external_url=external_url,
            now=now,
        )
        self._stop = threading.Event()
        self._said_until = 0.0

    def stop(self) -> None:
        """Ask the worker to end, at once even while it waits."""
        self._stop.set()
        with contextlib.suppress(StoreUnavailable):
            if self._link.client_id:
                self._control.one("CLIENT", "UNBLOCK", self._link.client_id)

    def linger(self, linger: timedelta = LINGER) -> None:
        """Deliver what is due for so long, or until stopped; does nothing while another page worker lingers.

        It leaves no message behind whose result nobody would record: the next to linger may be another worker.
        """
        ends = time.monotonic() + linger.total_seconds()
        looked = False
        while not self._stop.is_set() and (not looked or self._has_more_to_do(ends)):
            try:
                if not self._is_ours():
                    self._settle()
                    return
                self._look()
                self._wait()
                looked = True
            except (StoreUnavailable, StoreConflict) as error:
                LOG.warning("store_away", error=str(error))
                self._said_until = 0.0
                self._link.drop()
                self._stop.wait(STORE_AWAY_SECONDS)
                ends = max(ends, time.monotonic() + 1.0)
        self._end()

    def _has_more_to_do(self, ends: float) -> bool:
        now = time.monotonic()
        return now < ends or (self._dispatcher.pending > 0 and now < ends + LAST_WORDS_SECONDS)

    def _is_ours(self) -> bool:
        """Say that a page worker waits here, so that nobody asks for another; False when another says so already.

        Said again a few times while it lasts: a look that follows a wake-up must not wait for it.
        """
        if time.monotonic() < self._said_until:
            return True
        taken, holder = self._link.ask(
            [("SET", keys.pager_lingers(), self._owner, "NX", "PX", LINGER_MS), ("GET", keys.pager_lingers())]
        )
        if taken is None and holder is not None and holder.decode() != self._owner:
            return False
        said = ("SET", keys.pager_lingers(), self._owner, "PX", LINGER_MS)
        checked(self._link.ask([said, ("DEL", keys.wake_pager())]))  # should we die, another may be asked for at once
        self._said_until = time.monotonic() + LINGER_MS / 4000
        return True

    def _end(self) -> None:
        with contextlib.suppress(StoreUnavailable, StoreConflict):
            if self._stop.is_set():
                self._settle()
            self._deliveries.record(0)
            if not self._stop.is_set():
                self._waker.pager(anyway=True)
            self._said_until = 0.0
            self._link.one("DEL", keys.pager_lingers())

    def _settle(self) -> None:
        """Record how each message ended that is under way, as far as they end in good time."""
        deadline = time.monotonic() + LAST_WORDS_SECONDS
        while self._dispatcher.pending and time.monotonic() < deadline:
            self._deliveries.record(RESULT_SECONDS)
        self._deliveries.record(0)

    # Looking at what is due

    def _look(self) -> None:
        now = self._now()
        due = claim(self._link, self._owner, now)
        if due.pages:
            self._deliveries.send(due.pages, now)
        for name in due.steps:
            self._escalate(name, now)

    def _wait(self) -> None:
        """Wait for a wake-up, a result, or the next instant at which something is due."""
        if self._dispatcher.pending:
            self._deliveries.record(RESULT_SECONDS)
            return
        self._deliveries.record(0)
        due_ms = next_due_ms(self._link)
        left = (due_ms - to_ms(self._now())) / 1000 if due_ms is not None else WAIT_SECONDS
        if left > 0:
            wait = max(0.01, min(left, WAIT_SECONDS))
            self._link.one("BLPOP", keys.pages_wake(), f"{wait:.3f}", timeout=wait + 3.0)

    def _escalate(self, name: str, now: datetime) -> None:
        tally = Tally()
        try:
            incident, _ = self._incidents.get(name)
            due = incident.paging.due_at if incident.paging else None
            if due is not None:
                tally.observe(Measures.TIMER_LATENESS, (now - due).total_seconds())
            self._incidents.apply(name, StepDue(), now=now, also=count_commands(tally))
        except NotFound:
            self._link.one("ZREM", keys.escalations(), name)
