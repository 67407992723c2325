"""How many messages each provider is sent: a bucket of tokens for each, filled at the rate that the provider allows."""

import threading
from collections.abc import Callable
from typing import NamedTuple


class Rate(NamedTuple):
    """How many tokens come back in a second, and how many a bucket holds."""

    per_second: float
    burst: float


# PagerDuty takes about 120 events a minute, Slack about one message a second with short bursts.
RATES = {
    "pagerduty": Rate(1.0, 60.0),
    "slack": Rate(1.0, 10.0),
    "apprise": Rate(1.0, 20.0),
    "webhook": Rate(50.0, 200.0),
}
UNLIMITED = Rate(float("inf"), float("inf"))


class Buckets:
    """One bucket for each kind of channel at each provider. For many threads; `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float], rates: dict[str, Rate] | None = None) -> None:
        self._clock = clock
        self._rates = RATES if rates is None else rates
        self._lock = threading.Lock()
        self._filled: dict[tuple[str, str], tuple[float, float]] = {}  # -> tokens, when

    def wait(self, kind: str, provider: str) -> float:
        """Take a token and return 0, or return in how many seconds there will be one."""
        rate = self._rates.get(kind, UNLIMITED)
        if rate is UNLIMITED:
            return 0.0
        now = self._clock()
        with self._lock:
            tokens, since = self._filled.get((kind, provider), (rate.burst, now))
            tokens = min(rate.burst, tokens + (now - since) * rate.per_second)
            taken = tokens >= 1.0
            self._filled[kind, provider] = (tokens - 1.0 if taken else tokens, now)
            return 0.0 if taken else (1.0 - tokens) / rate.per_second
