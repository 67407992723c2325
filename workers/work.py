"""A unit of the decider's work: events read off the stream, and timers that fell due. Pure values."""

from datetime import datetime
from typing import NamedTuple

from incidents.alert import Alert


class Arrival(NamedTuple):
    """One alert of one delivery, as it came off the stream."""

    key: str  # under which the alert is remembered
    source: str
    alert: Alert
    received_at: datetime
    received_ms: int


class DueTimer(NamedTuple):
    """A timer whose time has come."""

    member: str
    due_at: datetime


class Work(NamedTuple):
    """What is decided together, in this order."""

    arrivals: tuple[Arrival, ...] = ()
    timers: tuple[DueTimer, ...] = ()
