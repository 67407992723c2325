"""What the decider reads: the stream after its cursor, and the timers that fell due; renews the lease with each look.

It gathers while events trickle in quickly, and reads ahead while there is a backlog. One thread uses it.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from incidents import keys
from incidents.clock import from_ms, to_ms
from incidents.errors import LeaseLost
from incidents.store.connection import Command, Link, checked
from incidents.store.lease import Lease
from rules.deciding.work import DueTimer
from workers.entries import Cursor, Entry, read_entry
from workers.pace import Pace

TIMERS_AT_ONCE = 500
BLOCK_MS = 250
AT_ONCE_SECONDS = 0.003  # a read that answers so fast found its entries waiting
GATHER_SECONDS = 0.003
GATHER_LONGER_AFTER = 10  # so many reads in a row that did not wait
GATHER_AT_MOST = 0.012


class Ahead(NamedTuple):
    """Entries that were read before it was their turn; `after` is the entry before the first of them."""

    after: str
    entries: list[Entry]
    is_backlog: bool


class Reading:
    """Reads over the decider's own connection."""

    def __init__(self, link: Link, lease: Lease, now: Callable[[], datetime]) -> None:
        self._link = link
        self._lease = lease
        self._now = now
        self.pace = Pace()
        self.is_backlog = False  # the last read was full: more is waiting
        self._fast_reads = 0
        self._next_timer_ms: float | None = None
        self._ahead: Ahead | None = None

    def read(self, cursor: Cursor, *, careful: bool) -> tuple[list[Entry], tuple[DueTimer, ...]]:
        """Return what is after the cursor, one entry where care is taken, and the timers due; waits for either.

        Raises `LeaseLost` when somebody else decides now.
        """
        now = self._now()
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.after == cursor.entry_id and not (cursor.done or careful):
            _, timers = self._look(now)
            entries, self.is_backlog = ahead.entries, ahead.is_backlog
        else:
            if self._fast_reads >= 2 and not self.is_backlog:  # events come faster than one at a time is worth
                time.sleep(min(GATHER_SECONDS * (1 + self._fast_reads // GATHER_LONGER_AFTER), GATHER_AT_MOST))
            entries, timers = self._wait(cursor, now, 1 if careful else self.pace.entries)
        self.pace.read(sum(entry.events for entry in entries), len(entries))
        return entries, timers

    def ahead(self, after: str) -> Callable[[], None]:
        """Read what comes after an entry that is about to be done; what is returned takes it apart, any time later."""
        if self._ahead is not None and self._ahead.after == after:
            return lambda: None
        count = self.pace.entries
        raws = _entries_of(checked(self._link.ask([("XREAD", "COUNT", count, "STREAMS", keys.stream(), after)]))[0])

        def take_apart() -> None:
            self._ahead = Ahead(after, [read_entry(raw) for raw in raws], len(raws) >= count) if raws else None

        return take_apart

    @property
    def next_entries(self) -> Sequence[Entry]:
        """What was read ahead."""
        return self._ahead.entries if self._ahead is not None else ()

    def _wait(self, cursor: Cursor, now: datetime, count: int) -> tuple[list[Entry], tuple[DueTimer, ...]]:
        started = time.monotonic()
        read: Command = (
            *("XREAD", "COUNT", count, "BLOCK", self._block_ms(now)),
            *("STREAMS", keys.stream(), cursor.entry_id),
        )
        (streams,), timers = self._look(now, read)
        raws = _entries_of(streams)
        at_once = raws and time.monotonic() - started < AT_ONCE_SECONDS
        self._fast_reads = self._fast_reads + 1 if at_once else 0
        self.is_backlog = len(raws) >= count
        return [read_entry(raw) for raw in raws], timers

    def _look(self, now: datetime, *also: Command) -> tuple[list[Any], tuple[DueTimer, ...]]:
        """Renew the lease; return the replies to what is asked as well, and the timers that are due."""
        replies = self._link.ask(
            [
                self._lease.renew_command(),
                *also,
                ("ZRANGEBYSCORE", keys.timers(), "-inf", to_ms(now), "WITHSCORES", "LIMIT", 0, TIMERS_AT_ONCE),
                ("ZRANGE", keys.timers(), 0, 0, "WITHSCORES"),
            ],
            timeout=BLOCK_MS / 1000 + 3.0,
        )
        renewed, *others, due, upcoming = checked(replies)
        if not renewed:
            raise LeaseLost("the lease went to somebody else while we waited")
        self._next_timer_ms = float(upcoming[1]) if upcoming else None
        pairs = zip(due[::2], due[1::2], strict=True)
        return others, tuple(DueTimer(member.decode(), from_ms(float(score))) for member, score in pairs)

    def _block_ms(self, now: datetime) -> int:
        if self._next_timer_ms is None:
            return BLOCK_MS
        return int(min(BLOCK_MS, max(1.0, self._next_timer_ms - to_ms(now))))


def _entries_of(streams: list[Any] | None) -> list[Any]:
    return streams[0][1] if streams else []
