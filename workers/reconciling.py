"""What an Alertmanager knows against what we know of its alerts: what was missed, is gone, or still fires. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from incidents.alert import Alert, AlertState, alert_key
from incidents.incoming import Incoming, Touch, TouchKind
from incidents.values import AlertStatus

UNDER_WAY = timedelta(minutes=2)  # an alert so young may still be on its way to us by itself


class _Status(msgspec.Struct, frozen=True):
    state: str = "active"


class _Receiver(msgspec.Struct, frozen=True):
    name: str = ""


class Upstream(msgspec.Struct, frozen=True, rename={"starts_at": "startsAt", "generator_url": "generatorURL"}):
    """One alert as the Alertmanager's API tells of it."""

    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    starts_at: datetime | None = None
    generator_url: str = ""
    status: _Status = _Status()
    receivers: list[_Receiver] = []

    @property
    def alert(self) -> Alert:
        """The alert that fires there."""
        return Alert(
            fingerprint=self.fingerprint,
            status=AlertStatus.FIRING,
            labels=self.labels,
            annotations=self.annotations,
            starts_at=self.starts_at,
            generator_url=self.generator_url,
        )


class Reconciled(NamedTuple):
    """What to append to the stream, and the alerts that the source did not know this time."""

    heard: tuple[Alert, ...]
    events: tuple[Incoming, ...]
    absent: frozenset[str]


def reconcile(
    source: str,
    upstream: Iterable[Upstream],
    firing: Mapping[str, AlertState],
    *,
    receivers: frozenset[str],
    absent_before: frozenset[str],
    now: datetime,
) -> Reconciled:
    """Compare what fires there with what fires here, by the keys of alerts.

    Added is only what is routed to us (by the receivers under which it has notified us), is neither silenced nor
    inhibited there, and is old enough to have come by itself. Gone is what it did not know twice running: one that
    has just started knows nothing for a minute.
    """
    known = {alert_key(source, each.fingerprint): each for each in upstream}
    heard = tuple(known[key].alert for key in firing if key in known)
    missed = [
        each for key, each in known.items() if key not in firing and _is_for_us(each, receivers) and _is_due(each, now)
    ]
    absent = frozenset(key for key in firing if key not in known)
    gone = [firing[key] for key in sorted(absent & absent_before)]
    events = (*(_found(source, each) for each in missed), *(_gone(source, state, now) for state in gone))
    return Reconciled(heard, events, absent - absent_before)


def _is_for_us(each: Upstream, receivers: frozenset[str]) -> bool:
    return each.status.state == "active" and any(receiver.name in receivers for receiver in each.receivers)


def _is_due(each: Upstream, now: datetime) -> bool:
    return each.starts_at is not None and now - each.starts_at >= UNDER_WAY


def _found(source: str, each: Upstream) -> Incoming:
    name = each.labels.get("alertname", "an alert")
    text = f"{name} was found firing in {source}: its notification never came"
    return Incoming(alert=each.alert, touch=Touch(fingerprint=each.fingerprint, kind=TouchKind.OTHER, text=text))


def _gone(source: str, state: AlertState, now: datetime) -> Incoming:
    name = state.labels.get("alertname", "An alert")
    text = f"{source} does not know {name} any more, and never said that it ended: it counts as resolved"
    ended = Alert(fingerprint=state.fingerprint, status=AlertStatus.RESOLVED, labels=state.labels, ends_at=now)
    return Incoming(alert=ended, touch=Touch(fingerprint=state.fingerprint, kind=TouchKind.GONE, text=text))
