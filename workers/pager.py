"""The page worker: claims pages that are due, has them delivered, records the results, and runs the next steps.

It needs no decider: a step that nobody acknowledged in time escalates as long as one page worker and the store live.
"""

import contextlib
import queue
import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace

from incidents import keys
from incidents.clock import to_ms
from incidents.delivery import NO_CHANNEL, Ended, channels_of, delivered, failed, given_up, needless, suppressed
from incidents.errors import NotFound, StoreConflict, StoreUnavailable
from incidents.events import PageFailed, StepDue
from incidents.measures import Measures, Tally
from incidents.oncall import Channel, OnCall
from incidents.page import Page
from incidents.store.commit import count_commands
from incidents.store.connection import Command, Link, checked
from incidents.store.incidents import Incidents
from incidents.store.pages import LINGER_MS, again_commands, claim, escalations_due, next_due_ms, over_commands
from incidents.store.scripts import ALL
from incidents.store.wake import LINGER, Waker
from workers.dispatch import Dispatcher, Result
from workers.letters import message_of
from workers.retries import TRIES, delay_before

LOG = structlog.get_logger()

WAIT_SECONDS = 0.5  # at most, between two looks at what is due
RESULT_SECONDS = 0.05  # while pages are under way, new ones are looked for this often
TRIES_BEFORE_NEXT = 3  # on one channel, while the person has another
STORE_AWAY_SECONDS = 0.1
LAST_WORDS_SECONDS = 10.0  # for what is under way when the worker is asked to stop


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
        self._oncall = oncall
        self._dispatcher = dispatcher
        self._external_url = external_url
        self._now = now
        self._stop = threading.Event()
        self._claimed: dict[str, Page] = {}
        self._said_until = 0.0

    def stop(self) -> None:
        """Ask the worker to end, at once even while it waits."""
        self._stop.set()
        with contextlib.suppress(StoreUnavailable):
            if self._link.client_id:
                self._control.one("CLIENT", "UNBLOCK", self._link.client_id)

    def linger(self, linger: timedelta = LINGER) -> None:
        """Deliver what is due for so long, or until stopped; does nothing while another page worker lingers."""
        ends = time.monotonic() + linger.total_seconds()
        looked = False
        while not self._stop.is_set() and (not looked or time.monotonic() < ends):
            try:
                if not self._is_ours():
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
        self._link.one("SET", keys.pager_lingers(), self._owner, "PX", LINGER_MS)
        self._said_until = time.monotonic() + LINGER_MS / 4000
        return True

    def _end(self) -> None:
        deadline = time.monotonic() + LAST_WORDS_SECONDS
        with contextlib.suppress(StoreUnavailable, StoreConflict):
            while self._dispatcher.pending and self._stop.is_set() and time.monotonic() < deadline:
                self._record_results(RESULT_SECONDS)
            self._record_results(0)
            if not self._stop.is_set():
                self._waker.pager(anyway=True)
            self._said_until = 0.0
            self._link.one("DEL", keys.pager_lingers())

    # Looking at what is due

    def _look(self) -> None:
        now = self._now()
        for page in claim(self._link, self._owner, now):
            self._send(page, now)
        for name in escalations_due(self._link, now):
            self._escalate(name, now)

    def _wait(self) -> None:
        """Wait for a wake-up, a result, or the next instant at which something is due."""
        if self._dispatcher.pending:
            self._record_results(RESULT_SECONDS)
            return
        self._record_results(0)
        due_ms = next_due_ms(self._link)
        left = (due_ms - to_ms(self._now())) / 1000 if due_ms is not None else WAIT_SECONDS
        if left > 0:
            wait = max(0.01, min(left, WAIT_SECONDS))
            self._link.one("BLPOP", keys.pages_wake(), f"{wait:.3f}", timeout=wait + 3.0)

    def _escalate(self, name: str, now: datetime) -> None:
        tally = Tally()
        try:
            incident, _ = self._incidents.get(name)
            due = incident.paging.next_at if incident.paging else None
            if due is not None:
                tally.observe(Measures.TIMER_LATENESS, (now - due).total_seconds())
            self._incidents.apply(name, StepDue(), now=now, also=count_commands(tally))
        except NotFound:
            self._link.one("ZREM", keys.escalations(), name)

    # Sending

    def _send(self, page: Page, now: datetime) -> None:
        try:
            incident, alerts = self._incidents.get(page.incident_id)
        except NotFound:
            checked(self._link.ask(over_commands(page)))
            return
        why = needless(page, incident)
        if why:
            self._over(page, suppressed(page, why), now)
            return
        channels = channels_of(self._oncall(page.ruleset), page.person)
        if page.channel_index >= len(channels):
            self._over(page, given_up(page, None, NO_CHANNEL), now)
            return
        self._claimed[page.id] = page
        message = message_of(page, incident, alerts, self._external_url)
        self._dispatcher.submit(page.id, channels[page.channel_index], message)

    # Recording results

    def _record_results(self, wait: float) -> None:
        with contextlib.suppress(queue.Empty):
            result = self._dispatcher.results.get(timeout=wait) if wait else self._dispatcher.results.get_nowait()
            while True:
                self._record_result(result)
                result = self._dispatcher.results.get_nowait()

    def _record_result(self, result: Result) -> None:
        page = self._claimed.pop(result.page_id, None)
        if page is None:
            return
        now = self._now()
        channels = channels_of(self._oncall(page.ruleset), page.person)
        channel = channels[min(page.channel_index, len(channels) - 1)]
        try:
            if result.accepted:
                self._over(page, delivered(page, channel, now), now)
            else:
                self._failed(page, channel, channels, result, now)
        except (StoreUnavailable, StoreConflict):
            # The result must not be lost while we wait for the store: it is recorded when the store is back.
            self._claimed[page.id] = page
            self._dispatcher.results.put(result)
            raise

    def _failed(
        self, page: Page, channel: Channel, channels: tuple[Channel, ...], result: Result, now: datetime
    ) -> None:
        again = next_try(page, len(channels), result, now)
        if again is None:
            self._over(page, given_up(page, channel, result.reason), now)
            return
        ended = failed(page, channel, result.reason, again[1])
        self._record(page, ended, now, again_commands(again[0], again[1]))

    def _over(self, page: Page, ended: Ended, now: datetime) -> None:
        self._record(page, ended, now, over_commands(page))

    def _record(self, page: Page, ended: Ended, now: datetime, moved: list[Command]) -> None:
        also = [*moved, *count_commands(ended.tally)]
        if page.over and not isinstance(ended.event, PageFailed):
            checked(self._link.ask([("MULTI",), *also, ("EXEC",)]))
            return
        self._incidents.apply(page.incident_id, ended.event, now=now, also=also)


def next_try(page: Page, channels: int, result: Result, now: datetime) -> tuple[Page, datetime] | None:
    """Return a page as it is tried next, and when: on this channel, on the person's next one, or not at all."""
    from_here = replace(page, channel_attempts=page.channel_attempts + 1, unanswered=result.unanswered)
    has_next = page.channel_index + 1 < channels
    tries = TRIES_BEFORE_NEXT if has_next else TRIES
    if not result.permanent and from_here.channel_attempts < tries:
        delay = delay_before(from_here.channel_attempts + 1, random.random(), result.retry_after)  # noqa: S311 - jitter
        if delay is not None:
            return from_here, now + delay
    if has_next:
        return replace(from_here, channel_index=page.channel_index + 1, channel_attempts=0), now
    return None
