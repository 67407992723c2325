"""Keeps a store that hangs from holding every thread, and with them every sender, for longer than a sender waits.

Waiting for a store that does not answer takes seconds, and the requests queued behind would wait that long again. So
once one append has waited long, others are refused at once, and one at a time asks whether the store is back.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from incidents.alert import Alert
from incidents.errors import StoreUnavailable
from incidents.incoming import Incoming
from incidents.store.intake import Appended, Refused
from receiver.deps import AlertSink

LONG = 1.5  # seconds; a disk that stalls under `everysec` holds the store for up to two
REST = 1.0  # seconds after a long wait in vain during which nobody asks


class FailFast:
    """An `AlertSink` in front of another one, shared by the threads of a process."""

    def __init__(self, sink: AlertSink, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._sink = sink
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[int, float] = {}
        self._rests_until = float("-inf")
        self._doubtful = False

    def append_alerts(
        self,
        *,
        source: str,
        alerts: Sequence[Alert],
        refused: Sequence[Refused] = (),
        received_at: datetime,
        truncated: int = 0,
        receiver: str = "",
    ) -> Appended:
        """Append through the sink behind; raises `StoreUnavailable` at once where waiting would be in vain."""
        return self._through(
            lambda: self._sink.append_alerts(
                source=source,
                alerts=alerts,
                refused=refused,
                received_at=received_at,
                truncated=truncated,
                receiver=receiver,
            )
        )

    def append_incoming(
        self, *, source: str, incoming: Sequence[Incoming], refused: Sequence[Refused] = (), received_at: datetime
    ) -> Appended:
        """Do the same for events that are more than alerts."""
        return self._through(
            lambda: self._sink.append_incoming(
                source=source, incoming=incoming, refused=refused, received_at=received_at
            )
        )

    def _through(self, append: Callable[[], Appended]) -> Appended:
        me = threading.get_ident()
        started = self._enter(me)
        try:
            appended = append()
        except StoreUnavailable:
            self._failed(started)
            raise
        finally:
            with self._lock:
                self._waiting.pop(me, None)
        self._doubtful = False
        return appended

    def _enter(self, me: int) -> float:
        now = self._clock()
        with self._lock:
            if now < self._rests_until:
                raise StoreUnavailable("the store did not answer a moment ago")
            if self._waiting and (self._doubtful or now - min(self._waiting.values()) > LONG):
                raise StoreUnavailable("the store keeps others waiting")
            self._waiting[me] = now
        return now

    def _failed(self, started: float) -> None:
        now = self._clock()
        if now - started <= LONG:
            return  # it refused quickly: asking costs nobody time
        with self._lock:
            self._doubtful = True
            self._rests_until = now + REST
