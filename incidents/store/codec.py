"""Stored values to and from bytes: JSON with a schema version in each, so that old values meet new code."""

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from incidents.alert import Alert, AlertState
from incidents.archive import incident_in
from incidents.clock import from_ms
from incidents.document.values import Version
from incidents.facts import Fact
from incidents.heartbeat import HeartbeatState
from incidents.incident import AlertTally, Incident
from incidents.incoming import Incoming
from incidents.maintenance import Maintenance
from incidents.page import Page
from incidents.post_incident_actions import OpenAction
from incidents.quarantined import Quarantined
from incidents.statistics.summary import Summary
from incidents.timeline import Entry

ENCODER = msgspec.json.Encoder()
encode = ENCODER.encode

_ALERTS = msgspec.json.Decoder(list[Alert])
_INCOMING = msgspec.json.Decoder(list[Incoming])
_STATE = msgspec.json.Decoder(AlertState)
_INCIDENT = msgspec.json.Decoder(Incident)
_ENTRY = msgspec.json.Decoder(Entry)
_PAGE = msgspec.json.Decoder(Page)
_QUARANTINED = msgspec.json.Decoder(Quarantined)
_OPEN_ACTIONS = msgspec.json.Decoder(tuple[OpenAction, ...])
_MAINTENANCE = msgspec.json.Decoder(Maintenance)

decode_alerts = _ALERTS.decode
decode_incoming = _INCOMING.decode
decode_fact = msgspec.json.Decoder(Fact).decode
decode_heartbeat = msgspec.json.Decoder(HeartbeatState).decode
decode_state = _STATE.decode
decode_summary = msgspec.json.Decoder(Summary).decode
decode_version = msgspec.json.Decoder(Version).decode
decode_entry = _ENTRY.decode
decode_page = _PAGE.decode
decode_quarantined = _QUARANTINED.decode


def decode_incident(value: bytes) -> Incident:
    """Read an incident, whether it is archived or not."""
    return _INCIDENT.decode(incident_in(value))


def score_of(score: bytes | None) -> int:
    """Return a score that is a whole number, 0 where there is none; a store may write a large one with an exponent."""
    return int(float(score or 0))


def tally_of(firing: bytes | None, resolved: bytes | None, clear_since: bytes | None) -> AlertTally:
    """Read the counts of an incident's alerts from the fields of its tally; missing ones are 0."""
    since = from_ms(int(clear_since)) if clear_since else None
    return AlertTally(firing=int(firing or 0), resolved=int(resolved or 0), clear_since=since)


@lru_cache(maxsize=8)
def decode_maintenance(values: tuple[bytes, ...]) -> tuple[Maintenance, ...]:
    """Read maintenance as it is stored, by id; the same values are read once."""
    return tuple(sorted(map(_MAINTENANCE.decode, values), key=lambda each: each.id))


def decode_open_actions(values: Iterable[bytes]) -> tuple[OpenAction, ...]:
    """Read the open post-incident actions as they are indexed, those of the earliest incident first."""
    found = (action for value in values for action in _OPEN_ACTIONS.decode(value))
    return tuple(sorted(found, key=lambda action: action.incident))
