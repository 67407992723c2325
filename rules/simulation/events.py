"""What can be fed to a simulation beside the decider's own `Arrival` and `Received`. Pure values."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from incidents import events
from incidents.alert import Alert, alert_key, fingerprint_of
from incidents.clock import to_ms
from incidents.facts import SOURCE as FACTS_SOURCE
from incidents.facts import Fact
from incidents.incoming import Action, Incoming, Touch
from incidents.page import Page
from incidents.values import AlertStatus
from rules.deciding.work import Arrival, Received

SOURCE = "test"


class Told(NamedTuple):
    """Something happens to an incident outside the decider: what a person does; `incident` is its id.

    For `DeclaredByHand` the id is empty.
    """

    incident: str
    event: events.Event


class Silent(NamedTuple):
    """A heartbeat stops coming; its last signal comes now."""

    heartbeat: str


class Beat(NamedTuple):
    """A heartbeat comes, and goes on coming."""

    heartbeat: str


class Unreachable(NamedTuple):
    """From now on pages to a person (or `channel:NAME`) fail; with `again`, they no longer do."""

    person: str
    again: bool = False


Event = Arrival | Received | Told | Silent | Beat | Unreachable


class Sent(NamedTuple):
    """What became of a page: `delivered`, `failed` or `suppressed`, and for the latter two why."""

    at: datetime
    page: Page
    outcome: str
    why: str = ""


def arrival(
    labels: Mapping[str, str],
    at: datetime,
    *,
    status: AlertStatus = AlertStatus.FIRING,
    annotations: Mapping[str, str] | None = None,
    source: str = SOURCE,
    starts_at: datetime | None = None,
) -> Arrival:
    """Return one alert as it arrives at an instant; a firing one started then unless said otherwise."""
    firing = status is AlertStatus.FIRING
    alert = Alert(
        fingerprint=fingerprint_of(labels),
        status=status,
        labels=dict(labels),
        annotations=dict(annotations or {}),
        starts_at=(starts_at or at) if firing else starts_at,
        ends_at=None if firing else at,
    )
    return Arrival(alert_key(source, alert.fingerprint), source, alert, at, to_ms(at))


def action(did: Action, at: datetime, *, source: str = SOURCE) -> Received:
    """Return a corrective action as it arrives."""
    return Received(source, Incoming(action=did), at, to_ms(at))


def touch(did: Touch, at: datetime, *, source: str = SOURCE) -> Received:
    """Return what somebody did to an alert elsewhere, as it arrives."""
    return Received(source, Incoming(touch=did), at, to_ms(at))


def fact(found: Fact, at: datetime) -> Received:
    """Return an answer of Prometheus as it arrives."""
    return Received(FACTS_SOURCE, Incoming(fact=found), at, to_ms(at))
