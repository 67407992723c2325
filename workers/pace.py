"""How much the decider takes at a time: large batches cost the least per event, and must end within the lease. Pure."""

EVENTS_AT_MOST = 4000
EVENTS_AT_LEAST = 50
ENTRIES_AT_FIRST = 20
ENTRIES_AT_MOST = 1000
BATCH_SECONDS = 0.5  # a quarter of the lease


class Pace:
    """Adapts to what entries hold, and to how fast this host is."""

    def __init__(self) -> None:
        self.entries = ENTRIES_AT_FIRST
        self._events = EVENTS_AT_MOST

    def read(self, events: int, entries: int) -> None:
        """Ask for as many entries as hold a batch: a read is bounded by entries, not by events."""
        if entries:
            wanted = self.entries * self._events // max(events, 1)
            self.entries = max(1, min(ENTRIES_AT_MOST, self.entries * 2, wanted))

    def took(self, events: int, seconds: float) -> None:
        """Learn how long a batch took."""
        if events >= EVENTS_AT_LEAST and seconds > 0:
            self._limit(min(EVENTS_AT_MOST, self._events * 2, int(events * BATCH_SECONDS / seconds)))

    def too_slow(self) -> None:
        """Take much less: the last batch outlasted the lease."""
        self._limit(self._events // 8)
        self.entries = 1

    def _limit(self, events: int) -> None:
        self._events = max(EVENTS_AT_LEAST, events)
