"""Poison: events that cannot be decided; found by bisection, kept with their error, and hiding no other.

What is found is logged; the store is not touched.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import msgspec
import structlog

from incidents.commit import Commit
from incidents.measures import Measures
from incidents.quarantined import Quarantined
from incidents.snapshot import Need
from incidents.store.intake import REFUSED_CHARACTERS, quarantine_id
from rules.deciding.work import Arrival, DueTimer, Received, Unjudged, Work
from workers.entries import Unreadable

LOG = structlog.get_logger()

ERROR_CHARACTERS = 500


class Offenders(NamedTuple):
    """Events that raise when decided, each with its error; timers that do; and entries that could not be read."""

    arrivals: tuple[tuple[Arrival | Received, str], ...]
    timers: tuple[DueTimer, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    told: bool = False  # people cannot be told of them: that raised as well

    def holds(self, arrival: Arrival | Received) -> bool:
        """Whether this very delivery is among them."""
        return any(offender is arrival for offender, _ in self.arrivals)

    def joined(self, other: "Offenders") -> "Offenders":
        """Return both together."""
        return self._replace(arrivals=self.arrivals + other.arrivals, timers=self.timers + other.timers)

    def to_tell(self) -> tuple[Unjudged, ...]:
        """Return what people are to be told."""
        if self.told:
            return ()
        events = tuple(Unjudged(arrival.source, arrival.received_at, error) for arrival, error in self.arrivals)
        return events + tuple(Unjudged(entry.source, entry.received_at, entry.error) for entry in self.unreadable)


def find_offenders(judge: Callable[[Work], object], work: Work, error: Exception) -> Offenders:
    """Return the events on which `judge` raises when they stand alone; all of them where they raise only together."""

    def fails(part: Work) -> str:
        try:
            judge(part)
        except Need:
            return ""
        except Exception as raised:  # noqa: BLE001 - what it raises is what is looked for
            return _told(raised)
        return ""

    timers = tuple(timer for timer in work.timers if fails(Work((), (timer,))))
    found = tuple(_bisect(work.arrivals, fails))
    if not found and not timers:
        return Offenders(tuple((arrival, _told(error)) for arrival in work.arrivals), work.timers)
    return Offenders(found, timers)


def _bisect(
    arrivals: tuple[Arrival | Received, ...], fails: Callable[[Work], str]
) -> list[tuple[Arrival | Received, str]]:
    error = fails(Work(arrivals)) if arrivals else ""
    if not error:
        return []
    if len(arrivals) == 1:
        return [(arrivals[0], error)]
    half = len(arrivals) // 2
    return _bisect(arrivals[:half], fails) + _bisect(arrivals[half:], fails)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:ERROR_CHARACTERS]


def set_aside(commit: Commit, offenders: Offenders) -> None:
    """Put what cannot be processed into quarantine, with its error; an entry counts as all its events."""
    for arrival, error in offenders.arrivals:
        text = msgspec.json.encode(arrival.alert if isinstance(arrival, Arrival) else arrival.incoming)
        _keep(commit, arrival.received_at, arrival.source, error, text.decode("utf-8", "replace"), 1)
    for entry in offenders.unreadable:
        _keep(commit, entry.received_at, entry.source, entry.error, entry.text, entry.events)
    commit.timers_gone.update(timer.member for timer in offenders.timers)


def _keep(commit: Commit, at: datetime, source: str, reason: str, text: str, count: int) -> None:
    kept = Quarantined(
        id=quarantine_id(at, source, text), at=at, source=source, reason=reason, text=text[:REFUSED_CHARACTERS]
    )
    commit.quarantine.append(kept)
    commit.tally.count(Measures.EVENTS, "quarantined", by=count)


def without_offenders(
    judge: Callable[[Work], object], work: Work, error: Exception, poison: Offenders
) -> tuple[Work, Offenders]:
    """Take the events that raise out of the work; should even telling people of them raise, go on without telling."""
    if not work.arrivals and not work.timers:
        LOG.error("cannot_tell_of_quarantine", exc_info=error)
        return work, poison._replace(told=True)
    found = find_offenders(judge, work, error)
    LOG.error("event_quarantined", events=len(found.arrivals), timers=len(found.timers), exc_info=error)
    arrivals = tuple(arrival for arrival in work.arrivals if not found.holds(arrival))
    timers = tuple(timer for timer in work.timers if timer not in found.timers)
    return Work(arrivals, timers), poison.joined(found)
