"""Entries of the stream, read and taken apart into arrivals; what cannot be read is told apart. Pure."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from incidents.alert import alert_key
from incidents.clock import from_ms
from incidents.store.codec import decode_alerts, decode_incoming
from incidents.store.intake import KIND_ALERTS, KIND_INCOMING
from rules.deciding.work import Arrival, Received


class Unreadable(NamedTuple):
    """An entry that this version cannot read: all its events are quarantined together."""

    entry_id: str
    source: str
    received_at: datetime
    events: int
    error: str
    text: str


class Entry(NamedTuple):
    """One entry of the stream: its id and what is in it."""

    id: str
    arrivals: tuple[Arrival | Received, ...] = ()
    unreadable: Unreadable | None = None

    @property
    def events(self) -> int:
        """How many events the entry stands for."""
        return self.unreadable.events if self.unreadable else len(self.arrivals)


def read_entry(raw: list[Any]) -> Entry:
    """Read one entry as the stream answered it: an id, and names and values in turn."""
    entry_id = raw[0].decode()
    fields: dict[bytes, bytes] = dict(zip(raw[1][::2], raw[1][1::2], strict=True))
    source = fields.get(b"s", b"").decode("utf-8", "replace")
    received_ms = int(fields.get(b"t", b"0"))
    received_at = from_ms(received_ms)
    body = fields.get(b"b", b"")
    try:
        kind = fields.get(b"k", b"").decode()
        if kind == KIND_INCOMING:
            received = (Received(source, one, received_at, received_ms) for one in decode_incoming(body))
            return Entry(entry_id, tuple(received))
        if kind != KIND_ALERTS:
            raise ValueError(f"unknown kind of entry {kind!r}")
        alerts = decode_alerts(body)
    except (msgspec.MsgspecError, ValueError) as error:
        count = int(fields.get(b"n", b"1"))
        text = body.decode("utf-8", "replace")
        return Entry(entry_id, unreadable=Unreadable(entry_id, source, received_at, count, str(error), text))
    arrivals = tuple(
        Arrival(alert_key(source, alert.fingerprint), source, alert, received_at, received_ms) for alert in alerts
    )
    return Entry(entry_id, arrivals)


class Cursor(NamedTuple):
    """How far the decider has come: an entry that is done, and how many events of the next one are."""

    entry_id: str = "0-0"
    done: int = 0

    def __str__(self) -> str:
        return f"{self.entry_id}|{self.done}"


def read_cursor(stored: bytes | None) -> Cursor:
    """Read a stored cursor; none is the beginning of the stream."""
    if stored is None:
        return Cursor()
    entry_id, _, done = stored.decode().partition("|")
    return Cursor(entry_id, int(done or 0))
