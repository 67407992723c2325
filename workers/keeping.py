"""Keeps closed incidents small and not for ever: archives them some days after their end, deletes them much later.

The counts of pages by day and person go with the incidents of their time.

A thread beside the facts worker, on a connection of its own, so that nothing waits for it. It looks at all incidents
every ten minutes, a few at a time; of all processes of an installation one does it at a time.
"""

import os
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import NamedTuple

import structlog

from incidents import keys
from incidents.errors import StoreUnavailable
from incidents.store.archive import Kept, Sweep, sweep
from incidents.store.connection import Link
from incidents.store.statistics import forget_paged

EVERY_SECONDS = 600.0
STEP_SECONDS = 0.5
RETRY_SECONDS = 60.0
LEASE_MS = 60_000
NICENESS = 5  # the way of an alert goes first

LOG = structlog.get_logger()


class Next(NamedTuple):
    """Where the next look begins, as a place in the list of incidents, and in how many seconds."""

    start: int
    wait: float


class Keeper(threading.Thread):
    """Archives and deletes while the process lives."""

    def __init__(
        self, link: Link, *, owner: str, kept: Kept, now: Callable[[], datetime], every_seconds: float = EVERY_SECONDS
    ) -> None:
        super().__init__(name="keeper", daemon=True)
        self._link = link
        self._owner = owner
        self._kept = kept
        self._now = now
        self._every = every_seconds
        self._stopped = threading.Event()
        self._forgotten: date | None = None  # the first day of which pages are known

    def run(self) -> None:
        """Look at all incidents again and again, until stopped."""
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        following = Next(0, STEP_SECONDS)
        while not self._stopped.wait(following.wait):
            following = self.step(following.start)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()

    def step(self, start: int) -> Next:
        """Look at some incidents, unless another process does it, and answer where and when to go on."""
        try:
            if not self._is_ours():
                return Next(0, RETRY_SECONDS)
            now = self._now()
            swept = sweep(self._link, start, self._kept, now)
            self._forget((now - self._kept.whole).astimezone(UTC).date())
        except StoreUnavailable as error:
            LOG.warning("keeper_store_away", error=str(error))
            self._link.drop()
            return Next(0, RETRY_SECONDS)
        except Exception:
            # What one incident holds must not keep all others from being archived: those beside it have their turn.
            LOG.exception("keeper_failed", start=start)
            self._link.drop()
            return Next(start + 1, STEP_SECONDS)
        self._tell(swept)
        return Next(0, self._every) if swept.next is None else Next(swept.next, STEP_SECONDS)

    def _forget(self, before: date) -> None:
        """Forget who was paged on the days before one; there is something to forget once a day."""
        if before != self._forgotten:
            forget_paged(self._link, before)
            self._forgotten = before

    def _is_ours(self) -> bool:
        taken = self._link.one("SET", keys.keeper_lease(), self._owner, "NX", "PX", LEASE_MS)
        holder = self._link.one("GET", keys.keeper_lease())
        if taken is None and holder is not None and holder.decode() != self._owner:
            return False
        self._link.one("PEXPIRE", keys.keeper_lease(), LEASE_MS)
        return True

    @staticmethod
    def _tell(swept: Sweep) -> None:
        if swept.archived:
            LOG.info("incidents_archived", incidents=len(swept.archived))
        if swept.deleted:
            LOG.info("incidents_deleted", incidents=swept.deleted)
