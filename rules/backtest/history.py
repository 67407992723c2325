"""What happened, as the simulation takes it: alerts that fired and ended. Pure.

A Prometheus keeps no deliveries, but it keeps `ALERTS`: one sample for each evaluation at which an alert fired.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from incidents.alert import Alert, alert_key, fingerprint_of
from incidents.clock import to_ms
from incidents.journal.lines import Recorded
from incidents.values import AlertStatus
from rules.deciding.work import Arrival, Received

PROMETHEUS_SOURCE = "prometheus"
DROPPED = frozenset({"__name__", "alertstate"})
GAP_IN_STEPS = 1.5  # a sample that is missing once is the end of an alert


class Episode(NamedTuple):
    """One alert that fired from an instant to another, or still fires."""

    labels: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None


class Samples(NamedTuple):
    """At which instants an alert was seen to fire, in seconds since 1970, ascending."""

    labels: Mapping[str, str]
    seconds: Iterable[float]


class _Running(NamedTuple):
    labels: dict[str, str]
    first: float
    last: float


class Episodes:
    """Makes episodes of samples that arrive in slices, one slice of time after the other."""

    def __init__(self, step: timedelta) -> None:
        self._step = step.total_seconds()
        self._open: dict[str, _Running] = {}

    def take(self, slice_of: Iterable[Samples], until: datetime) -> list[Episode]:
        """Take in the samples of the next slice, which ends at `until`; return the episodes that ended in it."""
        ended: list[Episode] = []
        for samples in slice_of:
            labels = {name: value for name, value in samples.labels.items() if name not in DROPPED}
            ended += self._follow(fingerprint_of(labels), labels, samples.seconds)
        before = until.timestamp() - self._step * GAP_IN_STEPS
        for key, running in list(self._open.items()):
            if running.last < before:
                ended.append(self._ended(running))
                del self._open[key]
        return ended

    def still_firing(self) -> list[Episode]:
        """Return the episodes that no slice has seen the end of."""
        return [Episode(each.labels, _instant(each.first), None) for each in self._open.values()]

    def _follow(self, key: str, labels: dict[str, str], seconds: Iterable[float]) -> Iterator[Episode]:
        running = self._open.get(key)
        for second in seconds:
            if running is None:
                running = _Running(labels, second, second)
            elif second - running.last > self._step * GAP_IN_STEPS:
                yield self._ended(running)
                running = _Running(labels, second, second)
            else:
                running = running._replace(last=second)
        if running is not None:
            self._open[key] = running

    def _ended(self, running: _Running) -> Episode:
        return Episode(running.labels, _instant(running.first), _instant(running.last + self._step))


def arrivals_of(episodes: Iterable[Episode], source: str = PROMETHEUS_SOURCE) -> list[Arrival]:
    """Return what a sender would have told of these episodes, in the order of time; ends before beginnings."""
    told: list[tuple[int, int, str, Arrival]] = []
    for labels, starts_at, ends_at in episodes:
        print_of = fingerprint_of(labels)
        key = alert_key(source, print_of)
        states = [(starts_at, 1, AlertStatus.FIRING)]
        if ends_at is not None:
            states.append((ends_at, 0, AlertStatus.RESOLVED))
        for at, order, status in states:
            ended = ends_at if status is AlertStatus.RESOLVED else None
            alert = Alert(fingerprint=print_of, status=status, labels=labels, starts_at=starts_at, ends_at=ended)
            told.append((to_ms(at), order, print_of, Arrival(key, source, alert, at, to_ms(at))))
    return [row[3] for row in sorted(told, key=lambda row: row[:3])]


def events_of(recorded: Iterable[Recorded]) -> Iterator[Arrival | Received]:
    """Return what a journal recorded as the events that came off the stream; timers run again by themselves."""
    for each in recorded:
        at = to_ms(each.received_at)
        if each.alert is not None:
            key = alert_key(each.source, each.alert.fingerprint)
            yield Arrival(key, each.source, each.alert, each.received_at, at)
        elif each.incoming is not None:
            yield Received(each.source, each.incoming, each.received_at, at)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
