"""How often the holder of a credential may call one process: a bucket of tokens each, in memory.

No call waits for the store because of it, and it holds with the store away. Each process counts for itself: what all of
them let through together is so many times more.
"""

import math
import threading
import time
from collections.abc import Callable

import msgspec

from receiver.bodies import MAX_BODY
from receiver.problems import Problem

CHUNKED_PIECES = 64
PIECE_BYTES = 4096


class Limit(msgspec.Struct, frozen=True):
    """So many calls a second in the long run, and so many at once after a quiet time."""

    rate: float
    burst: float


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a process.

    Senders: a post costs one, and a longer body one for each 4 KiB of it. No process takes so much (some 1,500 posts a
    second were measured, 3,000 on two), and an Alertmanager with 10,000 groups sends 700 a second: what is cut is a
    sender that runs wild with bodies larger than can be decided on. Callers: far above people and dashboards.
    """

    senders: Limit = Limit(5_000, 100_000)
    callers: Limit = Limit(200, 2_000)


class Limiter:
    """Counts what the holders of credentials spend. For many threads."""

    def __init__(self, limit: Limit, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._span = limit.burst / limit.rate
        self._clock = clock
        # Up to when the tokens of a holder are spent; names are those of the configuration, so they are few.
        self._spent: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, name: str, cost: float = 1.0) -> float:
        """Spend tokens and return 0, or return after how many seconds there will be enough; then none were spent."""
        now = self._clock()
        with self._lock:
            spent = max(self._spent.get(name, 0.0), now) + cost / self._limit.rate
            late = spent - now - self._span
            # What costs more than a full bucket would never pass: it passes when the bucket is full.
            if late > 0 and self._spent.get(name, 0.0) > now:
                return late
            self._spent[name] = spent
        return 0.0


def cost_of(length: int) -> float:
    """Return what a post costs by the declared length of its body.

    One of unknown length costs as 256 KiB, one that is too long to be read costs no more than its answer.
    """
    if length > MAX_BODY:
        return 1.0
    return max(length / PIECE_BYTES, 1.0) if length >= 0 else CHUNKED_PIECES


def too_fast(status: int, name: str, seconds: float) -> Problem:
    """Return the answer to a holder that is over its limit: 503 for senders, which try again, 429 for callers."""
    return Problem(
        status,
        f"{name} sends more than is taken from one sender." if status == 503 else f"{name} calls too often.",
        hint="Send it again after the seconds in Retry-After.",
        headers={"Retry-After": str(max(math.ceil(seconds), 1))},
    )
