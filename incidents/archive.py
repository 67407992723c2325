"""A closed incident as one compressed value: itself, its counts, and everything else that is kept under its id. Pure.

The value stands in the place of the incident. It has a mark in front, when the incident was closed, and two parts: the
first is enough to list it, the second holds the rest, so that a long timeline costs a list nothing.
"""

import struct
import zlib
from datetime import datetime, timedelta
from typing import Any

import msgspec

from incidents.clock import from_ms, to_ms
from incidents.incident import Incident

MARK = b"\x01z1"  # JSON never begins like this
LEVEL = 9
_FRAME = struct.Struct(">QI")  # when it was closed, how long the first part is
HEADER = len(MARK) + _FRAME.size

ARCHIVED_AFTER = timedelta(days=7)


class Key(msgspec.Struct, frozen=True, array_like=True):
    """What a key held: its kind, its rows, when it lapses (0: never), and the last id of a stream."""

    kind: str
    rows: list[Any]
    lapses_ms: int = 0
    last: str = ""


class Front(msgspec.Struct, frozen=True, array_like=True):
    """What a list shows of an archived incident: its JSON, and the fields of its tally that count alerts."""

    incident: bytes
    tally: list[bytes | None]


_ENCODER = msgspec.msgpack.Encoder()
_FRONT = msgspec.msgpack.Decoder(Front)
_REST = msgspec.msgpack.Decoder(dict[str, Key])


class Archived(Exception):
    """An incident that something is to happen to is archived, and has to be brought back first."""

    def __init__(self, incident_id: str) -> None:
        self.incident_id = incident_id
        super().__init__(incident_id)


def closed_at(incident: Incident) -> datetime | None:
    """Return when an incident was closed, None while it is open."""
    return None if incident.is_open else incident.resolved_at or incident.declared_at


def archive_of(closed: datetime, front: Front, rest: dict[str, Key]) -> bytes:
    """Return the one value."""
    first = zlib.compress(_ENCODER.encode(front), LEVEL)
    return MARK + _FRAME.pack(to_ms(closed), len(first)) + first + zlib.compress(_ENCODER.encode(rest), LEVEL)


def is_archive(value: bytes) -> bool:
    """Whether a stored value, or the beginning of one, is that of an archived incident."""
    return value.startswith(MARK)


def closed_in(value: bytes) -> datetime:
    """Return when the incident of an archive was closed; its first `HEADER` bytes are enough."""
    return from_ms(_FRAME.unpack_from(value, len(MARK))[0])


def front_of(value: bytes) -> Front:
    """Return what a list shows."""
    return _FRONT.decode(zlib.decompress(value[HEADER : HEADER + _front_bytes(value)]))


def rest_of(value: bytes) -> dict[str, Key]:
    """Return every other key, by its name."""
    return _REST.decode(zlib.decompress(value[HEADER + _front_bytes(value) :]))


def incident_in(value: bytes) -> bytes:
    """Return the JSON of an incident, whether it is archived or not."""
    return front_of(value).incident if is_archive(value) else value


def _front_bytes(value: bytes) -> int:
    size: int = _FRAME.unpack_from(value, len(MARK))[1]
    return size
