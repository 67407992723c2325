"""A unit of the decider's work: events read off the stream, and timers that fell due. Pure values."""

from datetime import datetime
from typing import NamedTuple

from incidents.alert import Alert, alert_key
from incidents.incoming import Incoming


class Arrival(NamedTuple):
    """One alert of one delivery, as it came off the stream."""

    key: str  # under which the alert is remembered
    source: str
    alert: Alert
    received_at: datetime
    received_ms: int


class Received(NamedTuple):
    """One event that is more than an alert, as it came off the stream."""

    source: str
    incoming: Incoming
    received_at: datetime
    received_ms: int

    @property
    def as_alert(self) -> Arrival | None:
        """The alert that it brings along, if any."""
        alert = self.incoming.alert
        if alert is None:
            return None
        key = alert_key(self.source, alert.fingerprint)
        return Arrival(key, self.source, alert, self.received_at, self.received_ms)


class DueTimer(NamedTuple):
    """A timer whose time has come."""

    member: str
    due_at: datetime


class Work(NamedTuple):
    """What is decided together, in this order."""

    arrivals: tuple[Arrival | Received, ...] = ()
    timers: tuple[DueTimer, ...] = ()


class Unjudged(NamedTuple):
    """An event that could not be judged, and why."""

    source: str
    received_at: datetime
    reason: str
