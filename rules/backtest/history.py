"""What happened, as the simulation takes it: alerts that fired and ended. Pure.

A Prometheus keeps no deliveries, but it keeps `ALERTS`: one sample for each evaluation at which an alert fired.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from incidents.alert import Alert, fingerprint_of
from incidents.values import AlertStatus

PROMETHEUS_SOURCE = "prometheus"
DROPPED = frozenset({"__name__", "alertstate"})
GAP_IN_STEPS = 1.5  # a sample that is missing once is the end of an alert


class Moment(NamedTuple):
    """Something that reached us at an instant: an alert's state as one sender told it."""

    at: datetime
    source: str
    alert: Alert


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


def moments_of(episodes: Iterable[Episode], source: str = PROMETHEUS_SOURCE) -> list[Moment]:
    """Return what a sender would have told of these episodes, in the order of time; ends before beginnings."""
    told = []
    for episode in episodes:
        fingerprint = fingerprint_of(episode.labels)
        firing = Alert(
            fingerprint=fingerprint,
            status=AlertStatus.FIRING,
            labels=episode.labels,
            starts_at=episode.starts_at,
        )
        told.append((episode.starts_at, 1, fingerprint, Moment(episode.starts_at, source, firing)))
        if episode.ends_at is not None:
            resolved = Alert(
                fingerprint=fingerprint,
                status=AlertStatus.RESOLVED,
                labels=episode.labels,
                starts_at=episode.starts_at,
                ends_at=episode.ends_at,
            )
            told.append((episode.ends_at, 0, fingerprint, Moment(episode.ends_at, source, resolved)))
    return [row[3] for row in sorted(told, key=lambda row: row[:3])]


def merged(*histories: Iterable[Moment]) -> Iterator[Moment]:
    """Return several histories as one, in the order of time."""
    return heapq.merge(*histories, key=lambda moment: moment.at)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
