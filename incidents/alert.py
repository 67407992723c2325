"""An alert as Tocsin knows it, what is remembered of it, and how a delivery changes that memory.

Deliveries come late, twice, out of order and from two peers with other start times, so the memory is
moved by `starts_at` and `ends_at` and never by the order of arrival. Pure.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import Enum

import msgspec

from incidents.values import AlertStatus

FNV_OFFSET = 0xCBF29CE484222325
FNV_PRIME = 0x100000001B3
FNV_MASK = 0xFFFFFFFFFFFFFFFF
PROBE_LABEL = "tocsin_probe"  # of the synthetic alert of `tocsin doctor`, which proves the way and is nobody's incident


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, rename={"generator_url": "url"}):
    """One alert as one delivery described it; instants are aware, `None` where the sender gave none."""

    fingerprint: str
    status: AlertStatus
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    expires_at: datetime | None = None  # when it counts as resolved unless its sender speaks of it again
    generator_url: str = ""


class AlertState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What is remembered of an alert between deliveries: one value per source and fingerprint."""

    v: int = 1
    source: str
    fingerprint: str
    status: AlertStatus
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    generator_url: str = ""
    starts_at: datetime
    ends_at: datetime | None = None
    received_at: datetime
    judged_by: str = ""  # hash of the rule set that last judged it: another one judges a repeat anew
    incidents: tuple[str, ...] = ()
    touched_at: datetime | None = None  # since when somebody has been on it: the time-spent clock
    touched_by: str = ""
    absorbed_by: str = ""  # the storm that took its findings in


class Change(Enum):
    """What a delivery means against what is remembered."""

    FIRED = "fired"
    RESOLVED = "resolved"
    RESOLVED_UNSEEN = "resolved_unseen"  # the first that was ever heard of it is its end: it declares nothing
    REPEATED = "repeated"  # says what is known already
    LATE = "late"  # tells of a time before what is known


def observe(known: AlertState | None, alert: Alert, *, source: str, received_at: datetime) -> tuple[Change, AlertState]:
    """Return what a delivery changes, and the memory after it; a repeat or a late one returns the memory as it was.

    Start times in the future are taken as the time of receipt: a sender's clock is data, never an order of events.
    """
    starts_at = min(alert.starts_at or received_at, received_at)
    if alert.status is AlertStatus.FIRING:
        return _observe_firing(known, alert, source, starts_at, received_at)
    return _observe_resolved(known, alert, source, starts_at, received_at)


def _observe_firing(
    known: AlertState | None, alert: Alert, source: str, starts_at: datetime, received_at: datetime
) -> tuple[Change, AlertState]:
    if known is not None:
        if known.status is AlertStatus.FIRING:
            return Change.REPEATED, known
        if known.ends_at is not None and starts_at <= known.ends_at:
            return Change.LATE, known
    return Change.FIRED, _state(alert, source, starts_at, None, received_at)


def _observe_resolved(
    known: AlertState | None, alert: Alert, source: str, starts_at: datetime, received_at: datetime
) -> tuple[Change, AlertState]:
    ends_at = min(alert.ends_at or received_at, received_at)
    if known is None:
        return Change.RESOLVED_UNSEEN, _state(alert, source, min(starts_at, ends_at), ends_at, received_at)
    if known.status is AlertStatus.RESOLVED:
        return Change.REPEATED, known
    if ends_at < known.starts_at:
        return Change.LATE, known
    # What is known keeps its start: a peer's other start time is no second firing.
    ended = msgspec.structs.replace(known, status=AlertStatus.RESOLVED, ends_at=ends_at, received_at=received_at)
    return Change.RESOLVED, ended


def _state(
    alert: Alert, source: str, starts_at: datetime, ends_at: datetime | None, received_at: datetime
) -> AlertState:
    return AlertState(
        source=source,
        fingerprint=alert.fingerprint,
        status=alert.status,
        labels=alert.labels,
        annotations=alert.annotations,
        generator_url=alert.generator_url,
        starts_at=starts_at,
        ends_at=ends_at,
        received_at=received_at,
    )


def alert_key(source: str, fingerprint: str) -> str:
    """Return the name under which an alert is remembered; sources never share one, so none can resolve another's."""
    return f"{source}/{fingerprint}"


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """Return Alertmanager's fingerprint of a label set: FNV-1a 64 over the sorted names and values, 16 hex digits."""
    value = FNV_OFFSET
    for name in sorted(labels):
        for byte in (
            name.encode("utf-8", "surrogatepass") + b"\xff" + labels[name].encode("utf-8", "surrogatepass") + b"\xff"
        ):
            value = ((value ^ byte) * FNV_PRIME) & FNV_MASK
    return f"{value:016x}"


def short_hash(text: str) -> str:
    """Return 20 hex digits that stand for foreign text inside a key of the store."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()
