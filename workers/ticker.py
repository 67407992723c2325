"""The ticker of every worker process: wakes again whatever nobody looks after, and says that the worker lives.

It needs no leader, for claims are atomic: asking twice costs an empty look.
"""

import contextlib
import threading
from collections.abc import Callable
from datetime import datetime

from incidents import keys
from incidents.clock import to_ms
from incidents.errors import StoreUnavailable
from incidents.queues import FACTS_QUEUE
from incidents.store.connection import Link
from incidents.store.wake import Waker

TICK_SECONDS = 0.25


class Ticker(threading.Thread):
    """Looks at the store every quarter of a second, until stopped."""

    def __init__(self, link: Link, waker: Waker, *, queue: str, now: Callable[[], datetime]) -> None:
        super().__init__(name="ticker", daemon=True)
        self._link = link
        self._waker = waker
        self._queue = queue
        self._now = now
        self._stopped = threading.Event()

    def run(self) -> None:
        """Tick until stopped."""
        while not self._stopped.wait(TICK_SECONDS):
            with contextlib.suppress(StoreUnavailable):
                self.tick()

    def tick(self) -> None:
        """Ask for a job where nobody lingers."""
        decides, delivers, asks, _ = self._link.ask(
            [
                ("EXISTS", keys.lease()),
                ("EXISTS", keys.pager_lingers()),
                ("EXISTS", keys.facts_linger()),
                ("HSET", keys.workers_seen(), self._queue, to_ms(self._now())),
            ]
        )
        if not decides:
            self._waker.decider()
        if not delivers:
            self._waker.pager()
        # Not every installation asks others: only a facts worker sees to its own job.
        if not asks and self._queue == FACTS_QUEUE:
            self._waker.facts()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
