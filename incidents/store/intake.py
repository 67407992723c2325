"""Intake: the append that a 2xx stands for. Alerts go into the stream with their counters in one transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from incidents import keys
from incidents.alert import Alert, short_hash
from incidents.clock import to_ms
from incidents.incoming import Incoming
from incidents.measures import Measures, Tally
from incidents.quarantined import Quarantined
from incidents.redaction import needs_redaction, redact_alert, redact_incoming
from incidents.store.connection import Command, Links, checked
from incidents.store.idempotency import along
from incidents.values import AlertStatus

KIND_ALERTS = "alerts"  # kinds of entries: a wire format
KIND_INCOMING = "incoming"
ENTRY_BYTES = 256 * 1024  # a read is bounded by entries, so an entry is bounded by bytes
RECEIVERS_KEPT = 1000
REFUSED_CHARACTERS = 64 * 1024


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """What could not become an event, and why; it is kept in quarantine."""

    reason: str
    text: str


class Appended(NamedTuple):
    """What intake did: the id of the first entry, and how many events went which way."""

    event_id: str
    accepted: int
    quarantined: int


ENCODER = msgspec.json.Encoder()


class Intake:
    """Appends alerts to the stream. For many threads."""

    def __init__(self, links: Links, wake: Callable[[], object]) -> None:
        self._links = links
        self._wake = wake
        self._receivers: set[tuple[str, str]] = set()  # that the store knows already

    def append_alerts(
        self,
        *,
        source: str,
        alerts: Sequence[Alert],
        refused: Sequence[Refused] = (),
        received_at: datetime,
        truncated: int = 0,
        receiver: str = "",
    ) -> Appended:
        """Append the alerts of one delivery; raises `StoreUnavailable`, and then nothing was accepted.

        `truncated` is how many alerts the sender says it left out, `receiver` the name under which it knows us.
        """
        tally = _counts(source, alerts, len(alerts), refused)
        if truncated:
            tally.count(Measures.ALERTS_TRUNCATED, source, by=truncated)
        also: list[Command] = [("SADD", keys.truncated_sources(), source)] if truncated else []
        is_new = bool(receiver) and (source, receiver) not in self._receivers and len(self._receivers) < RECEIVERS_KEPT
        if is_new:
            also.append(("SADD", keys.receivers_of(source), receiver))
        appended = self._append(KIND_ALERTS, source, _bodies(alerts), tally, refused, received_at, also)
        if is_new:
            self._receivers.add((source, receiver))
        return appended

    def append_incoming(
        self, *, source: str, incoming: Sequence[Incoming], refused: Sequence[Refused] = (), received_at: datetime
    ) -> Appended:
        """Append events that are more than alerts; the same promises as `append_alerts`."""
        alerts = [event.alert for event in incoming if event.alert is not None]
        tally = _counts(source, alerts, len(incoming), refused)
        return self._append(KIND_INCOMING, source, _bodies(incoming), tally, refused, received_at)

    def _append(
        self,
        kind: str,
        source: str,
        bodies: list[tuple[int, bytes]],
        tally: Tally,
        refused: Sequence[Refused],
        received_at: datetime,
        also: Sequence[Command] = (),
    ) -> Appended:
        accepted = sum(count for count, _ in bodies)
        if not accepted and not refused:
            return Appended("", 0, 0)
        received_ms = to_ms(received_at)
        commands: list[Command] = [
            ("XADD", keys.stream(), "*", "k", kind, "s", source, "t", received_ms, "n", count, "b", body)
            for count, body in bodies
        ]
        commands += [("HINCRBY", keys.counters(), field, by) for field, by in tally.fields.items()]
        commands.append(("HSET", keys.sources_heard(), source, received_ms))
        commands += _quarantine(source, refused, received_at)
        commands += also
        commands += along()
        commands.append(("EXISTS", keys.lease()))
        # Plain commands: a script that runs them costs the store half as much again.
        with self._links.borrow() as link:
            replies = checked(link.ask([("MULTI",), *commands, ("EXEC",)]))[-1]
        if accepted and not replies[-1]:
            self._wake()
        event_id = replies[0].decode() if bodies else f"{received_ms}-q"
        return Appended(event_id, accepted, len(refused))


def _counts(source: str, alerts: Sequence[Alert], events: int, refused: Sequence[Refused]) -> Tally:
    tally = Tally()
    firing = sum(1 for alert in alerts if alert.status is AlertStatus.FIRING)
    if firing:
        tally.count(Measures.ALERTS_RECEIVED, source, "firing", by=firing)
    if len(alerts) > firing:
        tally.count(Measures.ALERTS_RECEIVED, source, "resolved", by=len(alerts) - firing)
    tally.count(Measures.EVENTS_RECEIVED, by=events + len(refused))
    if refused:
        tally.count(Measures.EVENTS, "quarantined", by=len(refused))
    return tally


def _quarantine(source: str, refused: Sequence[Refused], received_at: datetime) -> list[Command]:
    commands: list[Command] = []
    for index, item in enumerate(refused):
        item_id = quarantine_id(received_at, source, f"{index}{item.text}")
        kept = Quarantined(
            id=item_id, at=received_at, source=source, reason=item.reason, text=item.text[:REFUSED_CHARACTERS]
        )
        commands.append(("HSET", keys.quarantine(), item_id, ENCODER.encode(kept)))
    return commands


def quarantine_id(at: datetime, source: str, text: str) -> str:
    """Return an id that sorts by time and that nobody can choose."""
    return f"q{to_ms(at)}-{short_hash(source + ' ' + text)}"


def _bodies(events: Sequence[Alert] | Sequence[Incoming]) -> list[tuple[int, bytes]]:
    """Encode events, without the credentials in them, into bodies of bounded size."""
    if not events:
        return []
    body = ENCODER.encode(events)
    if not needs_redaction(body):
        return _split(events, body)
    redacted = [_redacted(event) for event in events]
    return _split(redacted, ENCODER.encode(redacted))


def _redacted(event: Alert | Incoming) -> Alert | Incoming:
    if not needs_redaction(ENCODER.encode(event)):
        return event
    return redact_incoming(event) if isinstance(event, Incoming) else redact_alert(event)


def _split(events: Sequence[Alert | Incoming], body: bytes) -> list[tuple[int, bytes]]:
    if len(body) <= ENTRY_BYTES or len(events) == 1:
        return [(len(events), body)]
    half = len(events) // 2
    return _split(events[:half], ENCODER.encode(events[:half])) + _split(events[half:], ENCODER.encode(events[half:]))
