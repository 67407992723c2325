"""Delivers claimed pages: bundles them, hands them to the dispatcher, and records how each attempt ended.

One thread of the page worker runs it. It never waits for a provider, and what it cannot record it keeps until it can.
"""

import contextlib
import queue
import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from incidents.delivery import (
    NO_CHANNEL,
    Ended,
    channels_of,
    delivered,
    failed,
    given_up,
    is_noted,
    needless,
    suppressed,
)
from incidents.errors import NotFound, StoreConflict, StoreUnavailable
from incidents.incident import AlertTally
from incidents.links import link_for, seal
from incidents.notices import is_notice, stand_in
from incidents.oncall import LIFECYCLE_KINDS, Channel, OnCall
from incidents.page import Page
from incidents.page_test import is_test
from incidents.store.commit import count_commands
from incidents.store.connection import Command, Link, checked
from incidents.store.incidents import Incidents
from incidents.store.links import signing_key
from incidents.store.page_tests import end_command
from incidents.store.pages import Claimed, again_commands, hold_commands, over_commands
from incidents.store.reaching import attempt_commands
from workers.attempts import next_try, not_yet
from workers.dispatch import Dispatcher, Result
from workers.letters import Letter, message_of

BUNDLE = timedelta(seconds=5)  # after a page to somebody, what else comes for the same person is one message
WINDOWS_KEPT = 1000


class _Batch(NamedTuple):
    """Pages to one person over one channel, sent as one message."""

    letters: list[Letter]
    channels: tuple[Channel, ...]

    @property
    def pages(self) -> list[Page]:
        return [letter.page for letter in self.letters]

    @property
    def channel(self) -> Channel:
        return self.channels[min(self.letters[0].page.channel_index, len(self.channels) - 1)]

    @property
    def until(self) -> datetime | None:
        """When the first of their next steps is due."""
        steps = (letter.incident.paging for letter in self.letters if not letter.page.over)
        return min((step.next_at for step in steps if step is not None and step.next_at is not None), default=None)


def _precedence(letter: Letter) -> tuple[bool, int, datetime, str]:
    """What may have been sent before leads again, in the same order: a repeat bears the key that its provider knows."""
    page = letter.page
    return (not page.unanswered, -page.attempt, page.created_at, page.id)


class Deliveries:
    """The pages that this worker has claimed, from sending them to recording their results."""

    def __init__(
        self,
        *,
        link: Link,
        incidents: Incidents,
        oncall: Callable[[str], OnCall],
        dispatcher: Dispatcher,
        external_url: str,
        now: Callable[[], datetime],
        bundle: timedelta = BUNDLE,
    ) -> None:
        self._link = link
        self._incidents = incidents
        self._oncall = oncall
        self._dispatcher = dispatcher
        self._external_url = external_url
        self._now = now
        self._bundle = bundle
        self._key = b""
        self._sent: dict[str, _Batch] = {}  # by the page that their message is named after
        self._under_way: set[str] = set()
        self._windows: dict[str, datetime] = {}  # person -> until when further pages are held

    def send(self, claimed: Iterable[Claimed], now: datetime) -> None:
        """Send what was claimed; those that come for the same person together, or soon after another, as one."""
        batches: dict[tuple[str, ...], _Batch] = {}
        for each in claimed:
            page = each.page
            if page.id in self._under_way:  # the claim ran out while a provider hangs: it is still being sent
                continue
            letter = self._letter(each, now)
            if letter is None:
                continue
            channels = channels_of(self._oncall(page.ruleset), page.person, page.channel)
            if page.channel_index >= len(channels):
                self._over(page, given_up(page, None, NO_CHANNEL), now)
                continue
            alone = page.over or channels[page.channel_index].kind in LIFECYCLE_KINDS
            key = (page.id,) if alone else (page.ruleset, page.person, channels[page.channel_index].name)
            batches.setdefault(key, _Batch([], channels)).letters.append(letter)
        for batch in batches.values():
            batch.letters.sort(key=_precedence)
            self._submit(batch, now)

    def record(self, wait: float) -> None:
        """Record the results that are there, after waiting at most so many seconds for the first."""
        results = self._dispatcher.results
        with contextlib.suppress(queue.Empty):
            result = results.get(timeout=wait) if wait else results.get_nowait()
            while True:
                self._record_result(result)
                result = results.get_nowait()

    # Sending

    def _letter(self, claimed: Claimed, now: datetime) -> Letter | None:
        page = claimed.page
        shown = stand_in(page)
        if shown is not None:
            return Letter(page, shown, AlertTally())
        try:
            incident, alerts = claimed.found or self._incidents.get(page.incident_id)
        except NotFound:
            checked(self._link.ask(over_commands(page)))
            return None
        why = needless(page, incident)
        if why:
            self._over(page, suppressed(page, why), now)
            return None
        return Letter(page, incident, alerts)

    def _submit(self, batch: _Batch, now: datetime) -> None:
        first = batch.pages[0]
        held_until = self._held_until(batch, now)
        if held_until is not None:
            self._hold([(page, held_until) for page in batch.pages])
            return
        # First: it may have to ask the store. What counts as under way has to be, or it would never be sent again.
        message = message_of(batch.letters, self._external_url, self._link_of(batch, now))
        self._sent[first.id] = batch
        self._under_way.update(page.id for page in batch.pages)
        wait = self._dispatcher.submit(first.id, batch.channel, message)
        if wait:
            self._forget(first.id)
            left = timedelta(seconds=wait)
            self._hold([not_yet(page, len(batch.channels), left, now, until=batch.until) for page in batch.pages])
        elif not first.over:
            self._begin_window(first.person, now)

    def _link_of(self, batch: _Batch, now: datetime) -> str:
        """Return the address at which the person acknowledges all that the message is about."""
        first = batch.pages[0]
        if first.over:
            return ""
        if not self._key:
            self._key = signing_key(self._link)
        named = [page.incident_id for page in batch.pages]
        return f"{self._external_url}/ack/{seal(link_for(first.person, first.id, named, now), self._key)}"

    def _held_until(self, batch: _Batch, now: datetime) -> datetime | None:
        """The first page goes at once, and what was tried or has waited before does not wait again."""
        first = batch.pages[0]
        if first.over or batch.channel.kind in LIFECYCLE_KINDS:
            return None
        if any(page.attempt > 1 or page.created_at + self._bundle <= now for page in batch.pages):
            return None
        until = self._windows.get(first.person)
        return until if until is not None and now < until <= now + self._bundle else None

    def _begin_window(self, person: str, now: datetime) -> None:
        if len(self._windows) > WINDOWS_KEPT:
            self._windows = {name: until for name, until in self._windows.items() if until > now}
        self._windows[person] = now + self._bundle

    def _hold(self, pages: Iterable[tuple[Page, datetime]]) -> None:
        held = [command for page, at in pages for command in hold_commands(page, at)]
        checked(self._link.ask([("MULTI",), *held, ("EXEC",)]))

    def _forget(self, name: str) -> None:
        batch = self._sent.pop(name)
        self._under_way.difference_update(page.id for page in batch.pages)

    # Recording

    def _record_result(self, result: Result) -> None:
        batch = self._sent.get(result.page_id)
        if batch is None:
            return
        now = self._now()
        jitter = random.random()  # noqa: S311 - spreads retries, and is the same for all of a bundle
        try:
            while batch.letters:
                self._record_end(batch.letters[0].page, batch, result, now, jitter)
                self._under_way.discard(batch.letters.pop(0).page.id)
        except (StoreUnavailable, StoreConflict):
            # The result must not be lost while we wait for the store: it is recorded when the store is back.
            self._dispatcher.results.put(result)
            raise
        self._sent.pop(result.page_id)

    def _record_end(self, page: Page, batch: _Batch, result: Result, now: datetime, jitter: float) -> None:
        channel = batch.channel
        if result.accepted:
            done = delivered(page, channel, now, answer=result.reason, provider_id=result.provider_id)
            self._over(page, done, now)
            return
        again = next_try(page, len(batch.channels), result, now, jitter=jitter, until=batch.until)
        if again is None:
            self._over(page, given_up(page, channel, result.reason), now)
            return
        ended = failed(page, channel, result.reason, again[1], permanent=result.permanent)
        self._record(page, ended, now, again_commands(again[0], again[1]))

    def _over(self, page: Page, ended: Ended, now: datetime) -> None:
        self._record(page, ended, now, over_commands(page))

    def _record(self, page: Page, ended: Ended, now: datetime, moved: list[Command]) -> None:
        also = [*moved, *count_commands(ended.tally), *attempt_commands(ended.event, now)]
        if is_test(page.incident_id):
            checked(self._link.ask([("MULTI",), *also, end_command(page.incident_id, ended.event, now), ("EXEC",)]))
            return
        if is_notice(page.incident_id) or not is_noted(page, ended.event):
            checked(self._link.ask([("MULTI",), *also, ("EXEC",)]))
            return
        self._incidents.apply(page.incident_id, ended.event, now=now, also=also)
